"""The greeter's --trace: it shows the bytes on the wire and does not change them."""

import asyncio
import re

import websockets

from tests.apps.conftest import StartApp

FRAME = re.compile(
    r"([<>]) frame: opcode=(\w) \((\w+)\) fin=(\d) mask=(\w+) length=(\d+) payload=(.*)"
)


async def test_handshake_and_frames(start_app: StartApp) -> None:
    server = await start_app("greeter", "server", "--port", "0", "--token", "secret")
    url = await server.started()
    client = await start_app(
        "greeter", "client", url, "--token", "secret", "--trace", "--name", "Zo\u00eb"
    )
    out, err = await client.rest()
    assert (client.process.returncode, err) == (0, "")
    lines = out.splitlines()
    assert lines[0] == "> GET / HTTP/1.1"
    assert f"> Host: {url.removeprefix('ws://')}" in lines
    assert "> Upgrade: websocket" in lines
    assert "> Authorization: ***" in lines
    assert "< HTTP/1.1 101 Switching Protocols" in lines
    assert lines.count(">") == lines.count("<") == 1
    assert "secret" not in out

    frames = [match.groups() for match in map(FRAME.fullmatch, lines) if match]
    masks = [frame[4] for frame in frames]
    assert [frame[:4] + frame[5:] for frame in frames] == [
        (">", "1", "text", "1", "4", "'Zo\u00eb'"),
        ("<", "1", "text", "1", "11", "'Hello Zo\u00eb!'"),
        (">", "8", "close", "1", "2", "1000 ''"),
        ("<", "8", "close", "1", "2", "1000 ''"),
    ]
    assert masks[1] == masks[3] == "none"
    assert re.fullmatch(r"[0-9a-f]{8}", masks[0])
    assert re.fullmatch(r"[0-9a-f]{8}", masks[2])
    assert lines.index("Received: Hello Zo\u00eb!") > lines.index("Sent: Zo\u00eb")


async def test_all_kinds_of_frames(start_app: StartApp) -> None:
    long = "x" * 70_000

    async def say(connection: websockets.ServerConnection) -> None:
        await connection.recv()
        await connection.ping(b"\x01\x02")
        await connection.send(["Hel", "lo "])
        await connection.recv()
        await connection.send(b"\xff" * 200)
        await connection.recv()
        await connection.send(long)

    async with websockets.serve(say, "127.0.0.1", 0, compression=None) as server:
        url = f"ws://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}"
        client = await start_app("greeter", "client", url, "--trace")
        out, _ = await client.rest("a\nb\nc\n")
    frames = [match.groups() for match in map(FRAME.fullmatch, out.splitlines()) if match]
    received = [(name, fin, int(length), payload)
                for way, _, name, fin, _, length, payload in frames if way == "<"]  # fmt: skip
    assert received == [
        ("ping", "1", 2, "01 02"),
        ("text", "0", 3, "'Hel'"),
        ("continuation", "0", 3, "6c 6f 20"),
        ("continuation", "1", 0, "empty"),
        ("binary", "1", 200, " ".join(["ff"] * 64) + "..."),
        ("text", "1", 70_000, f"{'x' * 64!r}..."),
        ("close", "1", 2, "1000 ''"),
    ]
    assert (">", "A", "pong", "1", "2", "01 02") in [frame[:4] + frame[5:] for frame in frames]
    assert f"Received: {long}" in out.splitlines()


async def test_a_refusal_is_shown_whole(start_app: StartApp) -> None:
    server = await start_app("greeter", "server", "--port", "0", "--token", "secret")
    url = await server.started()
    client = await start_app("greeter", "client", url, "--trace", "--name", "Alice")
    out, err = await client.rest()
    assert "< HTTP/1.1 401 Unauthorized" in out.splitlines()
    assert out.splitlines()[-1] == "< The token is missing or wrong."
    assert err == f"{url} refused: 401 Unauthorized\n"
    assert client.process.returncode == 1


async def test_bytes_are_passed_on_however_they_arrive(start_app: StartApp) -> None:
    """Send the answer byte by byte, so that every head and frame arrives in parts."""

    async def tear(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        back_reader, back_writer = await asyncio.open_connection("127.0.0.1", port)

        async def forth() -> None:
            while chunk := await reader.read(4096):
                back_writer.write(chunk)
            back_writer.close()

        forwarding = asyncio.create_task(forth())
        while byte := await back_reader.read(1):
            writer.write(byte)
            await writer.drain()
            await asyncio.sleep(0)
        writer.close()
        await forwarding

    real = await start_app("greeter", "server", "--port", "0")
    port = int((await real.started()).rpartition(":")[2])
    async with await asyncio.start_server(tear, "127.0.0.1", 0) as server:
        url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        client = await start_app("greeter", "client", url, "--trace", "--name", "Alice")
        out, _ = await client.rest()
    assert "< HTTP/1.1 101 Switching Protocols" in out.splitlines()
    assert re.search(r"^< frame: .* length=12 payload='Hello Alice!'$", out, re.MULTILINE)
    assert "Received: Hello Alice!" in out.splitlines()
    assert client.process.returncode == 0
