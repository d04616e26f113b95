"""The server around a connection: routing, addresses, handlers, the open connections; no I/O."""
