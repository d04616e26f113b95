"""ws6455.cli.opening: options of the command line as arguments of connect."""

import argparse
import ssl
from typing import Any

import pytest

from ws6455.cli.opening import CLOSE_TIMEOUT, opening_arguments

OPTIONS: dict[str, Any] = {
    "uri": "ws://host.example/",
    "header": None,
    "origin": None,
    "subprotocol": None,
    "insecure": False,
    "proxy": None,
}


def arguments(**options: Any) -> dict[str, Any]:
    return opening_arguments(argparse.Namespace(**(OPTIONS | options)))


def test_without_options_the_defaults_of_connect_count() -> None:
    assert arguments() == {
        "additional_headers": None,
        "origin": None,
        "subprotocols": None,
        "close_timeout": CLOSE_TIMEOUT,
    }


def test_headers_origin_and_subprotocols() -> None:
    given = arguments(header=[("X", "y")], origin="https://o.example", subprotocol=["a", "b"])
    assert given["additional_headers"] == [("X", "y")]
    assert given["origin"] == "https://o.example"
    assert given["subprotocols"] == ["a", "b"]


@pytest.mark.parametrize(("proxy", "expected"), [("none", None), ("http://p:1", "http://p:1")])
def test_a_proxy_or_none(proxy: str, expected: str | None) -> None:
    assert arguments(proxy=proxy)["proxy"] == expected


def test_insecure_trusts_any_certificate() -> None:
    context = arguments(uri="wss://host.example/", insecure=True)["ssl"]
    assert context.verify_mode is ssl.CERT_NONE
    assert not context.check_hostname


def test_certificates_are_checked_by_default() -> None:
    assert "ssl" not in arguments(uri="wss://host.example/")


def test_insecure_means_nothing_without_tls() -> None:
    assert "ssl" not in arguments(insecure=True)
