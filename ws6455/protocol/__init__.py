"""A connection without I/O: states, receiving, sending, closing and the opening handshake."""
