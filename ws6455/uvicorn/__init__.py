"""WebSocket protocol for uvicorn: runs ASGI applications on the library's connections.

RFC 6455 §4.2 and the ASGI specification, "WebSocket" and "WebSocket Denial Response".

Use it with ``uvicorn.run(app, ws=WebSocketProtocol)``, or with uvicorn 0.36 or newer on the
command line: ``uvicorn --ws ws6455.uvicorn:WebSocketProtocol module:app``. uvicorn's HTTP protocol
reads the request and passes the transport on. The connection is then the same as one of `serve`,
with the application as its handler.
"""

from .protocol import WebSocketProtocol

__all__ = ["WebSocketProtocol"]
