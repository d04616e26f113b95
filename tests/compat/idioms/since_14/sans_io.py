"""The documentation's way without I/O: both sides' protocols driven over sockets."""

# As such programs are published: without annotations.
# mypy: ignore-errors

import socket
import threading

from websockets.client import ClientProtocol
from websockets.exceptions import ConnectionClosed, InvalidHandshake
from websockets.frames import Frame, Opcode
from websockets.http11 import Request, Response
from websockets.protocol import Protocol, State
from websockets.server import ServerProtocol
from websockets.uri import parse_uri


class Driver:
    def __init__(self, sock, protocol):
        self.sock, self.protocol, self.events = sock, protocol, []

    def flush(self):
        for data in self.protocol.data_to_send():
            if data:
                self.sock.sendall(data)
            else:
                self.sock.shutdown(socket.SHUT_WR)

    def event(self):
        while not self.events:
            data = self.sock.recv(65536)
            if data:
                self.protocol.receive_data(data)
            else:
                self.protocol.receive_eof()
            self.flush()
            self.events = self.protocol.events_received()
            if not data and not self.events:
                return None
        return self.events.pop(0)


def serve(sock):
    driver = Driver(sock, ServerProtocol(subprotocols=["echo"]))
    request = driver.event()
    assert isinstance(request, Request)
    response = driver.protocol.accept(request)
    driver.protocol.send_response(response)
    driver.flush()
    while (frame := driver.event()) is not None:
        if frame.opcode is Opcode.TEXT:
            driver.protocol.send_text(frame.data)
        elif frame.opcode is Opcode.BINARY:
            driver.protocol.send_binary(frame.data[:2], fin=False)
            driver.protocol.send_continuation(frame.data[2:], fin=True)
        driver.flush()
    seen.append((driver.protocol.state.name, driver.protocol.close_code))
    sock.close()


def show(frame):
    print(frame.opcode.name, bytes(frame.data), frame.fin)


seen = []
here, there = socket.socketpair()
thread = threading.Thread(target=serve, args=(there,))
thread.start()
protocol = ClientProtocol(parse_uri("ws://localhost/chat"), subprotocols=["echo"])
driver = Driver(here, protocol)
request = protocol.connect()
print(request.path, request.headers["Host"], request.headers["Upgrade"])
protocol.send_request(request)
driver.flush()
response = driver.event()
print(isinstance(response, Response), response.status_code, protocol.handshake_exc)
print(protocol.state is State.OPEN, protocol.subprotocol, isinstance(protocol, Protocol))
protocol.send_text("déjà vu".encode())
driver.flush()
show(driver.event())
protocol.send_ping(b"\x00\x01")
driver.flush()
show(driver.event())
protocol.send_binary(b"bytes")
driver.flush()
print(
    [
        (frame.opcode.name, bytes(frame.data), frame.fin)
        for frame in (driver.event(), driver.event())
    ]
)
protocol.send_frame(Frame(Opcode.TEXT, b"by hand"))
driver.flush()
print(bytes(driver.event().data))
print(protocol.close_expected())
protocol.send_close(1000, "done")
driver.flush()
print(protocol.close_expected(), protocol.state.name)
while (event := driver.event()) is not None:
    show(event)
thread.join(10)
here.close()
print(protocol.state.name, protocol.close_code, protocol.close_reason, seen)
try:
    raise protocol.close_exc
except ConnectionClosed as exc:
    print(exc)
refused = ClientProtocol(parse_uri("ws://localhost/"))
refused.send_request(refused.connect())
refused.receive_data(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 3\r\n\r\nno\n")
refused.receive_eof()
print(isinstance(refused.handshake_exc, InvalidHandshake), refused.handshake_exc)
print(bytes(refused.handshake_exc.response.body))
broken = ServerProtocol(state=State.OPEN)
broken.receive_data(b"\x81\x02no")
print([data for data in broken.data_to_send() if not data], type(broken.parser_exc).__name__)
broken.receive_eof()
print(broken.close_code, broken.state.name)
