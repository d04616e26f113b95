"""Print the effects of the environment variables as JSON.

Run it by `python -m` with the variables of `environment.VARIABLES` set. They are read when
`websockets` is imported, so this program must be a process of its own.
"""

import asyncio
import json
from collections.abc import Iterator
from itertools import islice
from typing import Any
from unittest import mock

from tests.compat.table.environment import VARIABLES
from tests.compat.table.top_level import SUBMODULES
from ws6455 import compat

REQUEST = [
    b"GET / HTTP/1.1",
    b"Host: localhost",
    b"Upgrade: websocket",
    b"Connection: Upgrade",
    b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
    b"Sec-WebSocket-Version: 13",
]


def status_of(websockets: Any, *headers: bytes) -> int:
    """Return the status of a server's response to a request with additional headers."""
    protocol = websockets.server.ServerProtocol()
    protocol.receive_data(b"\r\n".join([*REQUEST, *headers, b"", b""]))
    for event in protocol.events_received():
        protocol.send_response(protocol.accept(event))
    return int(b"".join(protocol.data_to_send()).split()[1])


def body_read(websockets: Any, size: int) -> int:
    """Return the number of bytes that a client keeps of a rejection's body of a given size."""
    protocol = websockets.client.ClientProtocol(websockets.uri.parse_uri("ws://localhost/"))
    protocol.send_request(protocol.connect())
    protocol.receive_data(b"HTTP/1.1 404 Not Found\r\nContent-Length: %d\r\n\r\n" % size)
    protocol.receive_data(b"x" * size)
    refusal = protocol.handshake_exc
    kept = isinstance(refusal, websockets.exceptions.InvalidStatus)
    return len(refusal.response.body) if kept else 0


def delays(websockets: Any) -> list[float]:
    """Return the upper bounds of the first delays between reconnection attempts."""
    growing: Iterator[float] = websockets.client.backoff()
    with mock.patch("random.uniform", lambda low, high: high):
        return list(islice(growing, 4))


def close_code(websockets: Any, fragments: int) -> int:
    """Return the close code of a server after a message in a number of fragments."""

    async def send() -> int:
        async def handler(connection: Any) -> None:
            # The connection is closed with 1000 when the handler returns.
            await connection.recv()

        serve, connect = websockets.asyncio.server.serve, websockets.asyncio.client.connect
        async with asyncio.timeout(5), serve(handler, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            async with connect(f"ws://127.0.0.1:{port}/") as connection:
                # The items of an iterable are followed by an empty final fragment.
                await connection.send(["x"] * (fragments - 1))
                await connection.wait_closed()
                return int(connection.close_code)

    return asyncio.run(send())


def value(expression: str, words: dict[str, object]) -> object:
    """Return the value of an expression, or the error's repr if it fails."""
    try:
        result: object = eval(expression, words)
    except Exception as exc:
        return repr(exc)
    return result


def main() -> None:
    """Print the submodules that a bare import lacks, and the value of each row by variable."""
    compat.install()
    import websockets

    lacking = [name for name in SUBMODULES.split() if not hasattr(websockets, name)]
    words = {
        "body_read": lambda size: body_read(websockets, size),
        "close_code": lambda fragments: close_code(websockets, fragments),
        "delays": lambda: delays(websockets),
        "status_of": lambda *headers: status_of(websockets, *headers),
        "websockets": websockets,
    }
    values = {name: value(row.expression, words) for name, row in VARIABLES.items()}
    print(json.dumps({"lacking": lacking, "values": values}))


if __name__ == "__main__":
    main()
