"""ws6455.opening: whole opening handshakes as bytes, for both roles.

Names with ``c`` and a number are the corners of the opening handshake that conformance suites
leave out: those start after the 101. With ``a`` and ``b`` it is what went wrong elsewhere:
bugs reported by users, and published advisories.
"""
