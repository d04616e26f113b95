"""The buzzer's server: the first buzz wins the round; later ones are told their delay."""

import asyncio

import ws6455
from apps.serving import WrongMessages


class Buzzer:
    """Judge of the buzzes, in the order in which they arrive.

    `pause` is the time in seconds from the first buzz to the next round; None for one round.
    """

    def __init__(self, pause: float | None = None) -> None:
        self.pause = pause
        self.round = 1
        self.first_buzz: float | None = None  # on the event loop's clock

    async def serve(self, connection: ws6455.ServerConnection) -> None:
        """Answer each buzz on `connection` until the client disconnects."""
        wrong_messages = WrongMessages(connection)
        async for message in connection:
            if isinstance(message, bytes):
                await wrong_messages.reject("Please send text.")
                continue
            wrong_messages.reset()
            answer = self.buzz()
            print(f"Round {self.round}: {answer}")
            await connection.send(answer)

    def buzz(self) -> str:
        """Return the answer to a buzz that arrives now; the first one schedules the next round."""
        loop = asyncio.get_running_loop()
        if self.first_buzz is None:
            self.first_buzz = loop.time()
            if self.pause is not None:
                loop.call_later(self.pause, self.arm)
            return "first place!"
        return f"response time: {loop.time() - self.first_buzz:.2f} seconds slower!"

    def arm(self) -> None:
        """Open the next round."""
        self.round += 1
        self.first_buzz = None
        print(f"Round {self.round} is open")
