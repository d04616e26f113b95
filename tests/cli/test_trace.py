"""Tests of ``--trace``: every line of the handshake and every frame, as on the wire."""

import asyncio
import base64
import re
import zlib

import pytest
import websockets

from tests.cli.conftest import Start, echo_and_close, serving
from ws6455 import ServerConnection
from ws6455.cli.trace import Trace, TraceLine
from ws6455.framing.frames import Close, Frame, Opcode
from ws6455.protocol.handshake import accept_key
from ws6455.testing import RawServer

LINE = re.compile(r"((?:#\d+ )?) *\d+\.\d{4} ([<>]) (.*?)(?:  -- (.*))?")
KEY = base64.b64encode(bytes(range(16))).decode()
REQUEST = (
    "GET /chat HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    f"Sec-WebSocket-Key: {KEY}\r\nSec-WebSocket-Version: 13\r\n\r\n"
).encode()
RESPONSE = (
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    f"Sec-WebSocket-Accept: {accept_key(KEY)}\r\n\r\n"
).encode()


class Recorded:
    """A client's trace, and its lines as (arrow, text, note)."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, str, str]] = []
        self.now = 10.0
        self.trace = Trace(self._note, is_client=True, clock=lambda: self.now)

    def _note(self, line: TraceLine) -> None:
        self.lines.append((line.arrow, line.text, line.note))

    def passed(self, arrow: str, data: bytes) -> list[tuple[str, str]]:
        """Pass bytes, and return the text and the note of each new line."""
        before = len(self.lines)
        self.trace.passed(arrow, data)
        return [line[1:] for line in self.lines[before:]]


@pytest.fixture
def recorded() -> Recorded:
    """The trace of an open connection."""
    made = Recorded()
    made.passed(">", REQUEST)
    made.passed("<", RESPONSE)
    return made


def lines_of(errors: str) -> list[tuple[str, str, str]]:
    """Parse the trace in standard error: return arrow, text and note of each line."""
    matches = map(LINE.fullmatch, errors.splitlines())
    return [(match[2], match[3], match[4] or "") for match in matches if match]


async def test_a_conversation_with_the_real_websockets(start: Start) -> None:
    async def talk(connection: websockets.ServerConnection) -> None:
        await connection.send(await connection.recv())
        await (await connection.ping(b"\x01\x02"))
        await connection.send(["frag", "ment"])
        await connection.send(b"\xff" * 300)
        await connection.close(1000, "done")

    async with websockets.serve(talk, "127.0.0.1", 0, compression=None) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        command = await start("connect", f"ws://127.0.0.1:{port}/chat", "--trace")
        status, out, err = await command.rest(b"hello\n")
    assert (status, out.splitlines()[:2]) == (0, [b"hello", b"fragment"])
    lines = lines_of(err)
    texts = [f"{arrow} {text}" for arrow, text, _ in lines]
    assert texts[0] == "> GET /chat HTTP/1.1"
    assert f"> Host: 127.0.0.1:{port}" in texts
    assert "< HTTP/1.1 101 Switching Protocols" in texts
    assert (texts.count("> "), texts.count("< ")) == (1, 1)
    notes = {text.partition(":")[0]: note for arrow, text, note in lines if ":" in text}
    assert notes["Sec-WebSocket-Key"] == "right: 16 random bytes in Base64 (§4.1)"
    assert notes["Sec-WebSocket-Accept"] == "right: checked against the key (§4.2.2)"

    frames = [line for line in texts if "header=" in line]
    sent = [re.sub(r"mask=(\S{8}) (.*?header=8. 8.) (\S\S) (\S\S) (\S\S) (\S\S) ", r"\2 ", frame)
            for frame in frames]  # fmt: skip
    assert [" ".join(frame.split()) for frame in sent] == [
        "> TEXT FIN length=5 header=81 85 payload='hello'",
        "< TEXT FIN length=5 header=81 05 payload='hello'",
        "< PING FIN length=2 header=89 02 payload=01 02",
        "> PONG FIN length=2 header=8a 82 payload=01 02",
        "< TEXT no bits length=4 header=01 04 payload='frag'",
        "< CONT no bits length=4 header=00 04 payload=6d 65 6e 74",
        "< CONT FIN length=0 header=80 00 payload=none",
        f"< BINARY FIN length=300 header=82 7e 01 2c payload={' '.join(['ff'] * 24)}...",
        "< CLOSE FIN length=6 header=88 06 payload=1000 'done'",
        "> CLOSE FIN length=6 header=88 86 payload=1000 'done'",
    ]
    for frame in frames:
        if frame.startswith(">"):
            # The masking key is the one in the header.
            mask = re.search(r"mask=(\w{8}) .*header=8. 8. (\S\S \S\S \S\S \S\S) ", frame)
            assert mask is not None
            assert bytes.fromhex(mask[1]) == bytes.fromhex(mask[2])
    endings = [note for _, text, note in lines if text.startswith("CLOSE")]
    assert endings[0].startswith("starts the closing handshake (§5.5.1, §7.1.2)")
    assert endings[1].startswith("ends the closing handshake (§5.5.1)")
    assert texts[-1] == "> TCP closed"


async def test_compression_is_followed_from_message_to_message(start: Start) -> None:
    async with serving(echo_and_close(2)) as uri:
        command = await start("connect", uri, "--trace", "--wait", "inf")
        line = b"compress me, " * 20
        _, _, err = await command.rest(line + b"\n" + line + b"\n")
    frames = [line for line in lines_of(err) if line[1].startswith("TEXT ")]
    assert len(frames) == 4
    for _, text, note in frames:
        assert " RSV1 " in text
        assert "payload='compress me, compress me, " in text
        match = re.fullmatch(r"compressed: 260 bytes in (\d+), \d+% \(RFC 7692 §6\)", note)
        assert match is not None
        assert f" length={match[1]} " in text
    # The second is shorter, because it refers to the first.
    first, second = (int(re.findall(r"length=(\d+)", text)[0]) for _, text, _ in frames[:2])
    assert second < first < 260


async def test_a_refusal_is_shown_with_its_body(start: Start) -> None:
    async with serving(process_request=lambda c, request: c.respond(401, "Who\nare you?\n")) as uri:
        command = await start("connect", uri, "--trace", "--header", "Authorization: Basic eDp5")
        status, _, err = await command.rest()
    assert status == 1
    lines = lines_of(err)
    assert (">", "Authorization: ***", "credentials, hidden here (RFC 9110 §11.6.2)") in lines
    assert ("<", "HTTP/1.1 401 Unauthorized", "not 101: no WebSocket connection (§4.1)") in lines
    assert ("<", "Connection: close", "") in lines
    assert ("<", r"13 bytes: 'Who\nare you?\n'", "the refusal's body") in lines


@pytest.mark.parametrize("tls", [False, True])
async def test_a_server_traces_every_connection(start: Start, tls: bool, certificate: str) -> None:
    options = ["--certificate", certificate] if tls else []
    server = await start("serve", "--host", "127.0.0.1", "--port", "0", "--trace", *options)
    uri = await server.address()
    for sent in ("one", "two"):
        command = await start("connect", uri, "--insecure", "--no-compression", "--wait", "0")
        await command.type(f"{sent}\n".encode())
        assert await command.line() == sent
        assert (await command.rest())[0] == 0
    shown = ""
    async with asyncio.timeout(20):
        while "#2" not in shown or "TCP closed" not in shown.partition("#2")[2]:
            shown += await server.error_line() + "\n"
    matches = [match for match in map(LINE.fullmatch, shown.splitlines()) if match]
    for number, message in (("#1 ", "one"), ("#2 ", "two")):
        lines = [(match[2], match[3]) for match in matches if match[1] == number]
        assert lines[0] == ("<", "GET / HTTP/1.1")
        assert (">", "HTTP/1.1 101 Switching Protocols") in lines
        texts = [(arrow, text) for arrow, text in lines if text.startswith("TEXT")]
        assert [arrow for arrow, _ in texts] == ["<", ">"]
        assert "mask=" in texts[0][1]
        assert "mask=" not in texts[1][1]
        assert all(f"payload={message!r}" in text for _, text in texts)


def test_any_split_of_the_bytes_gives_the_same_lines() -> None:
    compressor = zlib.compressobj(wbits=-15)
    deflated = compressor.compress(b"deflated") + compressor.flush(zlib.Z_SYNC_FLUSH)
    received = RESPONSE + b"".join(
        frame.serialize(mask=False)
        for frame in (
            Frame(Opcode.TEXT, b"Hel", fin=False),
            Frame(Opcode.PING, b""),
            Frame(Opcode.CONT, b"lo"),
            Frame(Opcode.TEXT, deflated[:3], fin=False, rsv1=True),
            Frame(Opcode.CONT, deflated[3:-4]),
            Frame(Opcode.BINARY, bytes(70_000)),
            Frame(Opcode.CLOSE, Close(4001, "bye").serialize()),
        )
    )
    whole = Recorded()
    whole.passed(">", REQUEST)
    whole.passed("<", received)
    assert len(whole.lines) == 19
    assert ("<", "next fragment (§5.4)") not in {(a, n) for a, _, n in whole.lines}
    for size in (1, 2, 7, 64, 1000):
        torn = Recorded()
        torn.passed(">", REQUEST)
        for at in range(0, len(received), size):
            torn.passed("<", received[at : at + size])
        assert torn.lines == whole.lines


def test_a_masked_payload_is_read_however_it_arrives(recorded: Recorded) -> None:
    frame = Frame(Opcode.TEXT, b"Hello, masked world").serialize(mask=True)
    for byte in frame[:-1]:
        assert recorded.passed(">", bytes([byte])) == []
    ((text, _),) = recorded.passed(">", frame[-1:])
    assert text.endswith("payload='Hello, masked world'")


@pytest.mark.parametrize(
    ("line", "note"),
    [
        ("GET / HTTP/1.0", "wrong: expected GET, a resource name and HTTP/1.1 (§4.1)"),
        ("Upgrade: h2c", "wrong: expected websocket (§4.1, §4.2)"),
        ("Connection: keep-alive", "wrong: expected Upgrade among the tokens (§4.1, §4.2)"),
        ("Sec-WebSocket-Key: abc", "wrong: expected 16 random bytes in Base64 (§4.1)"),
        ("Sec-WebSocket-Version: 8", "wrong: expected 13, the version of RFC 6455 (§4.1)"),
    ],
)
def test_what_is_wrong_with_a_request(line: str, note: str) -> None:
    recorded = Recorded()
    start_line = b"" if line.startswith("GET") else b"GET / HTTP/1.1\r\n"
    assert recorded.passed(">", start_line + line.encode() + b"\r\n")[-1] == (line, note)


@pytest.mark.parametrize(
    ("arrow", "line", "shown"),
    [
        (">", "Authorization: Bearer secret", "Authorization: ***"),
        (">", "authorization: secret", "authorization: ***"),
        (">", "Proxy-Authorization: Basic secret", "Proxy-Authorization: ***"),
        (">", "Cookie: session=secret", "Cookie: ***"),
        ("<", "Set-Cookie: session=secret; Secure", "Set-Cookie: ***"),
    ],
)
def test_what_is_secret_is_hidden(arrow: str, line: str, shown: str) -> None:
    recorded = Recorded()
    recorded.passed(">", REQUEST if arrow == "<" else b"GET / HTTP/1.1\r\n")
    start_line = b"HTTP/1.1 401 No\r\n" if arrow == "<" else b""
    text, note = recorded.passed(arrow, start_line + line.encode() + b"\r\n")[-1]
    assert text == shown
    assert "hidden here" in note


def test_what_is_wrong_with_a_response() -> None:
    recorded = Recorded()
    recorded.passed(">", REQUEST)
    shown = recorded.passed(
        "<",
        b"HTTP/1.1 101 Sure\r\nSec-WebSocket-Accept: x\r\nSec-WebSocket-Protocol: y\r\n"
        b"Sec-WebSocket-Extensions: z\r\nX-Escape: \x1b[2J\r\n",
    )
    assert [note for _, note in shown] == [
        "the server switches to WebSocket (§4.2.2)",
        f"wrong: expected {accept_key(KEY)} for the key (§4.1)",
        "wrong: expected one that was offered (§4.2.2)",
        "wrong: expected extensions that were offered (§9.1)",
        "",
    ]
    assert shown[-1][0] == "X-Escape: \ufffd[2J"


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"\x83\x00", "reserved opcode: 0x3"),
        (b"\xa1\x00", "reserved bits must be 0"),
        (b"\x09\x00", "fragmented control frame"),
        (b"\x81\x80abcd", "incorrect masking"),
        (b"\x89\x7e\x00\x7e", "control frame too long"),
        (b"\x81\x7e\x00\x01", "frame length isn't in its shortest form"),
    ],
)
def test_a_frame_that_breaks_the_protocol(recorded: Recorded, data: bytes, error: str) -> None:
    ((text, note),) = recorded.passed("<", data)
    assert text == f"header={data.hex(' ')}"
    assert note == f"wrong: {error}; nothing after it can be read (§7.1.7)"
    assert recorded.passed("<", b"\x81\x02hi") == []
    assert len(recorded.passed(">", Frame(Opcode.TEXT, b"hi").serialize(mask=True))) == 1


def test_what_control_frames_answer(recorded: Recorded) -> None:
    def note(arrow: str, opcode: Opcode, data: bytes) -> str:
        ((_, note),) = recorded.passed(arrow, Frame(opcode, data).serialize(mask=arrow == ">"))
        return note

    assert note(">", Opcode.PING, b"a") == "requires a pong (§5.5.2)"
    recorded.now += 0.5
    assert note(">", Opcode.PING, b"b") == "requires a pong (§5.5.2)"
    recorded.now += 0.0123
    assert note("<", Opcode.PONG, b"b") == "answers the ping of 12.3 ms ago (§5.5.3)"
    # The pong has answered the first ping, too.
    assert note("<", Opcode.PONG, b"a") == "unsolicited (§5.5.3)"
    assert note(">", Opcode.PONG, b"b") == "unsolicited (§5.5.3)"
    assert note("<", Opcode.CLOSE, b"\x03") == "wrong: close frame too short (§5.5.1)"
    assert note("<", Opcode.CLOSE, b"\x03\xed") == "wrong: invalid close code: 1005 (§5.5.1)"
    assert note("<", Opcode.CLOSE, b"\x03\xe8\xff") == "wrong: close reason isn't UTF-8 (§5.5.1)"


def test_each_side_answers_the_others_control_frames(recorded: Recorded) -> None:
    def note(arrow: str, opcode: Opcode, data: bytes = b"") -> str:
        ((_, note),) = recorded.passed(arrow, Frame(opcode, data).serialize(mask=arrow == ">"))
        return note

    note("<", Opcode.PING, b"theirs")
    note(">", Opcode.PING, b"ours")
    assert note("<", Opcode.PONG, b"ours").startswith("answers the ping of")
    assert note(">", Opcode.PONG, b"theirs").startswith("answers the ping of")
    assert note("<", Opcode.CLOSE, b"\x03\xe8").startswith("starts the closing handshake")
    assert note(">", Opcode.CLOSE, b"\x03\xe8").startswith("ends the closing handshake")


def test_a_control_frame_between_compressed_fragments_is_not_compressed(
    recorded: Recorded,
) -> None:
    compress = zlib.compressobj(wbits=-15)
    data = compress.compress(b"Hello") + compress.flush(zlib.Z_SYNC_FLUSH)
    frames = [
        Frame(Opcode.TEXT, data[:3], fin=False, rsv1=True),
        Frame(Opcode.PING, b"ping"),
        Frame(Opcode.CONT, data[3:-4]),
        Frame(Opcode.TEXT, b"plain"),
    ]
    shown = [recorded.passed("<", frame.serialize(mask=False))[0] for frame in frames]
    assert [("compressed" in note) for _, note in shown] == [True, False, True, False]
    assert "payload=70 69 6e 67" in shown[1][0]
    assert shown[2][1].startswith("last fragment (§5.4); compressed: ")
    assert shown[3][0].endswith("payload='plain'")


def test_compressed_bytes_that_are_none(recorded: Recorded) -> None:
    frame = Frame(Opcode.BINARY, b"\xff" * 10, rsv1=True).serialize(mask=False)
    ((_, note),) = recorded.passed("<", frame)
    assert note.startswith("compressed (RFC 7692 §6): decompression failed: ")


def test_a_compression_bomb_is_not_followed(recorded: Recorded) -> None:
    compressor = zlib.compressobj(wbits=-15)
    zeros = compressor.compress(bytes(1 << 27)) + compressor.flush(zlib.Z_SYNC_FLUSH)
    ((text, note),) = recorded.passed(
        "<", Frame(Opcode.BINARY, zeros[:-4], rsv1=True).serialize(mask=False)
    )
    assert f"length={len(zeros) - 4} " in text
    assert note == "compressed (RFC 7692 §6): not decompressed beyond 67108864 bytes"


@pytest.mark.parametrize(
    ("data", "note"),
    [
        (b"", ""),
        (b"\x81", "incomplete header: only 1 bytes"),
        (b"\x81\x05Hel", "incomplete frame: 2 bytes of its payload are missing"),
    ],
)
def test_the_end_of_the_stream(recorded: Recorded, data: bytes, note: str) -> None:
    recorded.passed("<", data)
    before = len(recorded.lines)
    recorded.trace.ended("<", "TCP closed by the peer")
    recorded.trace.ended("<", "TCP lost")
    assert recorded.lines[before:] == [("<", "TCP closed by the peer", note)]


def test_more_than_a_line_shows() -> None:
    recorded = Recorded()
    recorded.passed(">", REQUEST)
    recorded.passed("<", RESPONSE)
    text = "\u20ac" * 100 + "\n"
    ((shown, _),) = recorded.passed("<", Frame(Opcode.TEXT, text.encode()).serialize(mask=False))
    assert re.search(r"payload='(\u20ac)+'\.\.\.$", shown)
    assert "\ufffd" not in shown


async def test_large_messages_are_seen_and_arrive_whole(start: Start) -> None:
    # Without a trace they would be received in place, which would bypass the trace.
    sent = b"".join(bytes([number]) * (1 << 20) for number in range(8))

    async def check(connection: ServerConnection) -> None:
        for number in range(8):
            await connection.send(bytes([number]) * (1 << 20))

    async with serving(check, compression=None) as uri:
        command = await start("connect", uri, "--trace", "--binary", "--wait", "inf")
        status, out, err = await command.rest()
    assert status == 0
    assert out == sent
    frames = [text for arrow, text, _ in lines_of(err) if text.startswith("BINARY")]
    assert len(frames) == 8
    assert all(f" length={1 << 20} " in text for text in frames)


async def test_a_reset_is_shown(start: Start) -> None:
    async with RawServer() as server:
        command = await start("connect", server.uri, "--trace", "--wait", "inf")
        peer = await server.accept()
        await peer.open()
        peer.send_frame(Opcode.TEXT, b"ready")
        assert await command.line() == "ready"
        peer.reset()
        status, _, err = await command.rest()
    assert status == 1
    arrow, text, _ = lines_of(err)[-1]
    assert arrow == "<"
    assert text.startswith("TCP lost: ")
