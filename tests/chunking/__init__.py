"""How the bytes are cut makes no difference, and no bytes at all raise anything.

A stream of frames is built here by hand, apart from the library, and fed in pieces to an end of
each role; the whole stream at once, which takes the fast path where it can, and single bytes,
which never do, are each other's oracle.
"""
