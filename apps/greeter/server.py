"""The greeter's server: every text message is a name, every answer is a greeting."""

import ws6455
from apps.names import clean_name
from apps.serving import Strikes


async def greet(connection: ws6455.ServerConnection) -> None:
    """Answer each name on `connection` with ``Hello NAME!``, until the client goes."""
    strikes = Strikes(connection)
    async for message in connection:
        if isinstance(message, bytes):
            await connection.close(ws6455.CloseCode.UNSUPPORTED_DATA, "a name is text")
            return
        name = clean_name(message)
        if name is None:
            await strikes.wrong("Please send a name.")
            continue
        strikes.right()
        greeting = f"Hello {name}!"
        print(greeting)
        await connection.send(greeting)
        print(f"Sent: {greeting}")
