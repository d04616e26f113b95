"""Publish/subscribe between the processes of one service, in memory or through Redis."""

from .broker import Broker, BrokerUnavailable
from .memory_broker import MemoryBroker
from .redis_broker import RedisBroker

__all__ = ["Broker", "BrokerUnavailable", "MemoryBroker", "RedisBroker"]
