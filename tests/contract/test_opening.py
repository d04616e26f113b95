"""The opening handshake: what each side asks for, and how it is refused."""

import logging
import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.contract.adapters import PATIENCE, FrontEnd
from tests.contract.conftest import until
from tests.contract.peers import connect_raw, listen_raw
from tests.frames import text
from ws6455 import (
    InvalidHandshake,
    InvalidMessage,
    InvalidStatus,
    InvalidURI,
    NegotiationError,
    Request,
    Response,
)
from ws6455.testing import opening_request, opening_response


def test_request_response_and_addresses_are_shown(front: FrontEnd) -> None:
    headers = {"X-Token": "abc"}
    with front.serve() as server:
        client = front.connect(server.uri + "chat?x=1", additional_headers=headers)
        other = server.accept()
        assert client.request == other.request
        assert (other.request.path, other.request.headers["X-Token"]) == ("/chat?x=1", "abc")
        assert client.response == other.response
        assert client.response.status_code == 101
        assert client.remote_address == other.local_address == ("127.0.0.1", server.port)
        assert client.local_address == other.remote_address
        assert client.id != other.id
        assert client.protocol.extensions


def test_user_agent_and_server_can_be_chosen_or_left_out(front: FrontEnd) -> None:
    for agent, chosen in ((None, None), ("mine", "yours")):
        with front.serve(server_header=chosen) as server:
            client = front.connect(server.uri, user_agent_header=agent)
            assert server.accept().request.headers.get("User-Agent") == agent
            assert client.response.headers.get("Server") == chosen


def test_a_subprotocol_is_agreed_on(front: FrontEnd) -> None:
    with front.serve(subprotocols=["b", "a"]) as server:
        client = front.connect(server.uri, subprotocols=["a", "b"])
        assert client.subprotocol == server.accept().subprotocol == "b"
        with pytest.raises(InvalidStatus, match="400"):
            front.connect(server.uri)


def test_the_server_may_choose_the_subprotocol_itself(front: FrontEnd) -> None:
    def select(connection: Any, offered: list[str]) -> str:
        if connection.request.path == "/none":
            raise NegotiationError("none will do")
        return offered[-1]

    with front.serve(subprotocols=["a", "b"], select_subprotocol=select) as server:
        assert front.connect(server.uri, subprotocols=["a", "b"]).subprotocol == "b"
        with pytest.raises(InvalidStatus, match="400"):
            front.connect(server.uri + "none", subprotocols=["a"])


@pytest.mark.parametrize(
    ("subprotocols", "error"), [("chat", TypeError), (["a b"], ValueError), (3, TypeError)]
)
def test_wrong_subprotocols_are_refused_on_either_side(
    front: FrontEnd, subprotocols: Any, error: type[Exception]
) -> None:
    with pytest.raises(error):
        front.connect("ws://127.0.0.1:1/", subprotocols=subprotocols)
    with pytest.raises(error), front.serve(subprotocols=subprotocols):
        pass


@pytest.mark.parametrize(
    ("origin", "status"),
    [("https://good.example", 101), ("https://good.example.evil", 403), (None, 403)],
)
def test_only_listed_origins_come_in(front: FrontEnd, origin: str | None, status: int) -> None:
    origins = ["https://other.example", re.compile(r"https://good\.example")]
    with front.serve(origins=origins) as server:
        if status == 101:
            assert front.connect(server.uri, origin=origin).response.status_code == 101
        else:
            with pytest.raises(InvalidStatus, match="403"):
                front.connect(server.uri, origin=origin)


def test_process_request_may_answer_instead(front: FrontEnd) -> None:
    def process_request(connection: Any, request: Request) -> Response | None:
        if request.path == "/health":
            return Response.text(200, "fine\n")
        if request.path == "/teapot":
            response: Response = connection.respond(418, "short and stout")
            return response
        return None

    with front.serve(process_request=process_request) as server:
        with connect_raw(server.port, b"HEAD /health HTTP/1.0\r\n\r\n") as peer:
            assert peer.head().startswith("HTTP/1.1 200 OK\r\n")
        with pytest.raises(InvalidStatus) as caught:
            front.connect(server.uri + "teapot")
        assert caught.value.response.body == b"short and stout"
        assert front.connect(server.uri).response.status_code == 101


def test_process_response_may_change_or_replace_the_response(front: FrontEnd) -> None:
    def process_response(connection: Any, request: Request, response: Response) -> Response | None:
        response.headers["X-Seen"] = request.path
        return Response.text(403, "no") if request.path == "/no" else None

    with front.serve(process_response=process_response) as server:
        assert front.connect(server.uri + "yes").response.headers["X-Seen"] == "/yes"
        with pytest.raises(InvalidStatus, match="403"):
            front.connect(server.uri + "no")


@pytest.mark.parametrize("option", ["process_request", "process_response", "select_subprotocol"])
def test_a_callback_that_fails_is_a_500_and_logged(
    front: FrontEnd, option: str, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError

    options: dict[str, Any] = {option: fail, "subprotocols": ["a"]}
    with front.serve(**options) as server, pytest.raises(InvalidStatus, match="500"):
        front.connect(server.uri, subprotocols=["a"])
    (record,) = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert record.getMessage() == "opening handshake failed"
    assert record.exc_info
    assert record.exc_info[0] is ZeroDivisionError


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (opening_request().replace(b"GET", b"POST"), 405),
        (opening_request(headers={"Upgrade": None}), 426),
        (opening_request(headers={"Host": None}), 400),
        (b"GET /" + b"x" * 10_000 + b" HTTP/1.1\r\n", 414),
    ],
    ids=["method", "no upgrade", "no host", "too long"],
)
def test_what_is_no_proper_request_is_refused(
    front: FrontEnd, request_bytes: bytes, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    with front.serve() as server, connect_raw(server.port, request_bytes) as peer:
        assert peer.head().startswith(f"HTTP/1.1 {status} ")
        until(lambda: any("rejected" in message for message in caplog.messages))
    (message,) = [message for message in caplog.messages if "rejected" in message]
    assert message.startswith(f"connection rejected ({status} ")


@pytest.mark.parametrize("data", [b"", b"\x16\x03\x01\x02\x00\r\n", b"GET / HT"])
def test_who_only_probes_the_port_makes_no_noise(
    front: FrontEnd, data: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with front.serve() as server:
        with connect_raw(server.port, data):
            pass
        until(lambda: any("without a request" in message for message in caplog.messages))
    assert all(record.levelno < logging.WARNING for record in caplog.records)


def test_a_client_that_does_not_come_to_the_point_is_cut_off(front: FrontEnd) -> None:
    with (
        front.serve(open_timeout=0.1) as server,
        connect_raw(server.port, opening_request()[:20]) as peer,
        pytest.raises((EOFError, ConnectionError)),
    ):
        peer.head()


def test_a_frame_glued_to_the_request_is_kept(front: FrontEnd) -> None:
    glued = opening_request() + text("early").serialize(mask=True)
    with front.serve() as server, connect_raw(server.port, glued) as peer:
        assert peer.head().startswith("HTTP/1.1 101 ")
        assert server.accept().recv() == "early"


def test_a_frame_glued_to_the_response_is_kept(front: FrontEnd) -> None:
    with listen_raw() as server, ThreadPoolExecutor(1) as pool:
        connecting = pool.submit(front.connect, server.uri)
        peer = server.accept()
        peer.send(opening_response(peer.head()), text("early"))
        assert connecting.result(PATIENCE).recv() == "early"


@pytest.mark.parametrize(
    ("response", "error"),
    [
        (b"", InvalidMessage),
        (b"HTTP/1.1 101 Switching", InvalidMessage),
        (b"SSH-2.0-OpenSSH\r\n", InvalidMessage),
        (b"HTTP/1.1 101 Switching Protocols\r\n\r\n", InvalidHandshake),
        (b"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno", InvalidStatus),
    ],
)
def test_what_is_no_proper_response_is_an_error(
    front: FrontEnd, response: bytes, error: type[Exception]
) -> None:
    with listen_raw() as server, ThreadPoolExecutor(1) as pool:
        connecting = pool.submit(front.connect, server.uri)
        peer = server.accept()
        peer.head()
        peer.send(response)
        peer.close()
        with pytest.raises(error):
            connecting.result(PATIENCE)


def test_a_server_that_does_not_answer_is_given_up(front: FrontEnd) -> None:
    with listen_raw() as server, pytest.raises(TimeoutError, match="opening handshake"):
        front.connect(server.uri, open_timeout=0.1)


def test_nobody_listening_is_an_oserror(front: FrontEnd) -> None:
    with listen_raw() as server:
        uri = server.uri
    with pytest.raises(ConnectionRefusedError):
        front.connect(uri)


@pytest.mark.parametrize(
    ("uri", "options", "error"),
    [
        ("http://localhost/", {}, InvalidURI),
        ("ws://localhost/", {"ssl": True}, ValueError),
        ("ws://localhost/", {"compression": "brotli"}, ValueError),
        ("ws://localhost/", {"max_queue": (1, 2)}, ValueError),
    ],
)
def test_wrong_arguments_are_refused_before_anything_is_sent(
    front: FrontEnd, uri: str, options: dict[str, Any], error: type[Exception]
) -> None:
    with pytest.raises(error):
        front.connect(uri, **options)
