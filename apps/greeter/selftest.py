"""``python -m apps.greeter selftest``: check the server with a client in the same process."""

import ws6455
from apps.greeter.server import greet

EXPECTED = (
    ("Alice", "Hello Alice!"),
    ("  Zoe\u0308 ", "Hello Zo\u00eb!"),
    ("", "Please send a name."),
)


async def selftest() -> int:
    """Check greetings over a real connection; print the results; return 0 if all are right."""
    failures = 0

    def check(what: str, right: bool) -> None:
        nonlocal failures
        failures += not right
        print(f"{'ok' if right else 'WRONG'}: {what}")

    async with ws6455.serve(greet, "127.0.0.1", 0) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        async with ws6455.connect(f"ws://127.0.0.1:{port}") as client:
            for sent, expected in EXPECTED:
                await client.send(sent)
                answer = await client.recv()
                check(f"{sent!r} is answered {answer!r}", answer == expected)
            await client.send(b"\x00")
            await client.wait_closed()
            check(f"a binary message closes with {client.close_code}", client.close_code == 1003)
    print("selftest failed" if failures else "selftest passed")
    return 1 if failures else 0
