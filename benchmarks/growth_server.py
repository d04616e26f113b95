"""The server under test of the growth measurements; it reports its CPU time and memory.

``python -m benchmarks.growth_server`` prints its port on 127.0.0.1 and serves until the end of
standard input. On the path ``/receive`` it answers a message with its size, on ``/echo`` with the
message. On ``/send`` it accepts the commands ``prepare SIZE`` and ``send``. On every path it
answers the text ``probe`` with a `Probe` in JSON.
"""

import asyncio
import json
import re
import sys
import time
from pathlib import Path

import ws6455

from .growth_client import Probe
from .running import hide_numpy

MAX_SIZE = 1 << 27


def _probe() -> Probe:
    status = Path("/proc/self/status").read_text()
    kib = {name: int(size) for name, size in re.findall(r"^(VmRSS|VmHWM):\s+(\d+)", status, re.M)}
    return Probe(time.process_time(), kib["VmRSS"] << 10, kib["VmHWM"] << 10)


async def _handle(connection: ws6455.ServerConnection) -> None:
    assert connection.request is not None
    path = connection.request.path
    payload = b""
    async for message in connection:
        if message == "probe":
            await connection.send(json.dumps(_probe()))
        elif path == "/receive":
            await connection.send(str(len(message)))
        elif path == "/echo":
            await connection.send(message)
        elif message == "send":
            await connection.send(payload)
        else:
            payload = b"a" * int(str(message).removeprefix("prepare "))
            await connection.send("ready")


async def _serve() -> None:
    # Limits that would prevent a measurement are raised; the rest has its defaults.
    async with ws6455.serve(
        _handle, "127.0.0.1", 0, max_size=MAX_SIZE, max_fragments=None, compression=None
    ) as server:
        print(next(iter(server.sockets)).getsockname()[1], flush=True)
        await asyncio.to_thread(sys.stdin.read)
        # Abort: the client has gone or will not answer, so closing handshakes would time out.
        for connection in server.connections:
            if connection.transport is not None:
                connection.transport.abort()


if __name__ == "__main__":
    hide_numpy()  # measure the library without extras
    asyncio.run(_serve())
