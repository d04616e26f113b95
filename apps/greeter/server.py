"""The greeter's server: answers each name with a greeting."""

import ws6455
from apps.names import clean_name
from apps.serving import WrongMessages


async def greet(connection: ws6455.ServerConnection) -> None:
    """Answer each name on `connection` with ``Hello NAME!`` until the client disconnects."""
    wrong_messages = WrongMessages(connection)
    async for message in connection:
        if isinstance(message, bytes):
            await connection.close(ws6455.CloseCode.UNSUPPORTED_DATA, "a name is text")
            return
        name = clean_name(message)
        if name is None:
            await wrong_messages.reject("Please send a name.")
            continue
        wrong_messages.reset()
        greeting = f"Hello {name}!"
        print(greeting)
        await connection.send(greeting)
        print(f"Sent: {greeting}")
