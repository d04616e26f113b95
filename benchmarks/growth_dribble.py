"""The cost in time and memory of messages that arrive one byte per read.

``python -m benchmarks.growth_dribble ROUNDS SIZE...`` prints JSON: for ``binary`` and ``text``
a list of ``[size, seconds, bytes]``. Both ends are in one process, so that each byte can be held
back until the previous one is read. Memory is the peak of Python's allocations, the message
included; the process's resident memory is too coarse for 64 KiB. Tracing the allocations takes
time, so it is a separate pass.
"""

import asyncio
import json
import socket
import sys
import tempfile
import time
import tracemalloc
from pathlib import Path

import ws6455

from .growth_client import REQUEST, masked_frame
from .running import hide_numpy


class _Server:
    """A server's handler that puts the sizes of its messages in `received`."""

    def __init__(self) -> None:
        self.received: asyncio.Queue[int] = asyncio.Queue()

    async def handle(self, connection: ws6455.ServerConnection) -> None:
        async for message in connection:
            self.received.put_nowait(len(message))


async def _dribble(server: _Server, sock: socket.socket, frame: bytes) -> None:
    """Send a frame byte by byte, and wait until the message is received."""
    for position in range(len(frame)):
        sock.send(frame[position : position + 1])
        # In the next turn the loop finds the socket readable; it reads after this task has run.
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    await server.received.get()


async def _measure(rounds: int, sizes: list[int], text: bool) -> list[tuple[int, float, int]]:
    server = _Server()
    points = []
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as sock:
        path = str(Path(folder) / "socket")
        async with ws6455.unix_serve(server.handle, path, compression=None):
            sock.connect(path)
            sock.setblocking(False)
            sock.send(REQUEST % b"/")
            await asyncio.get_running_loop().sock_recv(sock, 1 << 16)
            frames = {size: masked_frame(size, text) for size in sizes}
            seconds = dict.fromkeys(sizes, float("inf"))
            for _ in range(rounds):
                for size, frame in frames.items():
                    start = time.process_time()
                    await _dribble(server, sock, frame)
                    seconds[size] = min(seconds[size], time.process_time() - start)
            for size, frame in frames.items():
                tracemalloc.start()
                await _dribble(server, sock, frame)
                points.append((size, seconds[size], tracemalloc.get_traced_memory()[1]))
                tracemalloc.stop()
            sock.close()
    return points


def main() -> None:
    """Measure and print the results."""
    rounds, *sizes = map(int, sys.argv[1:])
    found = {
        name: asyncio.run(_measure(rounds, sizes, text))
        for name, text in (("binary", False), ("text", True))
    }
    print(json.dumps(found))


if __name__ == "__main__":
    hide_numpy()  # measure the library without extras
    main()
