"""Targets of redirects, and the headers that are sent there."""

from typing import Any

import pytest

from ws6455 import Headers, InvalidStatus, InvalidURI, Response, SecurityError
from ws6455.client.redirects import MAX_REDIRECTS, Destination

SECRETS = {"Cookie": "a=b", "X-Own": "c"}


def redirect_to(location: str, status: int = 302) -> InvalidStatus:
    return InvalidStatus(Response(status, "Found", Headers({"Location": location})))


def start(uri: str = "ws://here/one", **given: Any) -> Destination:
    return Destination(uri, SECRETS, given)


def test_the_same_origin_gets_all_headers_and_another_one_no_secrets() -> None:
    destination = start()
    assert destination.redirect(redirect_to("/two")) == "ws://here/two"
    assert destination.headers is SECRETS
    assert destination.redirect(redirect_to("ws://there/")) == "ws://there/"
    assert destination.headers == Headers({"X-Own": "c"})
    assert (destination.uri, destination.ws_uri.host) == ("ws://there/", "there")


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
    ],
)
def test_a_redirect_that_cannot_be_followed_changes_nothing(
    destination: Destination, target: str, error: type[Exception]
) -> None:
    before = destination.uri
    with pytest.raises(error):
        destination.redirect(redirect_to(target))
    assert (destination.uri, destination.headers) == (before, SECRETS)


def test_a_fixed_way_leads_to_the_same_origin_as_well() -> None:
    assert start(unix=True, host="proxy").redirect(redirect_to("/two")) == "ws://here/two"


def test_there_is_a_last_redirect() -> None:
    destination = start()
    for number in range(MAX_REDIRECTS):
        destination.redirect(redirect_to(f"/{number}"))
    with pytest.raises(SecurityError, match=f"more than {MAX_REDIRECTS} redirects"):
        destination.redirect(redirect_to("/more"))


def test_tls_options_are_for_secure_uris() -> None:
    with pytest.raises(ValueError, match="ssl argument is incompatible"):
        start(ssl=True)
