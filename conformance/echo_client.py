"""The echo client that Autobahn's fuzzing server tests: ``python -m conformance.echo_client``.

Its two arguments are the address of the fuzzing server and the name under which the results are
filed. It runs every case of the server's list, asks for the report and ends.
"""

import argparse
import asyncio

import ws6455


def connect(uri: str) -> ws6455.connect:
    """Open a connection without keepalive and without limits: cases send 65,536 fragments."""
    return ws6455.connect(uri, max_size=None, max_fragments=None, ping_interval=None)


async def run_case(uri: str) -> None:
    """Send back each message as it came, text as text and binary as binary."""
    try:
        async with connect(uri) as connection:
            async for message in connection:
                await connection.send(message)
    except ws6455.ConnectionClosed:
        pass  # Most cases break the protocol on purpose; the suite judges how it was closed.


async def main(server: str, agent: str) -> None:
    """Run the cases of the fuzzing server at ``server`` one after the other."""
    async with connect(f"{server}/getCaseCount") as connection:
        count = int(await connection.recv())
    for number in range(1, count + 1):
        await run_case(f"{server}/runCase?case={number}&agent={agent}")
    async with connect(f"{server}/updateReports?agent={agent}") as connection:
        await connection.wait_closed()  # The server closes once the report is written.


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m conformance.echo_client")
    parser.add_argument("server", help="ws://127.0.0.1:PORT")
    parser.add_argument("agent", help="the name in the report")
    arguments = parser.parse_args()
    asyncio.run(main(arguments.server, arguments.agent))
