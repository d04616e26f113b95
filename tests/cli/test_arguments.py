"""Tests of the options: errors in one line, the exit status, the help."""

import math
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import ws6455.cli.connect
from tests.cli.conftest import environment
from ws6455 import __version__
from ws6455.__main__ import main
from ws6455.cli.arguments import parse

URI = "ws://localhost"


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ([], "ws6455: the following arguments are required: COMMAND"),
        (["juggle"], "ws6455: argument COMMAND: invalid choice: 'juggle'"),
        (["connect"], "ws6455 connect: the following arguments are required: URI"),
        (["connect", "localhost"], "ws6455 connect: argument URI: localhost isn't a valid URI"),
        (["connect", "http://x"], "ws6455 connect: argument URI: http://x isn't a valid URI"),
        (["connect", URI, "--header", "x"], "ws6455 connect: argument --header: 'x' is not a "),
        (["connect", URI, "--header", "a b: c"], "ws6455 connect: argument --header: 'a b: c' is"),
        (["connect", URI, "--header", "a: b\nc"], "ws6455 connect: argument --header: 'a: b\\nc'"),
        (
            ["connect", URI, "--origin", "a\nb"],
            "ws6455 connect: argument --origin: 'Origin: a\\nb'",
        ),
        (["connect", URI, "--wait", "-1"], "ws6455 connect: argument --wait: '-1' is not a n"),
        (["connect", URI, "--ping", "nan"], "ws6455 connect: argument --ping: 'nan' is not a n"),
        (["connect", URI, "--max-size", "1k"], "ws6455 connect: argument --max-size: '1k' is not"),
        (["connect", URI, "--proxy", "x:y"], "ws6455 connect: x:y isn't a valid proxy"),
        (["connect", URI, "--proxy", "http://me:secret@x/y"], "ws6455 connect: http://x/y isn't"),
        (["connect", URI, "--subprotocol", "a b"], "ws6455 connect: "),
        (["serve", "--port", "65536"], "ws6455 serve: argument --port: '65536' is not a p"),
        (["serve", "--key", "x"], "ws6455 serve: --key requires --certificate"),
        (["serve", "--unix", "x", "--port", "1"], "ws6455 serve: --unix cannot be used with --h"),
        (["serve", "--echo", "--broadcast"], "ws6455 serve: argument --broadcast: not allowed"),
        (["serve", "--app", "os"], "ws6455 serve: 'os' is not of the form MODULE:HANDLER"),
        (["serve", "--app", ".x:y"], "ws6455 serve: '.x:y' is not of the form MODULE:HANDLER"),
        (["serve", "--app", "nowhere:x"], "ws6455 serve: there is no module nowhere"),
        (["serve", "--app", "os.nowhere:x"], "ws6455 serve: there is no module os.nowhere"),
        (["serve", "--app", "os:path.no"], "ws6455 serve: there is no path.no in the module os"),
        (["serve", "--app", "os:sep"], "ws6455 serve: os:sep is not callable"),
        (["serve", "--certificate", "/nowhere"], "ws6455 serve: cannot use /nowhere: no such file"),
        (["serve", "--certificate", __file__], f"ws6455 serve: cannot use {__file__}: not a cert"),
        (["bench", URI, "--connections", "0"], "ws6455 bench: argument --connections: '0' is not"),
        (["bench", URI, "--seconds", "0"], "ws6455 bench: argument --seconds: '0' is not a n"),
    ],
)
def test_wrong_usage_is_one_line_and_status_2(
    arguments: list[str], error: str, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        status = main(arguments)
    except SystemExit as exc:
        status = int(exc.code or 0)
    out, err = capsys.readouterr()
    assert (status, out) == (2, "")
    assert err.startswith(error)
    assert err.count("\n") == 1


@pytest.mark.parametrize("command", ["connect", "bench"])
@pytest.mark.parametrize("scheme", ["ws", "wss"])
def test_an_unreachable_server_is_one_line_and_status_1(
    command: str, scheme: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    address = f"127.0.0.1:{port}/path"
    assert main([command, f"{scheme}://user:secret@{address}", "--proxy", "none"]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err == f"ws6455 {command}: cannot reach {scheme}://{address}: connection refused\n"


def test_a_name_that_cannot_be_one_is_one_line_and_status_1(
    capsys: pytest.CaptureFixture[str],
) -> None:
    uri = f"ws://{'a' * 64}.example"
    assert main(["connect", uri]) == 1
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert err.startswith(f"ws6455 connect: cannot reach {uri}: ")


def test_a_port_in_use_is_one_line_and_status_1(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as used:
        port = used.getsockname()[1]
        assert main(["serve", "--host", "127.0.0.1", "--port", str(port)]) == 1
    expected = f"ws6455 serve: cannot listen on 127.0.0.1 port {port}: address already in use\n"
    assert capsys.readouterr() == ("", expected)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--ping", "0"], {"ping_interval": None}),
        (["--ping", "5"], {"ping_interval": 5.0}),
        (["--max-size", "0"], {"max_size": None}),
        (["--proxy", "none"], {"proxy": None}),
        (["--no-compression"], {"compression": None}),
    ],
)
def test_what_a_value_that_is_none_stands_for(
    arguments: list[str], expected: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    given: dict[str, Any] = {}

    async def refuse(uri: str, **options: Any) -> None:
        given.update(options)
        raise ConnectionRefusedError

    monkeypatch.setattr(ws6455.cli.connect, "open_connection", refuse)
    assert main(["connect", URI]) == 1
    assert given | expected != given
    assert main(["connect", URI, *arguments]) == 1
    assert given | expected == given


@pytest.mark.parametrize("command", [[], ["connect"], ["serve"], ["bench"], ["run"]])
def test_every_command_has_help(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as excinfo:
        main([*command, "--help"])
    out, err = capsys.readouterr()
    assert (excinfo.value.code, err) == (0, "")
    assert " ".join(["usage: python -m ws6455", *command]) in out


def test_the_version(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "ws6455", "--version"]
    shown = subprocess.run(
        command, cwd=tmp_path, env=environment(), capture_output=True, timeout=20
    )
    assert (shown.returncode, shown.stdout) == (0, f"ws6455 {__version__}\n".encode())


def test_what_may_be_given_more_than_once() -> None:
    headers = ["--header", "A: b:c", "--header", "d:"]
    subprotocols = ["--subprotocol", "one", "--subprotocol", "two"]
    options = parse(["connect", URI, *headers, *subprotocols, "--wait", "inf"])
    assert options.header == [("A", "b:c"), ("d", "")]
    assert options.subprotocol == ["one", "two"]
    assert math.isinf(options.wait)
