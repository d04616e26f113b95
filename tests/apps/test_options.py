"""apps.options: precedence of the sources, wrong usage, and secrets in the log."""

import asyncio
import logging
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import websockets

from apps.options import hide_secrets, parser, read
from tests.apps.conftest import StartApp


@pytest.fixture(autouse=True)
def clean_surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PORT", raising=False)
    monkeypatch.delenv("DEBUG", raising=False)
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


def port_of(*argv: str) -> int:
    port = read(parser("test", "A test.", port=8765), argv).port
    assert isinstance(port, int)
    return port


def test_flag_over_environment_over_file_over_default(monkeypatch: pytest.MonkeyPatch) -> None:
    assert port_of() == 8765
    Path(".env").write_text("PORT=1001\n")
    assert port_of() == 1001
    monkeypatch.setenv("PORT", "1002")
    assert port_of() == 1002
    assert port_of("server", "--port", "1003") == 1003
    assert port_of("server", "--port", "0") == 0


def test_without_dotenv_the_file_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    Path(".env").write_text("PORT=1001\n")
    monkeypatch.setitem(sys.modules, "dotenv", None)
    assert port_of() == 8765


def test_an_empty_variable_is_as_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "")
    assert port_of() == 8765


@pytest.mark.parametrize(
    ("debug", "argv", "level"),
    [
        ("", (), None),
        ("0", (), None),
        ("1", (), "debug"),
        ("true", (), "debug"),
        ("1", ("--log-level", "error"), "error"),
        ("", ("--debug",), "debug"),
    ],
)
def test_log_level(
    monkeypatch: pytest.MonkeyPatch, debug: str, argv: tuple[str, ...], level: str | None
) -> None:
    monkeypatch.setenv("DEBUG", debug)
    assert read(parser("test", "A test.", port=1), argv).log_level == level


@pytest.mark.parametrize(
    "argv",
    [
        ("dance",),
        ("server", "ws://localhost:1"),
        ("server", "--port", "65536"),
        ("server", "--port", "-1"),
        ("server", "--port", "x"),
        ("server", "--tls-cert", "cert.pem"),
        ("--tls-key", "key.pem"),
        ("server", "--token", "two words"),
        ("server", "--token", ""),
        ("server", "--log-level", "loud"),
        ("server", "--unknown"),
        ("client", "ws://localhost:1", "ws://localhost:2"),
    ],
)
def test_wrong_usage_is_status_2(argv: tuple[str, ...]) -> None:
    with pytest.raises(SystemExit) as ended:
        port_of(*argv)
    assert ended.value.code == 2


def test_a_wrong_variable_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PORT", "eight")
    with pytest.raises(SystemExit) as ended:
        port_of()
    assert ended.value.code == 2
    assert "environment variable PORT: 'eight' is not a port" in capsys.readouterr().err


def test_a_file_that_is_no_text(capsys: pytest.CaptureFixture[str]) -> None:
    Path(".env").write_bytes(b"PORT=\xff\xfe\n")
    with pytest.raises(SystemExit) as ended:
        port_of()
    assert ended.value.code == 2
    assert ".env cannot be read" in capsys.readouterr().err


def test_a_refused_token_is_not_shown(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        port_of("server", "--token", "my/secret")
    assert "secret" not in capsys.readouterr().err


def test_an_address_may_stand_after_flags() -> None:
    flags = parser("test", "A test.", port=8765, commands=("dance",))
    options = read(flags, ("client", "--token", "abc", "ws://localhost:1"))
    assert (options.command, options.token, options.url) == ("client", "abc", "ws://localhost:1")
    assert read(flags, ("dance",)).command == "dance"
    assert read(flags, ()).command is None


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("GET /?token=abc HTTP/1.1", "GET /?token=*** HTTP/1.1"),
        ("GET /?a=b&token=abc%20d HTTP/1.1", "GET /?a=***&token=*** HTTP/1.1"),
        ("> Authorization: Bearer abc", "> Authorization: ***"),
        ("authorization:Basic YTpi\r\nHost: x", "authorization:***\r\nHost: x"),
        ("nothing? to hide", "nothing? to hide"),
    ],
)
def test_hide_secrets(text: str, shown: str) -> None:
    assert hide_secrets(text) == shown


async def test_the_log_is_silent_unless_asked_for(start_app: StartApp) -> None:
    server = await start_app("greeter", "server", "--port", "0")
    port = int((await server.started()).rpartition(":")[2])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"this is no HTTP\r\n\r\n")
    await reader.read()
    writer.close()
    await writer.wait_closed()
    status, out, err = await server.stop()
    assert (status, out, err) == (0, f"Page: http://localhost:{port}/\n", "")


async def test_the_debug_log_holds_no_token(start_app: StartApp) -> None:
    secret = "Zzt-secret"
    arguments = ("server", "--port", "0", "--token", secret, "--debug")
    server = await start_app("greeter", *arguments)
    url = await server.started()
    for address, headers in (
        (f"{url}/?token={secret}", {}),
        (url, {"Authorization": f"Bearer {secret}"}),
    ):
        async with websockets.connect(address, additional_headers=headers, proxy=None) as client:
            await client.send("Alice")
            assert await client.recv() == "Hello Alice!"
    status, out, err = await server.stop()
    assert status == 0
    assert "Sec-WebSocket-Key" in err
    assert "Authorization: ***" in err
    assert secret not in out + err
