"""Tests of ``connect`` with pipes: messages, output, errors, exit status."""

import asyncio
import signal
import ssl
import time

import pytest
import websockets

from tests.aio.conftest import contexts as contexts
from tests.aio.test_tunnel import proxied
from tests.cli.conftest import BARE, Start, echo_and_close, serving
from ws6455 import Request, Response, ServerConnection

CLOSED_BY_SERVER = "connection closed: received 1000 (OK); then sent 1000 (OK)\n"
CLOSED_BY_US = "connection closed: sent 1000 (OK); then received 1000 (OK)\n"


async def test_lines_are_sent_and_answers_printed(start: Start) -> None:
    async with serving(echo_and_close(4)) as uri:
        command = await start("connect", uri, "--wait", "inf")
        # The last line has no line ending, one ends with CRLF, and an empty one is a message.
        result = await command.rest("one\nZo\u00eb\r\n\nlast".encode())
    assert result == (0, "one\nZo\u00eb\n\nlast\n".encode(), CLOSED_BY_SERVER)


async def test_with_the_real_websockets_and_by_the_uri_alone(start: Start) -> None:
    async def echo_twice(connection: websockets.ServerConnection) -> None:
        for _ in range(2):
            await connection.send(await connection.recv())

    async with websockets.serve(echo_twice, "127.0.0.1", 0) as server:
        uri = f"ws://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}"
        command = await start(uri, "--wait", "inf")
        result = await command.rest(b"one\ntwo\n")
    assert result == (0, b"one\ntwo\n", CLOSED_BY_SERVER)


async def test_messages_are_printed_as_they_come_and_lines_sent_as_they_are_typed(
    start: Start,
) -> None:
    async with serving() as uri:
        command = await start("connect", uri, "--wait", "0")
        for line in ("one", "two"):
            await command.type(f"{line}\n".encode())
            assert await command.line() == line
        # A split character is sent once it is complete.
        await command.type(b"Zo\xc3")
        await command.type(b"\xab\n")
        assert await command.line() == "Zo\u00eb"
        assert await command.rest() == (0, b"", CLOSED_BY_US)


async def test_it_waits_for_answers_until_they_cease(start: Start) -> None:
    silences = []

    async def count(connection: ServerConnection) -> None:
        await connection.recv()
        for number in range(4):
            await asyncio.sleep(0.1)
            await connection.send(str(number))
        last = time.monotonic()
        await connection.wait_closed()
        silences.append(time.monotonic() - last)

    async with serving(count) as uri:
        command = await start("connect", uri, "--wait", "1")
        result = await command.rest(b"go\n")
    assert result == (0, b"0\n1\n2\n3\n", CLOSED_BY_US)
    assert silences[0] > 0.95  # counted from the last answer, not from the first


async def test_it_can_wait_for_the_server_to_close(start: Start) -> None:
    ended = asyncio.Event()

    async def news(connection: ServerConnection) -> None:
        await connection.send("first")
        await ended.wait()
        await connection.send("last")
        await connection.close(1001, "enough")

    async with serving(news) as uri:
        command = await start("connect", uri, "--wait", "inf")
        assert command.process.stdin is not None
        command.process.stdin.close()
        assert await command.line() == "first"
        ended.set()
        status, out, err = await command.rest()
    assert (status, out) == (0, b"last\n")
    closed = "received 1001 (going away) enough; then sent 1001 (going away) enough"
    assert err == f"connection closed: {closed}\n"


@pytest.mark.parametrize(("code", "status"), [(1000, 0), (1001, 0), (1011, 1), (4000, 1)])
async def test_the_status_tells_whether_it_was_closed_as_it_should_be(
    start: Start, code: int, status: int
) -> None:
    async def leave(connection: ServerConnection) -> None:
        await connection.send("bye")
        await connection.close(code, "because")

    async with serving(leave) as uri:
        command = await start("connect", uri)
        assert await command.line() == "bye"
        # The server's Close ends the command although the input is still open.
        last = await command.error_line()
        async with asyncio.timeout(10):
            assert await command.process.wait() == status
    assert last.startswith(f"connection closed: received {code} ")
    assert " because; then sent " in last


async def test_binary_is_hexadecimal_among_text(start: Start) -> None:
    async def mixed(connection: ServerConnection) -> None:
        await connection.send(b"\x00\xff\n")
        await connection.send("text")
        await connection.send(b"")

    async with serving(mixed) as uri:
        command = await start("connect", uri, "--wait", "inf")
        assert (await command.rest())[:2] == (0, b"00 ff 0a\ntext\n\n")


async def test_bytes_go_through_as_they_are(start: Start) -> None:
    data = bytes(range(256)) * 1000
    async with serving(echo_and_close(len(data))) as uri:
        command = await start("connect", uri, "--binary", "--wait", "inf")
        # The handler counts Text by messages, and would wait for more.
        assert await command.rest(data) == (0, data, CLOSED_BY_SERVER)


async def test_input_that_is_not_text_is_refused(start: Start) -> None:
    async with serving() as uri:
        command = await start("connect", uri)
        status, out, err = await command.rest(b"\xff\n")
    error = "ws6455 connect: the input is not UTF-8 (use --binary to send bytes)\n"
    assert (status, out, err) == (1, b"", CLOSED_BY_US + error)


async def test_what_it_asks_the_server_for(start: Start) -> None:
    requests = []

    async def note(connection: ServerConnection) -> None:
        assert connection.request is not None
        requests.append(connection.request)
        await connection.send(str(connection.subprotocol))

    async with serving(note, subprotocols=["two"]) as uri:
        arguments = ["--header", "X-One: 1", "--header", "X-One: 2", "--header", "User-Agent: me"]
        arguments += ["--origin", "https://example.com", "--no-compression", "--verbose"]
        arguments += ["--subprotocol", "one", "--subprotocol", "two", "--wait", "inf"]
        command = await start("connect", f"{uri}/path", *arguments)
        status, out, err = await command.rest()
    assert (status, out) == (0, b"two\n")
    assert f"connected to {uri}/path, with the subprotocol two\n" in err
    (request,) = requests
    assert request.path == "/path"
    assert request.headers.get_all("X-One") == ["1", "2"]
    assert request.headers.get_all("User-Agent") == ["me"]
    assert request.headers["Origin"] == "https://example.com"
    assert request.headers["Sec-WebSocket-Protocol"] == "one, two"
    assert "Sec-WebSocket-Extensions" not in request.headers


@pytest.mark.parametrize(("limit", "status"), [("9", 1), ("10", 0), ("0", 0)])
async def test_the_largest_message(start: Start, limit: str, status: int) -> None:
    async with serving(echo_and_close(1)) as uri:
        command = await start("connect", uri, "--max-size", limit, "--wait", "inf")
        got, out, err = await command.rest(b"0123456789\n")
    assert got == status
    assert out == (b"" if status else b"0123456789\n")
    assert ("sent 1009 (message too big)" in err) == bool(status)


async def test_pings_at_an_interval(start: Start) -> None:
    async with serving() as uri:
        command = await start("connect", uri, "--ping", "0.05", "--trace")
        pongs = 0
        while pongs < 3:
            pongs += "answers the ping of" in await command.error_line()
        assert (await command.rest())[0] == 0


async def test_only_told_so_it_trusts_any_certificate(
    start: Start, contexts: tuple[ssl.SSLContext, ssl.SSLContext]
) -> None:
    async with serving(echo_and_close(1), ssl=contexts[0]) as uri:
        uri = uri.replace("ws:", "wss:")
        refusing = await start("connect", uri)
        status, out, err = await refusing.rest(b"hello\n")
        assert (status, out) == (1, b"")
        assert err.startswith(f"ws6455 connect: cannot reach {uri}: its certificate is not trusted")
        assert err.count("\n") == 1
        command = await start("connect", uri, "--insecure", "--wait", "inf")
        assert await command.rest(b"hello\n") == (0, b"hello\n", CLOSED_BY_SERVER)


async def test_a_refusal_is_one_line_and_status_1(start: Start) -> None:
    def refuse(connection: ServerConnection, request: Request) -> Response:
        return connection.respond(403, "Not you.\n")

    async with serving(process_request=refuse) as uri:
        command = await start("connect", uri)
        error = f"ws6455 connect: {uri} refused: 403 Forbidden\n"
        assert await command.rest() == (1, b"", error)


async def test_nothing_in_a_refusal_can_steer_the_terminal(start: Start) -> None:
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        # 9B is ESC [ in one byte.
        writer.write(b"HTTP/1.1 403 \x9b2JNo\r\nLocation: /\x9b2J\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(refuse, "127.0.0.1", 0) as server:
        uri = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        status, _, err = await (await start("connect", uri)).rest()
    assert (status, err) == (1, f"ws6455 connect: {uri} refused: 403 \ufffd2JNo, to /\ufffd2J\n")


async def test_nothing_in_the_log_can_steer_the_terminal(start: Start) -> None:
    def redirect(connection: ServerConnection, request: Request) -> Response | None:
        if request.path != "/":
            return None
        response = connection.respond(302, "")
        response.headers["Location"] = "/\x9b2J"
        return response

    async with serving(process_request=redirect) as uri:
        _, _, err = await (await start("connect", uri, "--verbose")).rest()
    assert err.startswith(f"redirected to {uri}/%9B2J\nconnected to {uri}")


async def test_a_server_without_tls_is_one_line_and_status_1(start: Start) -> None:
    async with serving() as uri:
        uri = uri.replace("ws:", "wss:")
        status, out, err = await (await start("connect", uri)).rest()
    assert (status, out, err.count("\n")) == (1, b"", 1)
    assert err.startswith(f"ws6455 connect: cannot reach {uri}: TLS failed: ")


async def test_what_speaks_no_http_is_one_line_and_status_1(start: Start) -> None:
    async def babble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"220 mail.example ESMTP\r\n")
        writer.close()

    async with await asyncio.start_server(babble, "127.0.0.1", 0) as server:
        uri = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        status, out, err = await (await start("connect", uri)).rest()
    assert (status, out) == (1, b"")
    assert err.startswith(f"ws6455 connect: {uri} does not answer as a WebSocket server: ")
    assert err.count("\n") == 1


async def test_through_a_proxy(start: Start) -> None:
    asked = []

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readline())
        writer.write(b"HTTP/1.1 403 Forbidden\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(refuse, "127.0.0.1", 0) as server:
        proxy = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        command = await start("connect", "ws://server.example", "--proxy", proxy)
        status, _, err = await command.rest()
    assert asked == [b"CONNECT server.example:80 HTTP/1.1\r\n"]
    assert (status, err.count("\n")) == (1, 1)
    assert err.startswith("ws6455 connect: cannot reach ws://server.example: ")
    assert "403" in err


async def test_through_a_socks_proxy(start: Start) -> None:
    async with proxied("socks") as (proxy, _):
        address = f"socks5h://user:pass@127.0.0.1:{proxy.port}"
        command = await start("connect", "ws://server.example", "--proxy", address)
        assert await command.rest(b"hello\n") == (0, b"hello\n", CLOSED_BY_US)
    assert proxy.asked == ["user:pass", "server.example:80"]


async def test_a_socks_proxy_without_its_package(start: Start) -> None:
    bare = BARE.replace("prompt_toolkit", "python_socks")
    arguments = ("connect", "ws://server.example", "--proxy", "socks5h://127.0.0.1")
    status, _, err = await (await start(*arguments, launcher=("-c", bare))).rest()
    what = "a SOCKS proxy needs python-socks: pip install 'ws6455[socks]'"
    assert (status, err) == (2, f"ws6455 connect: {what}\n")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
async def test_a_signal_closes_the_connection(start: Start, number: signal.Signals) -> None:
    ends = []

    async def listen(connection: ServerConnection) -> None:
        await connection.send("ready")
        await connection.wait_closed()
        ends.append(connection.close_code)

    async with serving(listen) as uri:
        command = await start("connect", uri)
        assert await command.line() == "ready"
        status, err = await command.stop(number)
    closed = "sent 1001 (going away); then received 1001 (going away)"
    assert (status, err, ends) == (128 + number, f"connection closed: {closed}\n", [1001])


async def test_a_second_ctrl_c_waits_for_nobody(start: Start) -> None:
    stopped = asyncio.Event()

    async def ignore_the_close(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        key = head.partition("Sec-WebSocket-Key: ")[2].partition("\r\n")[0]
        accept = websockets.utils.accept_key(key)
        writer.write(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + accept.encode() + b"\r\n\r\n\x81\x02hi"
        )
        assert (await reader.readexactly(1)) == b"\x88"
        command.process.send_signal(signal.SIGINT)
        await stopped.wait()
        writer.close()

    async with await asyncio.start_server(ignore_the_close, "127.0.0.1", 0) as server:
        uri = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        command = await start("connect", uri)
        assert await command.line() == "hi"
        status, err = await command.stop(signal.SIGINT)
        stopped.set()
    # If it had waited, it would print how the connection was closed.
    assert (status, err) == (130, "")


async def test_a_reader_that_goes_is_no_traceback(start: Start) -> None:
    async def chatter(connection: ServerConnection) -> None:
        while True:
            await connection.send("x" * 10_000)

    async with serving(chatter) as uri:
        command = await start("connect", uri)
        assert command.process.stderr is not None
        await command.line()
        command.stop_reading(1)
        async with asyncio.timeout(20):
            err = await command.process.stderr.read()
            assert await command.process.wait() == 141
    assert err.startswith(b"connection closed: sent 1000 (OK)")
    assert err.count(b"\n") == 1


async def test_a_reader_of_the_trace_that_goes_ends_it(start: Start) -> None:
    async with serving() as uri:
        command = await start("connect", uri, "--trace", "--wait", "inf")
        await command.error_line()
        command.stop_reading(2)
        await command.type(b"hello\n")
        async with asyncio.timeout(20):
            assert await command.process.wait() == 141


IN_A_SHELL = "import os, sys; os.execvp('sh', ['sh', '-c', sys.argv[1], sys.executable])"


@pytest.mark.parametrize(
    ("redirection", "wait", "expected"),
    [
        ("<&-", "0", (0, b"", CLOSED_BY_US)),
        (">&-", "inf", (0, b"", CLOSED_BY_SERVER)),
        ("2>&-", "inf", (0, b"hello\n", "")),
    ],
    ids=["input", "output", "error"],
)
async def test_a_standard_stream_that_is_closed(
    start: Start, redirection: str, wait: str, expected: tuple[int, bytes, str]
) -> None:
    async with serving(echo_and_close(1)) as uri:
        shell_line = f'exec "$0" -m ws6455 connect {uri} --wait {wait} {redirection}'
        command = await start(shell_line, launcher=("-c", IN_A_SHELL))
        assert await command.rest(b"hello\n") == expected


async def test_a_full_disk_is_one_line_and_status_1(start: Start) -> None:
    async with serving() as uri:
        shell_line = f'exec "$0" -m ws6455 connect {uri} --wait inf > /dev/full'
        command = await start(shell_line, launcher=("-c", IN_A_SHELL))
        status, _, err = await command.rest(b"hello\n")
    assert status == 1
    assert err.splitlines()[1:] == ["ws6455 connect: no space left on device"]
