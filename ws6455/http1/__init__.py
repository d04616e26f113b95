"""HTTP/1.1 heads and header values, as the opening handshake needs them; no frames, no I/O."""
