"""The JSON messages byte for byte, with clients on the `websockets` package."""

import asyncio
import contextlib
import json
from typing import Any

import pytest
import websockets

from apps.box import wire
from tests.apps.box.conftest import ServeGame, receive
from tests.apps.conftest import StartApp

GREEN_AT_START = '{"positions": {"1": {"x": 210, "y": 150, "color": "green"}}}'


async def test_first_messages_and_a_move(serve_game: ServeGame) -> None:
    _, url = await serve_game()
    async with websockets.connect(url) as client:
        assert await client.recv() == '{"your_color": "green"}'
        assert await client.recv() == GREEN_AT_START
        await client.send(json.dumps({"move": {"x": 5, "y": 0}}))
        assert await client.recv() == '{"positions": {"1": {"x": 215, "y": 150, "color": "green"}}}'


async def test_without_a_change_nothing_is_sent(serve_game: ServeGame) -> None:
    _, url = await serve_game()
    async with websockets.connect(url) as client:
        await client.recv()
        await client.recv()
        await client.send('{"move": {"x": 0, "y": 0}}')
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await client.recv()


async def test_everybody_is_told_who_comes_and_goes(serve_game: ServeGame) -> None:
    _, url = await serve_game()
    async with websockets.connect(url) as green:
        await green.recv()
        assert await green.recv() == GREEN_AT_START
        async with websockets.connect(url) as blue:
            both = (
                '{"positions": {"1": {"x": 210, "y": 150, "color": "green"}, '
                '"2": {"x": 525, "y": 375, "color": "blue"}}}'
            )
            assert await blue.recv() == '{"your_color": "blue"}'
            assert await blue.recv() == both
            assert await green.recv() == both
        assert await green.recv() == GREEN_AT_START


WRONG_MESSAGES = [
    ("", "That is not JSON."),
    ("left", "That is not JSON."),
    ("[" * 4000, "That is not JSON."),
    ('{"move": {"x": ' + "1" * 4500 + ', "y": 0}}', "That is not JSON."),
    ("[]", 'Send {"move": {"x": 5, "y": 0}}.'),
    ("{}", 'Send {"move": {"x": 5, "y": 0}}.'),
    ('{"positions": {}}', 'Send {"move": {"x": 5, "y": 0}}.'),
    ('{"move": 5}', 'Send {"move": {"x": 5, "y": 0}}.'),
    ('{"move": {"x": 5}}', 'Send {"move": {"x": 5, "y": 0}}.'),
    ('{"move": {"x": 5.5, "y": 0}}', "move.x is not a whole number."),
    ('{"move": {"x": "5", "y": 0}}', "move.x is not a whole number."),
    ('{"move": {"x": true, "y": 0}}', "move.x is not a whole number."),
    ('{"move": {"x": 0, "y": null}}', "move.y is not a whole number."),
    ('{"move": {"x": 0, "y": NaN}}', "move.y is not a whole number."),
    ('{"move": {"x": -Infinity, "y": 0}}', "move.x is not a whole number."),
    ('{"move": {"x": 801, "y": 0}}', "move.x is not within -800 to 800."),
    ('{"move": {"x": 0, "y": -1e400}}', "move.y is not a whole number."),
    ('{"ping": "now"}', "ping is not a whole number."),
    (b'{"move": {"x": 5, "y": 0}}', "Send text, not binary."),
]


@pytest.mark.parametrize(("message", "answer"), WRONG_MESSAGES)
async def test_a_wrong_message_is_answered_and_changes_nothing(
    serve_game: ServeGame, message: str | bytes, answer: str
) -> None:
    _, url = await serve_game()
    async with websockets.connect(url) as client:
        await client.recv()
        before = await receive(client)
        await client.send(message)
        assert await receive(client) == {"error": answer}
        await client.send('{"move": {"x": 5, "y": 5}}')
        after = await receive(client)
    before["positions"]["1"]["x"] += 5
    before["positions"]["1"]["y"] += 5
    assert after == before


async def test_five_wrong_messages_in_a_row_close_with_1008(serve_game: ServeGame) -> None:
    _, url = await serve_game()
    async with websockets.connect(url) as client:
        await client.recv()
        await client.recv()
        for message in ["?"] * 4 + ['{"move": {"x": 0, "y": 0}}'] + ["?"] * 5:
            await client.send(message)
        answers = [await receive(client) for _ in range(9)]
        assert answers == [{"error": "That is not JSON."}] * 9
        with pytest.raises(websockets.ConnectionClosedError):
            await client.recv()
        assert client.close_code == 1008


async def test_a_message_over_4_kib_closes_with_1009(start_app: StartApp) -> None:
    app = await start_app("box", "server", "--port", "0", "--web-port", "0")
    async with websockets.connect(await app.started()) as client:
        await client.recv()
        await client.recv()
        await client.send(" " * 4096)
        assert await receive(client) == {"error": "That is not JSON."}
        await client.send(" " * 4097)
        with pytest.raises(websockets.ConnectionClosedError):
            await client.recv()
        assert client.close_code == 1009


async def test_the_65th_player_is_refused_and_gets_in_when_one_leaves(
    serve_game: ServeGame,
) -> None:
    _, url = await serve_game()
    async with contextlib.AsyncExitStack() as stack:
        colors = []
        for _ in range(64):
            # These clients receive nothing more, and must still be able to close.
            joining = websockets.connect(url, max_queue=None)
            client = await stack.enter_async_context(joining)
            colors.append((await receive(client))["your_color"])
        assert len(set(colors)) == 64
        async with websockets.connect(url) as refused:
            with pytest.raises(websockets.ConnectionClosedError):
                await refused.recv()
            assert (refused.close_code, refused.close_reason) == (
                1013,
                "The world is full: 64 players.",
            )
        await client.close()
        async with websockets.connect(url) as late:
            assert await receive(late) == {"your_color": colors[-1]}


async def test_a_ping_is_answered(serve_game: ServeGame) -> None:
    _, url = await serve_game()
    async with websockets.connect(url) as client:
        await client.recv()
        await client.recv()
        await client.send('{"ping": 7}')
        assert await client.recv() == '{"pong": 7}'


async def test_names_go_to_those_alone_whose_address_has_one(serve_game: ServeGame) -> None:
    _, url = await serve_game()
    async with (
        websockets.connect(url) as plain,
        websockets.connect(url + "/?name=") as nameless,
        websockets.connect(url + "/?name=%20Zo%65%CC%88%20") as zoe,
    ):
        assert [list(await receive(zoe)) for _ in range(3)] == [
            ["your_color"],
            ["positions"],
            ["names"],
        ]
        heard: dict[str, list[Any]] = {"plain": [], "nameless": []}
        for client, messages in ((plain, heard["plain"]), (nameless, heard["nameless"])):
            await client.send('{"ping": 1}')
            while (message := await receive(client)) != {"pong": 1}:
                messages.append(message)
        assert {key for message in heard["plain"] for key in message} == {
            "your_color",
            "positions",
        }
        assert heard["nameless"][-1] == {"names": {"3": "Zoë"}}


async def test_a_name_that_is_none_is_no_name(serve_game: ServeGame) -> None:
    game, url = await serve_game()
    async with websockets.connect(url + "/?name=%E2%80%AEeve") as client:
        await client.recv()
        assert game.world.players["1"].name == ""
    async with websockets.connect(url + "/?name=" + "x" * 40) as client:
        await client.recv()
        assert game.world.players["2"].name == "x" * 16


def test_what_a_server_says_is_read_back() -> None:
    positions = '{"positions": {"a": {"x": 1, "y": 2, "color": "red"}, "b": {"x": "1"}, '
    positions += '"c": {"x": 1e9, "y": 0, "color": "red"}, '
    positions += '"d": {"x": 1, "y": -100000000000000000000, "color": "red"}}}'
    assert wire.parse_from_server('{"your_color": "red"}') == wire.YourColor("red")
    assert wire.parse_from_server(positions) == wire.Positions({"a": wire.Box(1, 2, "red")})
    assert wire.parse_from_server('{"names": {"a": "Ada"}}') == wire.Names({"a": "Ada"})
    assert wire.parse_from_server('{"chat": "hello"}') is None
    with pytest.raises(wire.WireError):
        wire.parse_from_server("hello")
