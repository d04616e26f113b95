"""A client of WebSocket over HTTP/2 (RFC 8441), without TLS."""

import socket

import h2.config
import h2.connection
import h2.events
import h2.settings

from ws6455 import Frame

__all__ = ["HTTP2Client"]


class HTTP2Client:
    """A WebSocket on one stream of HTTP/2, without TLS (RFC 8441).

    Args:
        sock: a connected socket.
    """

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._http = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding="utf-8"))
        self._data = b""

    def open(self) -> dict[str, str]:
        """Send an extended CONNECT; return the headers of the response."""
        self._http.initiate_connection()
        self._sock.sendall(self._http.data_to_send())
        enabled = h2.settings.SettingCodes.ENABLE_CONNECT_PROTOCOL
        while not self._http.remote_settings.get(enabled):
            self._receive()
        self._stream = self._http.get_next_available_stream_id()
        self._http.send_headers(
            self._stream,
            [
                (":method", "CONNECT"),
                (":protocol", "websocket"),
                (":scheme", "http"),
                (":path", "/chat"),
                (":authority", "h2.example"),
                ("sec-websocket-version", "13"),
            ],
        )
        self._sock.sendall(self._http.data_to_send())
        while True:
            for event in self._receive():
                if isinstance(event, h2.events.ResponseReceived):
                    return {str(name): str(value) for name, value in event.headers or ()}

    def send(self, *frames: Frame) -> None:
        data = b"".join(frame.serialize(mask=True) for frame in frames)
        while data:
            size = min(
                self._http.local_flow_control_window(self._stream),
                self._http.max_outbound_frame_size,
            )
            if not size:
                self._receive()
                continue
            self._http.send_data(self._stream, data[:size])
            self._sock.sendall(self._http.data_to_send())
            data = data[size:]

    def read(self, size: int) -> bytes:
        """Return bytes of the stream."""
        while len(self._data) < size:
            self._receive()
        data, self._data = self._data[:size], self._data[size:]
        return data

    def _receive(self) -> list[h2.events.Event]:
        data = self._sock.recv(1 << 16)
        assert data, "HTTP/2 connection closed"
        events = self._http.receive_data(data)
        for event in events:
            if isinstance(event, h2.events.DataReceived):
                self._data += event.data or b""
                self._http.acknowledge_received_data(event.flow_controlled_length or 0, 1)
        self._sock.sendall(self._http.data_to_send())
        return events
