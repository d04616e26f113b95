"""What a framework's adapter imports and does: uvicorn's list, and the table of names."""

# As such programs are published: without annotations.
# mypy: ignore-errors

import websockets
import websockets.legacy.handshake
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed, InvalidState
from websockets.extensions.base import ServerExtensionFactory
from websockets.extensions.permessage_deflate import ServerPerMessageDeflateFactory
from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.legacy.server import HTTPResponse, WebSocketServerProtocol
from websockets.server import ServerProtocol

conn = ServerProtocol(
    extensions=[
        ServerPerMessageDeflateFactory(
            server_max_window_bits=12, client_max_window_bits=12, compress_settings={"memLevel": 5}
        )
    ],
    max_size=16777216,
)
conn.receive_data(
    b"GET /ws?room=1 HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
(event,) = conn.events_received()
print(isinstance(event, Request), event.path, conn.handshake_exc, conn.parser_exc)
response = conn.accept(event)
response.headers.update([("Sec-WebSocket-Protocol", "chat")])
print(response.status_code, response.headers["Sec-WebSocket-Accept"])
conn.send_response(response)
print(len(b"".join(conn.data_to_send())) > 100, conn.state is websockets.State.OPEN)
conn.receive_data(
    b"\x81\x85\x00\x00\x00\x00hello\x01\x82\x00\x00\x00\x00to\x80\x81\x00\x00\x00\x00o"
)
for event in conn.events_received():
    print(isinstance(event, Frame), event.opcode is Opcode.TEXT, bytes(event.data), event.fin)
conn.send_text(b"answer")
print(conn.data_to_send())
conn.receive_data(b"\x88\x82\x00\x00\x00\x00\x03\xe9")
print([event.opcode.name for event in conn.events_received()], conn.state.name)
print(conn.close_rcvd.code, conn.close_sent.code, conn.data_to_send())
try:
    conn.send_text(b"too late")
except InvalidState as exc:
    print(type(exc).__name__)
conn.receive_eof()
print(conn.close_code, issubclass(ConnectionClosed, websockets.WebSocketException))
headers = Headers({"Upgrade": "websocket"})
key = websockets.legacy.handshake.build_request(headers)
print(len(key), headers["Sec-WebSocket-Version"])
print(issubclass(ServerPerMessageDeflateFactory, ServerExtensionFactory))
print(WebSocketServerProtocol.__name__ != "", HTTPResponse is not None)
