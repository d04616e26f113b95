"""Two server processes form one service: the guide's program, run for real."""

import asyncio
import contextlib
import itertools
import os
import re
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import ws6455
from tests.hub.conftest import HEALED, RedisServer, within

ROOT = Path(__file__).parents[2]


@contextlib.asynccontextmanager
async def chat_server(program: Path) -> AsyncIterator[str]:
    """Run a process; yield the URI of its server."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(program),
        str(port),
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    try:
        yield f"ws://localhost:{port}"
    finally:
        process.kill()
        await process.wait()


async def connect(uri: str) -> ws6455.ClientConnection:
    """Connect to a process that may still be starting."""
    while True:
        try:
            return await ws6455.connect(uri)
        except ConnectionRefusedError:
            await asyncio.sleep(0.05)


async def hears(client: ws6455.ClientConnection, text: str) -> bool:
    """Return True if a client receives this message soon; skip earlier messages."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(0.1):
            while await client.recv() != text:
                pass
            return True
    return False


async def speak_until_all_hear(
    speaker: ws6455.ClientConnection, *listeners: ws6455.ClientConnection
) -> None:
    """Send new messages until one reaches the speaker and the listeners, through Redis."""
    for number in itertools.count():
        await speaker.send(f"{number}?")
        heard = [await hears(client, f"{number}?") for client in (speaker, *listeners)]
        if all(heard):
            return


async def test_a27_clients_of_two_processes_hear_each_other_through_a_restart_of_redis(
    redis: RedisServer, tmp_path: Path
) -> None:
    guide = (ROOT / "docs/guide.md").read_text()
    (text,) = re.findall(r"```python\n((?:(?!```).)*RedisBroker.*?)```", guide, re.DOTALL)
    program = tmp_path / "chat.py"
    program.write_text(text.replace("redis://localhost", redis.url))
    async with (
        chat_server(program) as first,
        chat_server(program) as second,
        await within(connect(first)) as alice,
        await within(connect(second)) as bob,
    ):
        await within(speak_until_all_hear(alice, bob))
        await bob.send("Hello Alice!")
        assert [await within(client.recv()) for client in (alice, bob)] == ["Hello Alice!"] * 2
        redis.stop()
        await alice.send("Is anybody here?")
        assert await within(alice.recv()) == "Is anybody here?"
        redis.start()
        await within(speak_until_all_hear(alice, bob), HEALED)
        await within(speak_until_all_hear(bob, alice))
