"""Tests of the link: delays, bandwidth, and each kind of failure."""

import asyncio
import contextlib
import math
import os
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.aio.conftest import until
from ws6455 import Close, ConnectionClosedError, ServerConnection, connect, serve
from ws6455.testing import Link
from ws6455.testing.link import Direction
from ws6455.testing.pace import Pace
from ws6455.testing.raw import reset_stream


class Ends:
    """A plain TCP stream through a link: `client` and `server`, each a reader and a writer."""

    def __init__(self, link: Link) -> None:
        self.link = link
        self.client: tuple[asyncio.StreamReader, asyncio.StreamWriter]
        self.server: tuple[asyncio.StreamReader, asyncio.StreamWriter]

    def along(self, direction: Direction) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Return the reader and the writer at the two ends of a direction."""
        if direction == "up":
            return self.server[0], self.client[1]
        return self.client[0], self.server[1]


@contextlib.asynccontextmanager
async def linked(**options: Any) -> AsyncIterator[Ends]:
    accepted: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.Queue()
    listener = await asyncio.start_server(
        lambda reader, writer: accepted.put_nowait((reader, writer)), "127.0.0.1", 0
    )
    port = listener.sockets[0].getsockname()[1]
    async with asyncio.timeout(20), Link("127.0.0.1", port, **options) as link:
        ends = Ends(link)
        ends.client = await asyncio.open_connection(link.host, link.port)
        ends.server = await accepted.get()
        try:
            yield ends
        finally:
            for _, writer in (ends.client, ends.server):
                writer.close()
                with contextlib.suppress(OSError):
                    await writer.wait_closed()
            listener.close()
            await listener.wait_closed()


@contextlib.asynccontextmanager
async def echoing(**options: Any) -> AsyncIterator[Link]:
    """Open a link to a WebSocket server that echoes."""

    async def echo(connection: ServerConnection) -> None:
        async for message in connection:
            await connection.send(message)

    async with serve(echo, "127.0.0.1", 0, close_timeout=0.1) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        async with Link("127.0.0.1", port, **options) as link:
            yield link


@pytest.fixture
def delays(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The delays in seconds of all pieces on all links, recorded as they leave."""
    noted: list[float] = []

    class NotingPace(Pace):
        def arrives_at(self, left: float, latency: float, jitter: float) -> float:
            arrival = super().arrives_at(left, latency, jitter)
            noted.append(arrival - left)
            return arrival

    monkeypatch.setattr("ws6455.testing.link.Pace", NotingPace)
    return noted


BOTH: list[Direction] = ["up", "down"]


async def test_bytes_pass_as_they_are_and_are_counted() -> None:
    data = os.urandom(3_000_000)
    async with linked() as ends:
        for direction, count in (("up", 3_000_000), ("down", 1000)):
            reader, writer = ends.along("up" if direction == "up" else "down")
            writer.write(data[:count])
            assert await reader.readexactly(count) == data[:count]
        assert (ends.link.bytes_up, ends.link.bytes_down) == (3_000_000, 1000)


async def test_a_websocket_works_through_a_link() -> None:
    async with echoing() as link, connect(link.uri) as client:
        for message in ("Hello", b"x" * 500_000):
            await client.send(message)
            assert await client.recv() == message
    assert client.close_code == 1000


async def test_latency_adds_up_over_both_directions(delays: list[float]) -> None:
    async with echoing(latency=0.1) as link, connect(link.uri) as client:
        assert await (await client.ping()) >= 0.2
        assert delays == pytest.approx([0.1] * 4)  # of the handshake and of the ping
        link.change(latency=0.0)
        await (await client.ping())
        assert delays[4:] == pytest.approx([0.0] * 2, abs=1e-6)


async def test_latency_is_no_bandwidth(delays: list[float]) -> None:
    async def until_on_their_way(count: int) -> None:
        await until(lambda: len(delays) == count)

    async with linked(latency=60) as ends:
        _, writer = ends.along("up")
        for count in range(1, 6):
            writer.write(b"x")
            await until_on_their_way(count)
        assert ends.link.bytes_up == 0


@pytest.mark.parametrize("direction", BOTH)
async def test_bandwidth_is_no_more_than_was_asked_for(direction: Direction) -> None:
    async with linked(bandwidth=100_000) as ends:
        reader, writer = ends.along(direction)
        start = time.monotonic()
        writer.write(bytes(50_000))
        await reader.readexactly(50_000)
        assert time.monotonic() - start >= 0.49


async def test_bandwidth_can_change_while_bytes_pass() -> None:
    async with linked(bandwidth=10_000) as ends:
        reader, writer = ends.along("up")
        writer.write(bytes(1_000_000))
        await reader.readexactly(1000)
        ends.link.change(bandwidth=math.inf)
        await reader.readexactly(999_000)  # would take too long at the old bandwidth


async def test_jitter_delays_and_reorders_nothing() -> None:
    async with linked(jitter=0.3, seed=1) as ends:
        reader, writer = ends.along("down")
        data = os.urandom(50)
        most_on_the_way = 0
        for sent in range(len(data)):
            most_on_the_way = max(most_on_the_way, sent - ends.link.bytes_down)
            writer.write(data[sent : sent + 1])
            await asyncio.sleep(0.001)
        assert await reader.readexactly(len(data)) == data
        assert most_on_the_way > 5


async def test_the_same_seed_gives_the_same_delays(delays: list[float]) -> None:
    async def drawn(seed: int | None) -> list[float]:
        delays.clear()
        async with echoing(jitter=0.01, seed=seed) as link:
            for _ in range(2):
                async with connect(link.uri) as client:
                    for _ in range(3):
                        await (await client.ping())
        return delays[:5]

    first, again, other, any_one = [await drawn(seed) for seed in (1, 1, 2, None)]
    assert first == pytest.approx(again, abs=1e-6)
    assert first != pytest.approx(other, abs=1e-6)
    assert first != pytest.approx(any_one, abs=1e-6)


# Breaking -------------------------------------------------------------------------------


async def test_keepalive_ends_a_link_that_was_cut_without_a_word() -> None:
    options: dict[str, Any] = {"ping_interval": 0.1, "ping_timeout": 0.2, "close_timeout": 0.1}
    async with echoing() as link, connect(link.uri, **options) as client:
        await client.send("x")
        assert await client.recv() == "x"
        link.cut()
        with pytest.raises(ConnectionClosedError) as ended:
            await client.recv()
        assert ended.value.sent == Close(1011, "keepalive ping timeout")


@pytest.mark.parametrize("direction", BOTH)
async def test_what_was_held_by_a_cut_arrives_when_it_is_mended(direction: Direction) -> None:
    latency = 0.05
    async with linked(latency=latency) as ends:
        reader, writer = ends.along(direction)
        ends.link.cut()
        writer.write(b"held")
        writer.write_eof()
        reading = asyncio.ensure_future(reader.read())
        done, _ = await asyncio.wait([reading], timeout=0.1)
        assert not done
        mended_at = time.monotonic()
        ends.link.mend()
        assert await reading == b"held"
        # It takes the whole latency again, like a retransmission of TCP.
        assert time.monotonic() - mended_at > latency * 0.9


async def test_nobody_gets_through_a_link_that_is_cut() -> None:
    async with echoing() as link:
        link.cut()
        with pytest.raises(TimeoutError):
            await connect(link.uri, open_timeout=0.1)
        link.mend()
        async with connect(link.uri) as client:
            await client.ping()


async def test_a_reset_reaches_both_ends() -> None:
    async with linked() as ends:
        ends.link.reset()
        for reader, _ in (ends.client, ends.server):
            with pytest.raises(ConnectionResetError):
                await reader.read()


@pytest.mark.parametrize("direction", BOTH)
async def test_a_half_close_ends_one_direction_alone(direction: Direction) -> None:
    async with linked() as ends:
        reader, writer = ends.along(direction)
        other_reader, other_writer = ends.along("down" if direction == "up" else "up")
        writer.write(b"before")
        assert await reader.readexactly(6) == b"before"
        ends.link.half_close(direction)
        assert await reader.read() == b""
        writer.write(b"dropped")
        other_writer.write(b"still there")
        assert await other_reader.readexactly(11) == b"still there"


@pytest.mark.parametrize("direction", BOTH)
@pytest.mark.parametrize("action", ["reset", "half_close"])
async def test_a_break_comes_after_so_many_bytes(action: str, direction: Direction) -> None:
    async with linked() as ends:
        link = ends.link
        reader, writer = ends.along(direction)
        writer.write(bytes(100))
        await reader.readexactly(100)
        actions = {"reset": link.reset, "half_close": lambda: link.half_close(direction)}
        link.after(12_345, direction, actions[action])
        writer.write(bytes(1_000_000))
        received = 0
        try:
            while data := await reader.read(1 << 16):
                received += len(data)
        except ConnectionResetError:
            assert action == "reset"
        else:
            assert action == "half_close"
        assert received == 12_345


async def test_actions_come_in_turn_each_at_its_byte() -> None:
    async with linked() as ends:
        link = ends.link
        reader, writer = ends.along("up")
        seen: list[int] = []
        for count in (30, 10, 20, 10):
            link.after(count, "up", lambda: seen.append(link.bytes_up))
        writer.write(bytes(100))
        await reader.readexactly(100)
        assert seen == [10, 10, 20, 30]


async def test_a_cut_after_so_many_bytes_holds_the_rest() -> None:
    async with linked() as ends:
        ends.link.after(10, "down", ends.link.cut)
        reader, writer = ends.along("down")
        writer.write(bytes(100))
        await reader.readexactly(10)
        done, _ = await asyncio.wait(
            [reading := asyncio.ensure_future(reader.read(1))], timeout=0.1
        )
        assert not done
        ends.link.mend()
        assert await reading == b"\0"


# Ends ------------------------------------------------------------------------------------


@pytest.mark.parametrize("direction", BOTH)
async def test_an_end_that_is_reset_resets_the_other(direction: Direction) -> None:
    async with linked() as ends:
        reader, writer = ends.along(direction)
        writer.write(b"before")
        assert await reader.readexactly(6) == b"before"
        reset_stream(writer)
        with pytest.raises(ConnectionResetError):
            await reader.read()


@pytest.mark.parametrize("direction", BOTH)
async def test_an_end_of_stream_passes_behind_the_last_byte(direction: Direction) -> None:
    async with linked(latency=0.02, jitter=0.02) as ends:
        reader, writer = ends.along(direction)
        writer.write(bytes(1000))
        writer.write_eof()
        assert len(await reader.read()) == 1000


async def test_whoever_sends_waits_for_whoever_does_not_read() -> None:
    async with linked() as ends:
        reader, writer = ends.along("up")
        piece = bytes(1 << 20)
        sent = 0
        with contextlib.suppress(TimeoutError):
            while sent < 64:
                writer.write(piece)
                async with asyncio.timeout(0.3):
                    await writer.drain()
                sent += 1
        assert sent < 64  # the buffers of the system, of the link and of the reader
        for _ in range(sent + 1):
            await reader.readexactly(len(piece))


async def test_a_server_that_is_not_there_resets_the_client() -> None:
    nobody = await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0)
    port = nobody.sockets[0].getsockname()[1]
    nobody.close()
    await nobody.wait_closed()
    async with Link("127.0.0.1", port) as link:
        reader, writer = await asyncio.open_connection(link.host, link.port)
        with pytest.raises(ConnectionResetError):
            await reader.read()
        writer.close()


async def test_nothing_is_left_when_the_link_is_left() -> None:
    tasks = len(asyncio.all_tasks())
    async with linked(latency=5) as ends:
        ends.along("up")[1].write(b"on its way")
        await asyncio.sleep(0)
        link = ends.link
    assert len(asyncio.all_tasks()) == tasks
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection(link.host, link.port)


@pytest.mark.parametrize(
    "wrong", [{"latency": -1}, {"jitter": -0.1}, {"bandwidth": 0}, {"latency": math.nan}]
)
async def test_a_network_that_cannot_be_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"must not be negative|must be above 0"):
        Link("127.0.0.1", 1, **wrong)  # type: ignore[arg-type]  # mypy takes them for the seed too
    link = Link("127.0.0.1", 1, latency=0.5)
    with pytest.raises(ValueError, match=r"must not be negative|must be above 0"):
        link.change(**wrong)
    assert (link.latency, link.jitter, link.bandwidth) == (0.5, 0.0, math.inf)
    with pytest.raises(ValueError, match="not 0"):
        link.after(0, "up", link.cut)
