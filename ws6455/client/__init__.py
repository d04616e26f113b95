"""The client around a connection: proxies, redirects, reconnecting; no I/O."""
