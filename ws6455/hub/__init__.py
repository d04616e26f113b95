"""What several processes of one service share.

Floor 6, asyncio: imports reconnecting and typing; redis only when a :class:`RedisBroker` is made.
"""

from .broker import Broker, BrokerUnavailable
from .memory_broker import MemoryBroker
from .redis_broker import RedisBroker

__all__ = ["Broker", "BrokerUnavailable", "MemoryBroker", "RedisBroker"]
