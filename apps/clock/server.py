"""The clock's server: the time to everybody, and answers to those who ask."""

import time

import ws6455
from apps.clock.boundaries import boundaries, iso, now
from apps.serving import Strikes

REQUESTS = ("server_time", "client_time", "num_clients", "ping")


class Clock:
    """The connected clients, and what they are told."""

    def __init__(self) -> None:
        self.connections: set[ws6455.ServerConnection] = set()

    async def serve(self, connection: ws6455.ServerConnection) -> None:
        """Welcome one client and answer its requests, until it goes."""
        connected_at = time.monotonic()
        strikes = Strikes(connection)
        await connection.send(f"Welcome: {iso(now())}")
        self.connections.add(connection)
        try:
            async for message in connection:
                if isinstance(message, bytes):
                    await strikes.wrong("Error: a request is text, this was binary")
                    continue
                request = message.strip()
                if request not in REQUESTS:
                    await strikes.wrong(
                        f"Error: no request {request[:32]!r}; there are {', '.join(REQUESTS)}"
                    )
                    continue
                strikes.right()
                await connection.send(f"{request}: {self.answer(request, connected_at)}")
        finally:
            self.connections.discard(connection)

    def answer(self, request: str, connected_at: float) -> str:
        """Answer one of `REQUESTS` of a client that connected at `connected_at` (monotonic)."""
        match request:
            case "server_time":
                return iso(now())
            case "client_time":
                return f"{time.monotonic() - connected_at:.3f} seconds"
            case "num_clients":
                return str(len(self.connections))
            case _:
                return "pong"

    async def tell_time(self, interval: int) -> None:
        """Tell everybody the time at each multiple of `interval` milliseconds."""
        async for boundary in boundaries(interval):
            ws6455.broadcast(self.connections, f"Time: {iso(boundary)}")

    async def tell_connected(self, interval: int) -> None:
        """Tell everybody ``Connected`` at each multiple of `interval` milliseconds."""
        async for _ in boundaries(interval):
            ws6455.broadcast(self.connections, "Connected")
