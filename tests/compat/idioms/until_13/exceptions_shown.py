"""Exceptions made, printed, copied and sent to another process."""

# As such programs are published: without annotations.
# mypy: ignore-errors

import copy
import pickle

from websockets import exceptions
from websockets.datastructures import Headers
from websockets.frames import Close

went, bye = Close(1001, "going"), Close(1000, "")
MADE = [
    exceptions.ConnectionClosedOK(bye, bye, True),
    exceptions.ConnectionClosedOK(went, bye, False),
    exceptions.ConnectionClosedError(None, None, None),
    exceptions.ConnectionClosedError(None, Close(1011, "keepalive ping timeout"), None),
    exceptions.ConnectionClosedError(Close(4001, "private"), None, None),
    exceptions.InvalidHeader("Upgrade", "h2c"),
    exceptions.InvalidHeader("Upgrade"),
    exceptions.InvalidOrigin("http://evil.example"),
    exceptions.InvalidURI("http://x", "scheme isn't ws or wss"),
    exceptions.NegotiationError("no subprotocols in common"),
    exceptions.InvalidStatusCode(403, Headers()),
    exceptions.AbortHandshake(503, [], b"later\n"),
    exceptions.ProtocolError("reserved bits must be 0"),
    exceptions.InvalidMessage("did not receive a valid HTTP response"),
]
for exc in MADE:
    print(type(exc).__name__, "|", exc)
    for twin in (copy.copy(exc), pickle.loads(pickle.dumps(exc))):
        assert (type(twin), str(twin)) == (type(exc), str(exc))
for close in (bye, went, Close(1006, ""), Close(3001, "x"), Close(4001, "y"), Close(1005, "")):
    print(close)
