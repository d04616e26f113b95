"""Authentication by a subclass, as the documentation shows it: a token in the query."""

# As such programs are published: without annotations.
# mypy: ignore-errors

import asyncio
import http
import urllib.parse

import websockets


def get_query_param(path, key):
    query = urllib.parse.urlparse(path).query
    params = urllib.parse.parse_qs(query)
    values = params.get(key, [])
    return values[0] if len(values) == 1 else None


class QueryParamProtocol(websockets.WebSocketServerProtocol):
    async def process_request(self, path, headers):
        token = get_query_param(path, "token")
        if token is None:
            return http.HTTPStatus.UNAUTHORIZED, [], b"Missing token\n"
        if token != "secret":
            return http.HTTPStatus.UNAUTHORIZED, [], b"Invalid token\n"
        self.user = "alice"
        return None


async def handler(websocket):
    print(isinstance(websocket, websockets.WebSocketServerProtocol), type(websocket).__name__)
    await websocket.send(f"Hello {websocket.user}!")


async def main():
    async with websockets.serve(
        handler, "localhost", 0, create_protocol=QueryParamProtocol
    ) as server:
        uri = f"ws://localhost:{server.sockets[0].getsockname()[1]}/"
        for query in ("", "?token=wrong", "?token=secret"):
            try:
                async with websockets.connect(uri + query) as websocket:
                    print(await websocket.recv())
            except websockets.InvalidStatusCode as exc:
                print(exc.status_code, exc.headers["Content-Length"], str(exc))


asyncio.run(main())
