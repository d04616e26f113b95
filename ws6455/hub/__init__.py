"""What several processes of one service share."""

from .broker import Broker, BrokerUnavailable
from .memory_broker import MemoryBroker
from .redis_broker import RedisBroker

__all__ = ["Broker", "BrokerUnavailable", "MemoryBroker", "RedisBroker"]
