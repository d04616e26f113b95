"""ws6455.aio.waiter: who waits goes on within the read, once, and can be cancelled at any time."""

import asyncio
import contextvars

import pytest

from tests.aio.conftest import MakePair, iterate, serialized, until
from tests.frames import text
from ws6455.aio.waiter import Waiter


async def wait_for(waiter: Waiter, log: list[str]) -> None:
    try:
        await waiter.wait()
    except asyncio.CancelledError as exc:
        log.append(f"cancelled {exc}".rstrip())
        raise
    log.append("woken")


async def test_a_task_goes_on_at_once_when_the_loop_wakes_it() -> None:
    loop = asyncio.get_running_loop()
    waiter, log = Waiter(loop), list[str]()
    task = asyncio.create_task(wait_for(waiter, log))
    await iterate(1)

    def wake() -> None:
        waiter.wake()
        log.append("after wake")

    loop.call_soon(wake)
    await task
    assert log == ["woken", "after wake"]


async def test_a_task_goes_on_soon_when_another_wakes_it() -> None:
    waiter, log = Waiter(asyncio.get_running_loop()), list[str]()
    task = asyncio.create_task(wait_for(waiter, log))
    await iterate(1)
    waiter.wake()
    waiter.wake()
    log.append("after wake")
    await task
    assert log == ["after wake", "woken"]


async def test_it_can_be_awaited_again_and_again() -> None:
    waiter, log = Waiter(asyncio.get_running_loop()), list[str]()
    for _ in range(3):
        task = asyncio.create_task(wait_for(waiter, log))
        await iterate(1)
        waiter.wake_soon()
        await task
    assert log == ["woken"] * 3
    waiter.wake()  # nobody waits
    waiter.wake_soon()
    assert not waiter.cancel()


async def test_a_task_that_is_cancelled_is_not_woken_as_well() -> None:
    loop = asyncio.get_running_loop()
    waiter, log = Waiter(loop), list[str]()
    task = asyncio.create_task(wait_for(waiter, log))
    await iterate(1)
    task.cancel("why")
    loop.call_soon(waiter.wake)
    with pytest.raises(asyncio.CancelledError):
        await task
    assert log == ["cancelled why"]
    task = asyncio.create_task(wait_for(waiter, log))  # as good as new
    await iterate(1)
    loop.call_soon(waiter.wake)
    await task
    assert log[1:] == ["woken"]


async def test_a_task_that_was_woken_can_be_cancelled_before_it_goes_on() -> None:
    waiter, log = Waiter(asyncio.get_running_loop()), list[str]()
    task = asyncio.create_task(wait_for(waiter, log))
    await iterate(1)
    waiter.wake()  # soon, since this is a task too
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert log == ["cancelled"]


async def test_a_task_keeps_its_context() -> None:
    loop = asyncio.get_running_loop()
    variable = contextvars.ContextVar("variable", default="none")
    waiter = Waiter(loop)
    seen: list[str] = []

    async def wait() -> None:
        variable.set("mine")
        await waiter.wait()
        seen.append(variable.get())

    task = asyncio.create_task(wait())
    await iterate(1)
    loop.call_soon(waiter.wake)
    await task
    assert seen == ["mine"]
    assert variable.get() == "none"


async def test_a_message_is_handled_within_the_read_that_brings_it(pair: MakePair) -> None:
    async with pair() as (connection, peer):
        loop = asyncio.get_running_loop()
        order: list[str] = []

        async def receive() -> None:
            order.append(str(await connection.recv()))

        task = asyncio.create_task(receive())
        await iterate(2)
        frame = serialized(peer, text("message"))

        def read() -> None:
            connection.receive(frame)
            order.append("read")

        loop.call_soon(read)
        await task
        assert order == ["message", "read"]


async def test_what_a_handler_raises_does_not_reach_the_transport(pair: MakePair) -> None:
    async with pair() as (connection, peer):

        async def receive() -> None:
            await connection.recv()
            raise RuntimeError("of the handler")

        task = asyncio.create_task(receive())
        await iterate(2)
        peer.send(text("1"), text("2"))
        await until(task.done)
        assert str(task.exception()) == "of the handler"
        assert await connection.recv() == "2"
