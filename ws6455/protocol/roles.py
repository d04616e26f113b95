"""The protocol of a connection, whichever its role."""

from .client import ClientProtocol
from .server import ServerProtocol

__all__ = ["AnyProtocol"]

AnyProtocol = ClientProtocol | ServerProtocol
