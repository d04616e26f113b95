"""The echo server tested by Autobahn's fuzzing client: ``python -m conformance.echo_server``.

It prints its port as the first line and serves until it is killed.
"""

import asyncio

import ws6455


async def echo(connection: ws6455.ServerConnection) -> None:
    """Echo each message, text as text and binary as binary."""
    try:
        async for message in connection:
            await connection.send(message)
    except ws6455.ConnectionClosed:
        pass  # Most cases break the protocol on purpose; the suite judges the closing.


async def main() -> None:
    """Serve on a free port without keepalive or limits: some cases send 65,536 fragments."""
    async with ws6455.serve(
        echo, "127.0.0.1", 0, max_size=None, max_fragments=None, ping_interval=None
    ) as server:
        (listener,) = server.sockets
        print(listener.getsockname()[1], flush=True)
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
