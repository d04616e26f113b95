"""The clock's server: the time for all clients, and answers to requests."""

import time

import ws6455
from apps.clock.boundaries import boundaries, iso, now
from apps.serving import WrongMessages

REQUESTS = ("server_time", "client_time", "num_clients", "ping")


class Clock:
    """The connected clients, the broadcasts to them and the answers to their requests."""

    def __init__(self) -> None:
        self.connections: set[ws6455.ServerConnection] = set()

    async def serve(self, connection: ws6455.ServerConnection) -> None:
        """Welcome one client and answer its requests until it disconnects."""
        connected_at = time.monotonic()
        wrong_messages = WrongMessages(connection)
        await connection.send(f"Welcome: {iso(now())}")
        self.connections.add(connection)
        try:
            async for message in connection:
                if isinstance(message, bytes):
                    await wrong_messages.reject("Error: a request is text, this was binary")
                    continue
                request = message.strip()
                if request not in REQUESTS:
                    await wrong_messages.reject(
                        f"Error: unknown request {request[:32]!r}; known: {', '.join(REQUESTS)}"
                    )
                    continue
                wrong_messages.reset()
                await connection.send(f"{request}: {self.answer(request, connected_at)}")
        finally:
            self.connections.discard(connection)

    def answer(self, request: str, connected_at: float) -> str:
        """Return the answer to one of `REQUESTS`; `connected_at` is on the monotonic clock."""
        match request:
            case "server_time":
                return iso(now())
            case "client_time":
                return f"{time.monotonic() - connected_at:.3f} seconds"
            case "num_clients":
                return str(len(self.connections))
            case _:
                return "pong"

    async def broadcast_time(self, interval: int) -> None:
        """Send the time to all clients at each multiple of `interval` milliseconds."""
        async for boundary in boundaries(interval):
            ws6455.broadcast(self.connections, f"Time: {iso(boundary)}")

    async def broadcast_connected(self, interval: int) -> None:
        """Send ``Connected`` to all clients at each multiple of `interval` milliseconds."""
        async for _ in boundaries(interval):
            ws6455.broadcast(self.connections, "Connected")
