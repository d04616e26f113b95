"""Prints what a program sees that has not imported `websockets` yet, as JSON.

Run by `python -m`, with the variables of `environment.VARIABLES` set: they are read when
`websockets` is imported.
"""

import asyncio
import json
from collections.abc import Iterator
from itertools import islice
from typing import Any

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
    """Return the status that a server answers a request with these headers with."""
    protocol = websockets.server.ServerProtocol()
    protocol.receive_data(b"\r\n".join([*REQUEST, *headers, b"", b""]))
    for event in protocol.events_received():
        protocol.send_response(protocol.accept(event))
    return int(b"".join(protocol.data_to_send()).split()[1])


def body_read(websockets: Any, size: int) -> int:
    """Return how much of a refusal's body of this size a client keeps."""
    protocol = websockets.client.ClientProtocol(websockets.uri.parse_uri("ws://localhost/"))
    protocol.send_request(protocol.connect())
    protocol.receive_data(b"HTTP/1.1 404 Not Found\r\nContent-Length: %d\r\n\r\n" % size)
    protocol.receive_data(b"x" * size)
    refusal = protocol.handshake_exc
    kept = isinstance(refusal, websockets.exceptions.InvalidStatus)
    return len(refusal.response.body) if kept else 0


def delays(websockets: Any) -> list[float]:
    """Return the first delays before a client connects again."""
    growing: Iterator[float] = websockets.client.backoff()
    return list(islice(growing, 4))


def close_code(websockets: Any, fragments: int) -> int:
    """Return the code that a server ends a connection with after a message in fragments."""

    async def send() -> int:
        async def handler(connection: Any) -> None:
            # To return closes with 1000.
            await connection.recv()

        serve, connect = websockets.asyncio.server.serve, websockets.asyncio.client.connect
        async with asyncio.timeout(5), serve(handler, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            async with connect(f"ws://127.0.0.1:{port}/") as connection:
                # An iterable's messages are followed by an empty fragment.
                await connection.send(["x"] * (fragments - 1))
                await connection.wait_closed()
                return int(connection.close_code)

    return asyncio.run(send())


def value(expression: str, words: dict[str, object]) -> object:
    """Return an expression's value; of one that fails, its error: the other rows go on."""
    try:
        result: object = eval(expression, words)
    except Exception as exc:
        return repr(exc)
    return result


def main() -> None:
    """Print which submodules a bare import lacks, and the values of every row by variable."""
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
