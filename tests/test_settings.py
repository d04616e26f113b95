"""Tests of ws6455.settings: environment variables with either prefix."""

import os
import subprocess
import sys

import pytest

from ws6455.settings import setting

# For each variable, the constant that it sets, and a value.
DEFAULTS = {
    "MAX_LOG_SIZE": ("ws6455.framing.frames.MAX_LOG_SIZE", "200"),
    "SERVER": ("ws6455.http1.head.SERVER", "mine"),
    "USER_AGENT": ("ws6455.http1.head.USER_AGENT", "yours"),
    "MAX_LINE_LENGTH": ("ws6455.http1.head.MAX_LINE_SIZE", "9000"),
    "MAX_NUM_HEADERS": ("ws6455.http1.head.MAX_HEADERS", "129"),
    "MAX_BODY_SIZE": ("ws6455.http1.body.MAX_BODY_SIZE", "1000"),
    "MAX_REDIRECTS": ("ws6455.client.redirects.MAX_REDIRECTS", "3"),
    "BODY_TIMEOUT": ("ws6455.client.session.BODY_TIMEOUT", "0.5"),
    "MAX_RETRY_AFTER": ("ws6455.client.retry_after.MAX_RETRY_AFTER", "30.0"),
    "MAX_FRAGMENTS": ("ws6455.protocol.protocol.MAX_FRAGMENTS", "5"),
    "BACKOFF_INITIAL_DELAY": ("ws6455.client.reconnecting.INITIAL_DELAY", "1.5"),
    "BACKOFF_MIN_DELAY": ("ws6455.client.reconnecting.MIN_DELAY", "2.5"),
    "BACKOFF_MAX_DELAY": ("ws6455.client.reconnecting.MAX_DELAY", "3.5"),
    "BACKOFF_FACTOR": ("ws6455.client.reconnecting.FACTOR", "4.5"),
}
PROGRAM = "import ws6455.aio.client\nfor name in {names}: print(eval(name))"


@pytest.mark.parametrize("prefix", ["WS6455_", "WEBSOCKETS_"])
def test_the_environment_changes_defaults(prefix: str) -> None:
    names = [name for name, _ in DEFAULTS.values()]
    given = {prefix + name: value for name, (_, value) in DEFAULTS.items()}
    shown = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(names=names)],
        env={**os.environ, **given},
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    ).stdout
    assert shown.split() == list(given.values())


def test_the_librarys_own_name_goes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEBSOCKETS_X", "1")
    assert setting("X", 0) == 1
    monkeypatch.setenv("WS6455_X", "2")
    assert setting("X", 0) == 2


def test_what_is_no_number_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WS6455_X", "many")
    with pytest.raises(ValueError, match="WS6455_X must be int, not 'many'"):
        setting("X", 0)
