"""ws6455.server.routing: from the path of a request to a handler, without a server."""

import subprocess
import sys
from typing import Any

import pytest
from werkzeug.routing import Map, Rule

from ws6455.http1.head import Request, Response
from ws6455.http1.headers import Headers
from ws6455.server.routing import Routing


def index() -> None: ...
def room() -> None: ...


URL_MAP = Map(
    [
        Rule("/", endpoint=index),
        Rule("/room/<name>/", endpoint=room),
        Rule("/room/<name>/<int:number>", endpoint=room, websocket=True),
    ]
)


class Connection:
    """The part of a connection that routing uses."""

    handler: Any = None
    handler_kwargs: dict[str, Any]

    def respond(self, status: int, text: str) -> Response:
        return Response.text(status, text)


def route(
    path: str, routing: Routing | None = None, headers: Headers | None = None
) -> tuple[Connection, Response | None]:
    connection = Connection()
    request = Request(path, Headers(Host="here:8080") if headers is None else headers)
    return connection, (routing or Routing(URL_MAP)).route_request(connection, request)


@pytest.mark.parametrize(
    ("path", "handler", "arguments"),
    [
        ("/", index, {}),
        ("/?a=b", index, {}),
        ("/room/blue/", room, {"name": "blue"}),
        ("/room/sky%20blue/?a=b", room, {"name": "sky blue"}),
        ("/room/blue/7", room, {"name": "blue", "number": 7}),
    ],
)
def test_the_handler_and_the_captured_values(
    path: str, handler: Any, arguments: dict[str, Any]
) -> None:
    connection, response = route(path)
    assert response is None
    assert (connection.handler, connection.handler_kwargs) == (handler, arguments)


@pytest.mark.parametrize("path", ["/other", "/room/", "/room/blue/x", "/room/blue/-7"])
def test_a_path_without_a_handler_is_404(path: str) -> None:
    connection, response = route(path)
    assert response is not None
    assert response.status_code == 404
    assert connection.handler is None


@pytest.mark.parametrize(
    ("routing", "location"),
    [
        (Routing(URL_MAP), "ws://here:8080/room/blue/?x=y"),
        (Routing(URL_MAP, url_scheme="wss"), "wss://here:8080/room/blue/?x=y"),
        (Routing(URL_MAP, "there.example", "wss"), "wss://there.example/room/blue/?x=y"),
    ],
)
def test_another_form_of_a_path_is_redirected(routing: Routing, location: str) -> None:
    _, response = route("/room/blue?x=y", routing)
    assert response is not None
    assert (response.status_code, response.headers["Location"]) == (302, location)


@pytest.mark.parametrize(
    "headers", [Headers(), Headers([("Host", "a"), ("Host", "b")]), Headers(Host="a..b")]
)
def test_a_host_that_is_missing_repeated_or_invalid_is_400(headers: Headers) -> None:
    _, response = route("/", headers=headers)
    assert response is not None
    assert response.status_code == 400


def test_a_server_name_makes_the_host_irrelevant() -> None:
    connection, response = route("/", Routing(URL_MAP, "there.example"), Headers())
    assert response is None
    assert connection.handler is index


def test_a_subclass_may_answer_itself() -> None:
    class Mine(Routing):
        def not_found(self, connection: Any) -> Response:
            return Response.text(410, "Gone\n")

    _, response = route("/other", Mine(URL_MAP))
    assert response is not None
    assert response.status_code == 410


def test_werkzeug_is_needed_for_an_instance_only() -> None:
    program = (
        "import sys; sys.modules['werkzeug'] = None\n"
        "from ws6455.server.routing import Routing\n"
        "try: Routing(None)\n"
        "except ImportError as exc: print(exc)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout == "routing needs werkzeug: pip install 'ws6455[routing]'\n"
