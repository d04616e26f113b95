"""Health checks and authentication with requests and responses."""

# As such programs are published: without annotations.
# mypy: ignore-errors

import asyncio
import http
from http.cookies import SimpleCookie
from urllib.parse import parse_qs, urlsplit

import websockets
from websockets.asyncio.client import connect
from websockets.asyncio.server import serve
from websockets.datastructures import Headers
from websockets.http11 import Response


def health_check(connection, request):
    if request.path == "/healthz":
        return connection.respond(http.HTTPStatus.OK, "OK\n")
    if request.path == "/custom":
        return Response(418, "Teapot", Headers({"X-Tea": "green", "Content-Length": "0"}))
    return None


async def cookie_auth(connection, request):
    if (answer := health_check(connection, request)) is not None:
        return answer
    token = parse_qs(urlsplit(request.path).query).get("token", [None])[0]
    cookie = SimpleCookie(request.headers.get("Cookie", ""))
    if "sessionid" in cookie:
        token = cookie["sessionid"].value
    if token is None:
        return connection.respond(http.HTTPStatus.UNAUTHORIZED, "Missing token\n")
    connection.username = {"t1": "alice"}.get(token, "nobody")
    return None


async def add_header(connection, request, response):
    response.headers["X-Status"] = str(response.status_code)


async def handler(websocket):
    await websocket.send(f"Hello {websocket.username}!")


async def main():
    async with serve(
        handler, "localhost", 0, process_request=cookie_auth, process_response=add_header
    ) as server:
        uri = f"ws://localhost:{server.sockets[0].getsockname()[1]}"
        for path in ("/healthz", "/custom", "/"):
            try:
                await connect(uri + path)
            except websockets.exceptions.InvalidStatus as exc:
                response = exc.response
                print(response.status_code, response.reason_phrase, bytes(response.body), exc)
                print(response.headers.get("Content-Type"), response.headers.get("X-Tea"))
        for path, headers in (("/?token=t1", {}), ("/", {"Cookie": "sessionid=t2; a=b"})):
            async with connect(uri + path, additional_headers=headers) as websocket:
                print(await websocket.recv(), websocket.response.headers["X-Status"])


asyncio.run(main())
