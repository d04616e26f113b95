"""Tests of ws6455.http1.basic_auth."""

import pytest

from ws6455.exceptions import InvalidHeaderValue
from ws6455.http1.basic_auth import (
    build_authorization_basic,
    build_www_authenticate_basic,
    choose_check,
    parse_authorization_basic,
    read_credentials,
    unauthorized,
)
from ws6455.http1.head import Request
from ws6455.http1.headers import Headers


@pytest.mark.parametrize(
    ("username", "password"), [("user", "pass"), ("", ""), ("é", "p:w"), ("a b", "日本")]
)
def test_there_and_back(username: str, password: str) -> None:
    header = build_authorization_basic(username, password)
    assert parse_authorization_basic(header) == (username, password)
    assert parse_authorization_basic(header.replace("Basic", "bAsIc")) == (username, password)


def test_the_example_of_the_rfc() -> None:
    # RFC 7617 §2 and §2.1
    assert build_authorization_basic("Aladdin", "open sesame") == (
        "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="
    )
    assert build_authorization_basic("test", "123£") == "Basic dGVzdDoxMjPCow=="


@pytest.mark.parametrize(
    "header",
    ["", "Basic", "Basic ", "Digest abc", "Basic !!!!", "Basic YQ", "Basic YQ==", "Basic /w=="],
)
def test_what_is_no_basic_authentication(header: str) -> None:
    with pytest.raises(InvalidHeaderValue) as caught:
        parse_authorization_basic(header)
    assert caught.value.name == "Authorization"


def test_a_realm_is_quoted() -> None:
    assert build_www_authenticate_basic('a "b" \\') == (
        'Basic realm="a \\"b\\" \\\\", charset="UTF-8"'
    )


@pytest.mark.parametrize("values", [[], ["Digest x"], ["Basic dTpw", "Basic dTpw"]])
def test_a_request_without_credentials(values: list[str]) -> None:
    headers = Headers([("Authorization", value) for value in values])
    assert read_credentials(Request("/", headers)) is None


def test_credentials_of_a_request() -> None:
    assert read_credentials(Request("/", Headers(Authorization="Basic dTpw"))) == ("u", "p")


@pytest.mark.parametrize(
    "credentials", [("u", "p"), [("x", "y"), ("u", "p")], (("x", "y"), ("u", "p"))]
)
def test_one_pair_or_several(credentials: tuple[str, str] | list[tuple[str, str]]) -> None:
    check = choose_check(credentials, None)
    assert check("u", "p")
    for username, password in [
        ("u", "q"),
        ("v", "p"),
        ("u", ""),
        ("", "p"),
        ("up", ""),
        ("ü", "p"),
    ]:
        assert not check(username, password)


def test_what_a_colon_parts_is_not_mixed_up() -> None:
    # RFC 7617 §2: a username does not contain a colon, so the first colon ends it.
    assert parse_authorization_basic(build_authorization_basic("a:b", "c")) == ("a", "b:c")


@pytest.mark.parametrize("credentials", [("u",), ("u", 1), "up", {"u": "p"}, [("u", "p"), "x"]])
def test_what_is_neither_a_pair_nor_a_list_of_pairs(credentials: object) -> None:
    with pytest.raises(TypeError, match="must be a pair or a list of pairs"):
        choose_check(credentials, None)  # type: ignore[arg-type] # wrong on purpose


def test_exactly_one_way_to_check() -> None:
    with pytest.raises(ValueError, match="provide either"):
        choose_check(None, None)
    with pytest.raises(ValueError, match="provide either"):
        choose_check(("u", "p"), lambda username, password: True)


def test_the_response_asks_for_credentials() -> None:
    response = unauthorized("realm", "why\n")
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"] == 'Basic realm="realm", charset="UTF-8"'
    assert response.body == b"why\n"
