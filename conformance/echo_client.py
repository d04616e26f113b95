"""The echo client tested by Autobahn's fuzzing server: ``python -m conformance.echo_client``.

Its two arguments are the address of the fuzzing server and the name of the agent in the report.
It runs every case of the server, requests the report and ends.
"""

import argparse
import asyncio

import ws6455


def connect(uri: str) -> ws6455.connect:
    """Open a connection without keepalive or limits: some cases send 65,536 fragments."""
    return ws6455.connect(uri, max_size=None, max_fragments=None, ping_interval=None)


async def run_case(uri: str) -> None:
    """Echo each message, text as text and binary as binary."""
    try:
        async with connect(uri) as connection:
            async for message in connection:
                await connection.send(message)
    except ws6455.ConnectionClosed:
        pass  # Most cases break the protocol on purpose; the suite judges the closing.


async def main(server: str, agent: str) -> None:
    """Run the cases of the fuzzing server at ``server`` one by one."""
    async with connect(f"{server}/getCaseCount") as connection:
        count = int(await connection.recv())
    for number in range(1, count + 1):
        await run_case(f"{server}/runCase?case={number}&agent={agent}")
    async with connect(f"{server}/updateReports?agent={agent}") as connection:
        await connection.wait_closed()  # The server closes after writing the report.


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m conformance.echo_client")
    parser.add_argument("server", help="ws://127.0.0.1:PORT")
    parser.add_argument("agent", help="the name in the report")
    arguments = parser.parse_args()
    asyncio.run(main(arguments.server, arguments.agent))
