"""benchmarks/echo_server.c: the compiled server for the measurements of clients."""

import asyncio
from contextlib import suppress

import pytest

import ws6455
from benchmarks import load
from benchmarks.load import Message
from benchmarks.message import frame, payload, request

pytestmark = pytest.mark.usefixtures("compiler")


@pytest.mark.parametrize("compression", [None, "deflate"])
async def test_the_echo_server_sends_back_what_comes(compression: str | None) -> None:
    sizes = (0, 1, 7, 8, 125, 126, 1000, 65535, 65536, 3 << 20)
    messages = [data for n in sizes for data in (payload(n), payload(n).decode())]
    with load.start_echo_server() as port:
        uri = f"ws://127.0.0.1:{port}/"
        async with ws6455.connect(uri, compression=compression, max_size=None) as websocket:
            assert websocket.response is not None
            agreed = websocket.response.headers.get("Sec-WebSocket-Extensions")
            assert (agreed is not None) == (compression is not None)
            for message in messages:
                await websocket.send(message)
                assert await websocket.recv() == message
            sending = asyncio.create_task(_send_all(websocket, messages))
            assert [await websocket.recv() for _ in messages] == messages
            await sending
            await websocket.send([b"in ", b"", b"fragments"])
            assert await websocket.recv() == b"in fragments"
            await (await websocket.ping(b"still there?"))
            await websocket.close(4000, "enough")
        assert websocket.close_code == 4000
        assert websocket.close_reason == "enough"


async def _send_all(websocket: ws6455.ClientConnection, messages: list[str | bytes]) -> None:
    for message in messages:
        await websocket.send(message)


async def test_the_echo_server_takes_bytes_one_at_a_time() -> None:
    sent = [Message(5), Message(200), Message(70, text=True)]
    with load.start_echo_server() as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for byte in request(port) + b"".join(map(frame, sent)):
            writer.write(bytes([byte]))
            await asyncio.sleep(0)
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 101 ")
        # Sec-WebSocket-Accept for the example key of RFC 6455 §1.3.
        assert b"\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n" in head
        answers = b"\x82\x05" + payload(5) + b"\x82\x7e\0\xc8" + payload(200)
        answers += b"\x81\x46" + payload(70)
        assert await reader.readexactly(len(answers)) == answers
        writer.close()
        await writer.wait_closed()


@pytest.mark.parametrize("data", [b"GET / HTTP/1.1\r\n\r\n", b"\r\n\r\n", b"x" * 10_000])
async def test_the_echo_server_hangs_up_on_what_is_no_opening_handshake(data: bytes) -> None:
    with load.start_echo_server() as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(data)
        with suppress(ConnectionResetError):  # The server may stop reading early.
            assert await reader.read() == b""
        writer.close()
