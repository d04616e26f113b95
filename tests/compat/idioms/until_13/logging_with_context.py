"""The documentation's logger adapter, and loggers silenced by their names."""

# As such programs are published: without annotations.
# mypy: ignore-errors

import asyncio
import logging
import sys

import websockets

logging.basicConfig(stream=sys.stdout, format="%(name)s %(levelname)s %(message)s", level="INFO")
logging.getLogger("asyncio").setLevel(logging.ERROR)
logging.getLogger("websockets.client").addHandler(logging.NullHandler())
logging.getLogger("websockets.client").propagate = False


class LoggerAdapter(logging.LoggerAdapter):
    def process(self, msg, kwargs):
        try:
            websocket = kwargs["extra"]["websocket"]
        except KeyError:
            return msg, kwargs
        return f"[{len(str(websocket.id))}] {msg}", kwargs


async def handler(websocket):
    await websocket.recv()
    websocket.logger.warning("the program's own")


async def main():
    async with websockets.serve(
        handler, "127.0.0.1", 0, logger=LoggerAdapter(logging.getLogger("websockets.server"), {})
    ) as server:
        logging.getLogger("websockets.server").setLevel(logging.WARNING)
        async with websockets.connect(
            f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        ) as client:
            await client.send("go on")
            await client.wait_closed()


logging.getLogger("websockets").setLevel(logging.WARNING)
asyncio.run(main())
