"""Run one peer's server: print its port, and serve until the end of input or SIGTERM."""

import argparse
import asyncio
import importlib
import os
import signal
import ssl
import sys
from collections.abc import Sequence
from types import ModuleType

from ..peers import PEERS, Peer
from ..running import hide_numpy, run
from . import Options


def main() -> int:
    """Run the command line and return the exit status."""
    peer, loop, options = _parse(sys.argv[1:])
    if peer.hides_numpy:
        hide_numpy()
    module = importlib.import_module(f".{peer.module}", __package__)
    if loop == "threads":
        module = importlib.import_module(f".{peer.module}_threads", __package__)
    run(_serve(module, options), loop)
    return 0


def _parse(arguments: Sequence[str]) -> tuple[Peer, str, Options]:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.servers", description=__doc__)
    peers = {peer.name: peer for peer in PEERS if peer.serves}
    parser.add_argument("peer", metavar="PEER", choices=peers, help=", ".join(peers))
    parser.add_argument("--workload", choices=("echo", "fan-out"), default="echo")
    parser.add_argument("--loop", choices=("asyncio", "uvloop", "threads"), default="asyncio")
    parser.add_argument("--deflate", action="store_true", help="accept permessage-deflate")
    parser.add_argument("--tls", metavar="CERTFILE", help="certificate and key, in one PEM file")
    parser.add_argument("--size", type=int, default=0, help="payload size in bytes, for raw")
    given = parser.parse_args(arguments)
    peer = peers[given.peer]
    if given.deflate and not peer.compresses:
        parser.error(f"{peer.name} has no permessage-deflate")
    if given.loop == "threads" and (not peer.threads or given.workload != "echo"):
        parser.error(f"{peer.name} has no such server with threads")
    tls = None
    if given.tls is not None:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        try:
            tls.load_cert_chain(given.tls)
        except OSError as error:  # includes ssl.SSLError
            parser.error(f"argument --tls: {given.tls}: {error}")
    return peer, given.loop, Options(given.workload == "fan-out", given.deflate, tls, given.size)


async def _serve(module: ModuleType, options: Options) -> None:
    loop, ended = asyncio.get_running_loop(), asyncio.Event()

    def on_input() -> None:
        if not os.read(0, 4096):
            loop.remove_reader(0)
            ended.set()

    loop.add_signal_handler(signal.SIGTERM, ended.set)
    loop.add_reader(0, on_input)
    async with module.serving(options) as port:
        print(port, flush=True)
        await ended.wait()


if __name__ == "__main__":
    sys.exit(main())
