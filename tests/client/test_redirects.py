"""Targets of redirects, and the headers that are sent there."""

from typing import Any

import pytest

from ws6455 import Headers, InvalidStatus, InvalidURI, Response, SecurityError
from ws6455.client.redirects import (
    MAX_REDIRECTS,
    Destination,
    first_destination,
    location_of,
)

SECRETS = {"Cookie": "a=b", "X-Own": "c"}


def redirect_to(location: str, status: int = 302) -> InvalidStatus:
    return InvalidStatus(Response(status, "Found", Headers({"Location": location})))


def start(uri: str = "ws://here/one", **given: Any) -> Destination:
    return Destination(uri, SECRETS, given)


def follow(destination: Destination, location: str) -> str | None:
    """Follow a redirect as a client does."""
    target = destination.redirect(redirect_to(location))
    if target is not None:
        destination.move(target)
    return target


def test_the_same_origin_gets_all_headers_and_another_one_no_secrets() -> None:
    destination = start()
    assert follow(destination, "/two") == "ws://here/two"
    assert destination.headers == Headers(SECRETS)
    assert follow(destination, "ws://there/") == "ws://there/"
    assert destination.headers == Headers({"X-Own": "c"})
    assert (destination.uri, destination.ws_uri.host) == ("ws://there/", "there")
    follow(destination, "ws://here/")
    assert destination.headers == Headers({"X-Own": "c"})


def test_a_host_of_the_caller_stays_with_its_origin() -> None:
    destination = Destination("ws://here/", {"hOST": "other", "X-Own": "c"}, {})
    follow(destination, "/two")
    assert destination.headers["Host"] == "other"
    follow(destination, "ws://there/")
    assert destination.headers == Headers({"X-Own": "c"})


def test_nothing_changes_before_a_redirect_is_followed() -> None:
    destination = start()
    assert destination.redirect(redirect_to("ws://there/")) == "ws://there/"
    assert (destination.uri, destination.ws_uri.host) == ("ws://here/one", "here")
    assert destination.headers == Headers(SECRETS)


def test_the_target_that_is_followed_may_be_another_one() -> None:
    destination = start()
    destination.move("http://here/three#part")
    assert destination.uri == "ws://here/three"
    destination.move("four")
    assert destination.uri == "ws://here/four"
    with pytest.raises(InvalidURI):
        destination.move("ftp://here/")


@pytest.mark.parametrize(
    ("location", "target"),
    [
        ("/next#frag", "ws://here/next"),
        ("#frag", "ws://here/one"),
        ("", "ws://here/one"),
        ("?a=b#c?d", "ws://here/one?a=b"),
        ("//there/x", "ws://there/x"),
        ("HTTPS://there/x", "wss://there/x"),
        ("/a b", "ws://here/a%20b"),
        ("/caf\xc3\xa9?n=\xc3\xbc", "ws://here/caf%C3%A9?n=%C3%BC"),  # UTF-8, as received
        ("/caf%C3%A9", "ws://here/caf%C3%A9"),
        ("/caf\xe9", "ws://here/caf%E9"),  # ISO-8859-1
        ("ws://[fe80::1%25lo]/x", "ws://[fe80::1%25lo]/x"),
    ],
)
def test_the_form_of_a_location(location: str, target: str) -> None:
    destination = start()
    assert follow(destination, location) == target
    assert destination.uri == target
    assert destination.ws_uri.resource_name.isascii()


def test_a_host_in_utf_8_is_encoded_with_idna() -> None:
    destination = start()
    follow(destination, "ws://b\xc3\xbccher.example/")
    assert destination.ws_uri.host == "xn--bcher-kva.example"


def test_a_relative_location_keeps_the_zone_of_an_address() -> None:
    destination = start("ws://[fe80::1%25lo]:81/one")
    follow(destination, "/two")
    assert destination.ws_uri.host == "fe80::1%lo"
    assert destination.uri == "ws://[fe80::1%25lo]:81/two"


def test_several_locations_are_none() -> None:
    headers = Headers([("Location", "/a"), ("Location", "/b")])
    response = Response(302, "Found", headers)
    assert location_of(response) is None
    assert start().redirect(InvalidStatus(response)) is None


def test_a_client_is_checked_before_its_first_attempt() -> None:
    destination = first_destination("ws://here/", {"A": "b"}, {})
    assert destination is not None
    assert destination.headers["A"] == "b"
    assert first_destination(lambda: "later", lambda: None, {}) is None
    destination = first_destination("ws://here/", lambda: None, {})
    assert destination is not None
    assert not destination.headers
    with pytest.raises(InvalidURI):
        first_destination("http://here/", lambda: None, {})
    with pytest.raises(ValueError, match="Upgrade"):
        first_destination(lambda: "later", {"Upgrade": "x"}, {})


@pytest.mark.parametrize("exc", [ValueError(), redirect_to("/two", status=404)])
def test_what_is_no_redirect_leads_nowhere(exc: Exception) -> None:
    destination = start()
    assert destination.redirect(exc) is None
    assert destination.uri == "ws://here/one"


@pytest.mark.parametrize(
    ("destination", "target", "error"),
    [
        (start("wss://here/"), "ws://here/", SecurityError),
        (start(ssl=True, uri="wss://here/"), "ws://here/", SecurityError),
        (start(sock=object()), "/two", ValueError),
        (start(unix=True), "ws://there/", ValueError),
        (start(host="proxy"), "ws://there/", ValueError),
        (start(address=("proxy", 1)), "ws://there/", ValueError),
        (start(), "ftp://there/", InvalidURI),
        (start(), "ws://[::1/", InvalidURI),
        (start(), "ws://u@there/", InvalidURI),
    ],
)
def test_a_redirect_that_cannot_be_followed_changes_nothing(
    destination: Destination, target: str, error: type[Exception]
) -> None:
    before = destination.uri
    with pytest.raises(error):
        destination.redirect(redirect_to(target))
    with pytest.raises(error):
        destination.move(target)
    assert (destination.uri, destination.headers) == (before, Headers(SECRETS))


def test_a_fixed_way_leads_to_the_same_origin_as_well() -> None:
    assert start(unix=True, host="proxy").redirect(redirect_to("/two")) == "ws://here/two"


def test_there_is_a_last_redirect() -> None:
    destination = start()
    for number in range(MAX_REDIRECTS):
        follow(destination, f"/{number}")
    with pytest.raises(SecurityError, match=f"more than {MAX_REDIRECTS} redirects"):
        destination.redirect(redirect_to("/more"))
    with pytest.raises(SecurityError, match=f"more than {MAX_REDIRECTS} redirects"):
        destination.move("ws://here/more")


def test_tls_options_are_for_secure_uris() -> None:
    with pytest.raises(ValueError, match="ssl argument is incompatible"):
        start(ssl=True)
