"""ws6455.exceptions: what each exception carries, and how it reads."""

import inspect
import pickle

import pytest

import ws6455
import ws6455.exceptions
from ws6455 import exceptions as errors
from ws6455.framing.frames import Close
from ws6455.http1.head import Response
from ws6455.http1.headers import Headers

NORMAL = Close(1000, "bye")
AWAY = Close(1001, "")


def test_every_exception_is_exported_everywhere() -> None:
    defined = {
        name
        for name, value in vars(errors).items()
        if inspect.isclass(value) and issubclass(value, Exception)
    }
    assert set(errors.__all__) == defined
    for name in defined:
        assert getattr(ws6455, name) is getattr(errors, name)
        assert getattr(ws6455.exceptions, name) is getattr(errors, name)


@pytest.mark.parametrize("name", errors.__all__)
def test_every_exception_has_the_one_base(name: str) -> None:
    assert issubclass(getattr(errors, name), errors.WebSocketException)


@pytest.mark.parametrize(
    ("exc", "text"),
    [
        (errors.ConnectionClosedError(None, None), "no close frame received or sent"),
        (
            errors.ConnectionClosedError(NORMAL, None),
            "received 1000 (OK) bye; no close frame sent",
        ),
        (
            errors.ConnectionClosedError(None, AWAY),
            "sent 1001 (going away); no close frame received",
        ),
        (
            errors.ConnectionClosedOK(NORMAL, AWAY, True),
            "received 1000 (OK) bye; then sent 1001 (going away)",
        ),
        (
            errors.ConnectionClosedOK(NORMAL, AWAY, False),
            "sent 1001 (going away); then received 1000 (OK) bye",
        ),
        (
            errors.PayloadTooBig(None, 10),
            "message exceeds the limit of 10 bytes: see max_size",
        ),
        (
            errors.PayloadTooBig(11, 10),
            "frame with 11 bytes exceeds the limit of 10 bytes: see max_size",
        ),
        (
            errors.PayloadTooBig(6, 10, 5),
            "frame with 6 bytes after 5 bytes exceeds the limit of 10 bytes: see max_size",
        ),
        (
            errors.TooManyFragments(3),
            "message exceeds the limit of 3 fragments: see max_fragments",
        ),
        (errors.InvalidURI("x://y", "bad"), "x://y isn't a valid URI: bad"),
        (errors.InvalidMethod("PUT"), "invalid HTTP method; expected GET; got PUT"),
        (
            errors.InvalidProtocol("HTTP/1.0"),
            "invalid HTTP version; expected HTTP/1.1; got HTTP/1.0",
        ),
        (
            errors.InvalidStatus(Response(403, "Forbidden", Headers())),
            "server rejected WebSocket connection: HTTP 403",
        ),
        (errors.InvalidHeader("Host"), "missing Host header"),
        (errors.InvalidHeader("Host", ""), "empty Host header"),
        (errors.InvalidHeader("Host", "a b"), "invalid Host header: a b"),
        (
            errors.InvalidHeaderFormat("Upgrade", "expected token", "@", 0),
            "invalid Upgrade header: expected token at 0 in @",
        ),
        (errors.InvalidOrigin(None), "missing Origin header"),
        (errors.InvalidOrigin("http://evil"), "invalid Origin header: http://evil"),
        (errors.DuplicateParameter("bits"), "duplicate parameter: bits"),
        (errors.InvalidParameterName("bats"), "invalid parameter name: bats"),
        (errors.InvalidParameterValue("bits", None), "missing value for parameter bits"),
        (errors.InvalidParameterValue("bits", ""), "empty value for parameter bits"),
        (errors.InvalidParameterValue("bits", "7"), "invalid value for parameter bits: 7"),
    ],
)
def test_text(exc: Exception, text: str) -> None:
    assert str(exc) == text


@pytest.mark.parametrize(
    "frozen",
    [
        errors.ConnectionClosedOK(NORMAL, AWAY, True),
        errors.PayloadTooBig(6, 10, 5),
        errors.TooManyFragments(3),
        errors.InvalidURI("x://y", "bad"),
        errors.InvalidMethod("PUT"),
        errors.InvalidHeader("Host", "a b"),
        errors.InvalidHeaderFormat("Upgrade", "expected token", "@", 0),
        errors.InvalidOrigin("http://evil"),
        errors.InvalidParameterValue("bits", "7"),
    ],
    ids=lambda exc: type(exc).__name__,
)
def test_an_exception_survives_a_process_pool(frozen: Exception) -> None:
    copy = pickle.loads(pickle.dumps(frozen))
    assert type(copy) is type(frozen)
    assert str(copy) == str(frozen)


def test_a_lost_connection_names_its_cause() -> None:
    exc = errors.ConnectionClosedError(None, None)
    exc.__cause__ = ConnectionResetError("reset by peer")
    assert str(exc) == "no close frame received or sent (reset by peer)"


@pytest.mark.parametrize(
    ("rcvd", "code", "reason"),
    [(NORMAL, 1000, "bye"), (None, 1006, ""), (Close(1005, ""), 1005, "")],
)
def test_code_and_reason_are_those_received(rcvd: Close | None, code: int, reason: str) -> None:
    exc = errors.ConnectionClosed(rcvd, AWAY)
    assert (exc.code, exc.reason) == (code, reason)


def test_close_codes_that_fail_a_connection() -> None:
    assert errors.ProtocolError.close_code == 1002
    assert errors.InvalidPayloadData.close_code == 1007
    assert errors.PayloadTooBig(1, 0).close_code == 1009
    assert errors.TooManyFragments(1).close_code == 1009


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        (errors.InvalidHandshake, 400),
        (errors.InvalidMessage, 400),
        (errors.SecurityError, 400),
        (errors.InvalidHeader, 400),
        (errors.NegotiationError, 400),
        (errors.InvalidOrigin, 403),
        (errors.InvalidMethod, 405),
        (errors.RequestLineTooLong, 414),
        (errors.InvalidUpgrade, 426),
        (errors.UnsupportedVersion, 426),
        (errors.HeaderLineTooLong, 431),
        (errors.TooManyHeaders, 431),
        (errors.InvalidProtocol, 505),
    ],
)
def test_status_that_answers_a_request(kind: type[errors.InvalidHandshake], status: int) -> None:
    assert kind.status == status


@pytest.mark.parametrize(
    ("uri", "shown"),
    [
        ("ws://user:pass@host/p@th", "ws://host/p@th"),
        ("ws://user:p@ss@host?a@b", "ws://host?a@b"),
        ("wss://host/user:pass@x", "wss://host/user:pass@x"),
        ("host", "host"),
    ],
)
def test_credentials_in_a_uri_are_hidden(uri: str, shown: str) -> None:
    assert errors.hide_credentials(uri) == shown


def test_kinds_that_programs_catch_as_builtin_ones() -> None:
    assert issubclass(errors.InvalidState, AssertionError)
    assert issubclass(errors.ConcurrencyError, RuntimeError)
