"""What programs drive by hand: frames, heads, readers, extensions, lazy names."""

import asyncio
import socket
import types
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import pytest

import ws6455
from tests.aio.raw import uri_of
from tests.compat.conftest import OURS, running

# Frames ---------------------------------------------------------------------------------


def reader_of(data: bytes) -> Any:
    stream = asyncio.StreamReader()
    stream.feed_data(data)
    stream.feed_eof()
    return stream


@pytest.mark.parametrize("mask", [True, False])
@pytest.mark.parametrize("size", [0, 5, 126, 70_000])
async def test_a_frame_is_read_as_it_was_written(websockets: Any, mask: bool, size: int) -> None:
    for framing in (websockets.framing, websockets.legacy.framing):
        written = bytearray()
        frame = framing.Frame(True, framing.OP_BINARY, b"x" * size)
        frame.write(written.extend, mask=mask)
        stream = reader_of(bytes(written) + b"rest")
        assert await framing.Frame.read(stream.readexactly, mask=mask) == frame
        assert await stream.read() == b"rest"
        assert tuple(frame) == (True, 2, b"x" * size, False, False, False)
        assert str(frame) == str(frame.new_frame)


async def test_a_frame_that_breaks_a_rule_is_refused(websockets: Any) -> None:
    read = websockets.framing.Frame.read
    with pytest.raises(websockets.PayloadTooBig):
        await read(reader_of(b"\x82\x05hello").readexactly, mask=False, max_size=4)
    with pytest.raises(websockets.ProtocolError, match="reserved bits"):
        await read(reader_of(b"\xc2\x00").readexactly, mask=False)
    with pytest.raises(websockets.ProtocolError, match="masking"):
        await read(reader_of(b"\x82\x00\x00\x00\x00\x00").readexactly, mask=True)
    with pytest.raises(websockets.ProtocolError, match="fragmented control frame"):
        websockets.framing.Frame(False, websockets.framing.OP_PING, b"").check()
    with pytest.raises(websockets.ProtocolError, match="reserved bits"):
        websockets.framing.Frame(True, websockets.framing.OP_TEXT, b"", rsv2=True).check()


async def test_a_frame_goes_through_extensions(websockets: Any) -> None:
    client, server = negotiated(websockets)
    frame = websockets.framing.Frame(True, websockets.framing.OP_TEXT, b"hello " * 100)
    written = bytearray()
    frame.write(written.extend, mask=True, extensions=[client])
    assert len(written) < 100
    reader = reader_of(bytes(written)).readexactly
    assert await websockets.framing.Frame.read(reader, mask=True, extensions=[server]) == frame


def test_payloads_are_prepared_and_parsed(websockets: Any) -> None:
    framing = websockets.framing
    assert framing.prepare_data("é") == (ws6455.Opcode.TEXT, "é".encode())
    assert framing.prepare_data(bytearray(b"x")) == (ws6455.Opcode.BINARY, b"x")
    assert framing.prepare_ctrl("é") == framing.encode_data("é") == "é".encode()
    with pytest.raises(TypeError, match="not int"):
        framing.prepare_ctrl(3)
    assert framing.parse_close(framing.serialize_close(1000, "bye")) == (1000, "bye")
    with pytest.raises(websockets.WebSocketProtocolError):
        framing.parse_close(b"x")


def test_masking_takes_any_bytes(websockets: Any) -> None:
    for apply_mask in (websockets.utils.apply_mask, websockets.speedups.apply_mask):
        assert apply_mask(data=memoryview(b"abcde"), mask=bytearray(b"\x01\x02\x03\x04")) == (
            b"\x60\x60\x60\x60\x64"
        )
        with pytest.raises(ValueError, match="4 bytes"):
            apply_mask(b"a", b"b")


# The opening handshake ------------------------------------------------------------------


def test_both_sides_of_a_handshake_by_hand(websockets: Any) -> None:
    for handshake in (websockets.handshake, websockets.legacy.handshake):
        request, response = websockets.Headers(), websockets.Headers()
        key = handshake.build_request(request)
        assert handshake.check_request(request) == key
        handshake.build_response(response, key)
        handshake.check_response(response, key)
        with pytest.raises(websockets.InvalidHeaderValue):
            handshake.check_response(response, websockets.client.generate_key())
        del request["Upgrade"]
        with pytest.raises(websockets.InvalidUpgrade):
            handshake.check_request(request)


async def test_heads_are_read_from_a_stream(websockets: Any) -> None:
    http = websockets.legacy.http
    stream = reader_of(b"GET /path HTTP/1.1\r\nHost: here\r\n\r\nrest")
    path, headers = await websockets.http.read_request(stream)
    assert (path, dict(headers), await stream.read()) == ("/path", {"host": "here"}, b"rest")
    status, reason, headers = await http.read_response(
        reader_of(b"HTTP/1.1 403 Forbidden\r\nA: b\r\n\r\n")
    )
    assert (status, reason, headers["A"]) == (403, "Forbidden", "b")
    assert dict(await http.read_headers(reader_of(b"A: b\r\n\r\n"))) == {"a": "b"}
    assert dict(await http.read_headers(reader_of(b"\r\n"))) == {}
    with pytest.raises(EOFError):
        await http.read_request(reader_of(b"GET / HTTP/1.1\r\n"))
    with pytest.raises(websockets.SecurityError):
        await http.read_request(reader_of(b"GET /" + b"x" * 9000 + b" HTTP/1.1\r\n"))


def test_a_request_for_a_tunnel(websockets: Any) -> None:
    proxy = websockets.proxy.parse_proxy("http://user:pw@proxy:8080")
    uri = websockets.uri.parse_uri("wss://example.com/")
    lines = websockets.proxy.prepare_connect_request(proxy, uri, "agent").split(b"\r\n")
    assert lines[0] == b"CONNECT example.com:443 HTTP/1.1"
    assert b"User-Agent: agent" in lines
    assert any(line.startswith(b"Proxy-Authorization: Basic ") for line in lines)


# Extensions -----------------------------------------------------------------------------


def negotiated(websockets: Any, **options: Any) -> tuple[Any, Any]:
    """Give the client's and the server's extension."""
    module = websockets.extensions.permessage_deflate
    client = module.ClientPerMessageDeflateFactory(**options)
    server = module.ServerPerMessageDeflateFactory()
    answer, at_server = server.process_request_params(client.get_request_params(), [])
    return client.process_response_params(answer, []), at_server


@pytest.mark.parametrize("options", [{}, {"server_no_context_takeover": True}])
def test_frames_are_compressed_and_decompressed(websockets: Any, options: Any) -> None:
    client, server = negotiated(websockets, **options)
    text, cont = ws6455.Opcode.TEXT, ws6455.Opcode.CONT
    for sender, receiver in ((client, server), (server, client)) * 2:
        for frames in (
            [websockets.Frame(text, b"hello " * 100)],
            [websockets.Frame(text, b"hel" * 99, fin=False), websockets.Frame(cont, b"lo" * 99)],
            [websockets.Frame(text, b"")],
            [websockets.Frame(ws6455.Opcode.PING, b"ping")],
        ):
            sent = [sender.encode(frame) for frame in frames]
            assert [frame.rsv1 for frame in sent] == [f.opcode is text for f in frames]
            assert [receiver.decode(frame) for frame in sent] == frames
    plain = websockets.Frame(text, b"plain")
    assert server.decode(plain) is plain


def test_a_frame_that_inflates_too_far_is_refused(websockets: Any) -> None:
    client, server = negotiated(websockets)
    bomb = client.encode(websockets.Frame(ws6455.Opcode.BINARY, bytes(1 << 20)))
    with pytest.raises(websockets.PayloadTooBig):
        server.decode(bomb, max_size=1000)
    with pytest.raises(websockets.ProtocolError):
        server.decode(websockets.Frame(ws6455.Opcode.CONT, b"", rsv1=True))


def test_permessage_deflate_is_enabled_once_and_accepted_once(websockets: Any) -> None:
    module = websockets.extensions.permessage_deflate
    for enable in (
        module.enable_client_permessage_deflate,
        module.enable_server_permessage_deflate,
    ):
        (factory,) = enable(None)
        assert factory.name == "permessage-deflate"
        assert enable([factory]) == [factory]
    accepted = negotiated(websockets)
    with pytest.raises(websockets.NegotiationError):
        module.ServerPerMessageDeflateFactory().process_request_params([], accepted)
    with pytest.raises(websockets.NegotiationError):
        module.ClientPerMessageDeflateFactory().process_response_params([], accepted)


async def test_a_factory_of_theirs_serves_a_connection(websockets: Any) -> None:
    module = websockets.extensions.permessage_deflate

    async def echo(websocket: Any) -> None:
        async for message in websocket:
            await websocket.send(message)

    extensions = [module.ServerPerMessageDeflateFactory(server_max_window_bits=10)]
    async with (
        websockets.serve(echo, "127.0.0.1", 0, extensions=extensions) as server,
        websockets.connect(
            uri_of(server), extensions=[module.ClientPerMessageDeflateFactory()]
        ) as websocket,
    ):
        (extension,) = websocket.extensions
        assert isinstance(extension, module.PerMessageDeflate)
        assert extension.remote_max_window_bits == 10
        await websocket.send("hello")
        assert await websocket.recv() == "hello"


@pytest.mark.parametrize("name", ["Extension", "ClientExtensionFactory", "ServerExtensionFactory"])
def test_the_bases_only_say_what_there_must_be(websockets: Any, name: str) -> None:
    base = getattr(websockets.extensions, name)()
    methods: dict[str, list[tuple[str, tuple[Any, ...]]]] = {
        "Extension": [("decode", (None,)), ("encode", (None,))],
        "ClientExtensionFactory": [
            ("get_request_params", ()),
            ("process_response_params", ([], [])),
        ],
        "ServerExtensionFactory": [("process_request_params", ([], []))],
    }
    for method, arguments in methods[name]:
        # As in the original: an extension of a program's own has to have these.
        with pytest.raises(NotImplementedError):
            getattr(base, method)(*arguments)


# Readers --------------------------------------------------------------------------------


def result_of(reading: Generator[None, None, Any], feed: Callable[[], None] = lambda: None) -> Any:
    """Run a reader's generator; `feed` is called whenever it waits."""
    while True:
        try:
            next(reading)
        except StopIteration as stop:
            return stop.value
        feed()


def test_a_stream_reader_waits_for_bytes(websockets: Any) -> None:
    reader = websockets.streams.StreamReader()
    rest = iter([b"li", b"ne\nexact", b"ly", b"to the "])
    assert result_of(reader.read_line(10), lambda: reader.feed_data(next(rest))) == b"line\n"
    assert result_of(reader.read_exact(7), lambda: reader.feed_data(next(rest))) == b"exactly"
    ending = reader.read_to_eof(10)
    next(ending)
    reader.feed_data(next(rest))
    next(ending)
    reader.feed_data(b"end")
    reader.feed_eof()
    assert result_of(ending) == b"to the end"
    assert result_of(reader.at_eof()) is True
    for feed in (reader.feed_eof, lambda: reader.feed_data(b"more")):
        with pytest.raises(EOFError):
            feed()


def test_a_stream_reader_keeps_its_limits(websockets: Any) -> None:
    reader = websockets.streams.StreamReader()
    reader.feed_data(b"too long")
    for reading in (reader.read_line(7, LookupError), reader.read_to_eof(7, LookupError)):
        with pytest.raises(LookupError, match="8 bytes, expected at most 7"):
            next(reading)
    assert result_of(reader.at_eof()) is False
    reader.discard()
    reader.feed_data(b"short")
    reader.feed_eof()
    for reading in (reader.read_line(7), reader.read_exact(6)):
        with pytest.raises(EOFError, match="after 5 bytes"):
            next(reading)


# Other parts ----------------------------------------------------------------------------


def test_lazy_names_of_a_program_s_own_package(websockets: Any) -> None:
    module = types.ModuleType("ws6455.own")
    websockets.imports.lazy_import(
        vars(module), {"State": "ws6455.protocol.protocol"}, {"Old": "ws6455.protocol.protocol"}
    )
    assert module.State is ws6455.State
    assert "State" in vars(module)
    assert {"State", "Old"} <= set(dir(module))
    with (
        pytest.warns(DeprecationWarning, match=r"ws6455\.own\.Old is deprecated"),
        pytest.raises(AttributeError),
    ):
        _ = module.Old
    with pytest.raises(AttributeError, match="no attribute 'missing'"):
        _ = module.missing
    for aliases, deprecated in (({"State": "a"}, {}), ({"x": "a"}, {"x": "b"})):
        with pytest.raises(AttributeError, match="there already"):
            websockets.imports.lazy_import(vars(module), aliases, deprecated)


def test_the_name_of_a_socket(websockets: Any, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        port = sock.getsockname()[1]
        assert websockets.utils.get_socket_name(sock) == f"127.0.0.1:{port}"
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(str(tmp_path / "socket"))
        assert websockets.utils.get_socket_name(sock) == str(tmp_path / "socket")
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as sock:
        assert websockets.utils.get_socket_name(sock).startswith("[::1]:")


async def test_the_command_line_connects(websockets: Any) -> None:
    async def shout(websocket: Any) -> None:
        async for message in websocket:
            await websocket.send(message.upper())

    async with (
        websockets.serve(shout, "127.0.0.1", 0) as server,
        running(*OURS, "-m", "websockets", uri_of(server)) as client,
    ):
        out, _ = await client.end("hello\n")
    assert "HELLO" in out


async def test_the_command_line_without_a_uri_is_status_2() -> None:
    async with running(*OURS, "-m", "websockets") as client:
        _, err = await client.end()
    assert client.process.returncode == 2
    assert "<uri>" in err
    async with running(*OURS, "-m", "websockets", "--version") as client:
        assert await client.end() == ("websockets 17.4\n", "")
