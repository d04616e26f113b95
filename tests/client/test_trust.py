"""Tests of ws6455.client.trust: the default TLS context is loaded once."""

import ssl
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ws6455.client import trust
from ws6455.client.trust import default_context, loaded_context


class Loads:
    """A replacement for `ssl.create_default_context` that counts its calls."""

    def __init__(self) -> None:
        self.count = 0
        self.begun = threading.Event()
        self.go_on = threading.Event()
        self.go_on.set()

    def __call__(self) -> ssl.SSLContext:
        self.count += 1
        self.begun.set()
        assert self.go_on.wait(5)
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch) -> Loads:
    replacement = Loads()
    monkeypatch.setattr(ssl, "create_default_context", replacement)
    monkeypatch.setattr(trust, "_loaded", (None, None))
    return replacement


def test_d16_it_is_loaded_once(loads: Loads) -> None:
    assert loaded_context() is None
    context = default_context()
    assert default_context() is context
    assert loaded_context() is context
    assert loads.count == 1


def test_d16_calls_at_the_same_time_load_it_once(loads: Loads) -> None:
    loads.go_on.clear()
    with ThreadPoolExecutor(8) as pool:
        contexts = [pool.submit(default_context) for _ in range(8)]
        assert loads.begun.wait(5)
        assert loaded_context() is None
        loads.go_on.set()
        assert len({id(context.result(5)) for context in contexts}) == 1
    assert loads.count == 1


def test_a_failure_is_not_kept(monkeypatch: pytest.MonkeyPatch, loads: Loads) -> None:
    def fail() -> ssl.SSLContext:
        raise OSError("no such file")

    with monkeypatch.context() as patch:
        patch.setattr(ssl, "create_default_context", fail)
        with pytest.raises(OSError, match="no such file"):
            default_context()
    default_context()
    assert loads.count == 1


@pytest.mark.parametrize("name", ["SSL_CERT_FILE", "SSL_CERT_DIR", "SSLKEYLOGFILE"])
def test_another_environment_loads_it_again(
    monkeypatch: pytest.MonkeyPatch, loads: Loads, name: str, tmp_path: Path
) -> None:
    first = default_context()
    monkeypatch.setenv(name, str(tmp_path / "x"))
    assert loaded_context() is None
    assert default_context() is not first
    assert loads.count == 2


def test_a_replaced_class_is_used(monkeypatch: pytest.MonkeyPatch, loads: Loads) -> None:
    # As the package truststore does it.
    first = default_context()
    monkeypatch.setattr(ssl, "SSLContext", type("SSLContext", (ssl.SSLContext,), {}))
    assert default_context() is not first


def test_it_verifies() -> None:
    context = default_context()
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
