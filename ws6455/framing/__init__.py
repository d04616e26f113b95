"""Frames, masking, compression and fragmentation (RFC 6455 section 5, RFC 7692); no I/O."""
