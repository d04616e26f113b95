"""ws6455.compat.extensions: permessage-deflate for single frames, and the base classes."""

from typing import Any

import pytest

import ws6455
from tests.compat.conftest import until_closed
from tests.conftest import uri_of


def negotiated(websockets: Any, **options: Any) -> tuple[Any, Any]:
    """Return the client's and the server's extension."""
    module = websockets.extensions.permessage_deflate
    client = module.ClientPerMessageDeflateFactory(**options)
    server = module.ServerPerMessageDeflateFactory()
    answer, at_server = server.process_request_params(client.get_request_params(), [])
    return client.process_response_params(answer, []), at_server


@pytest.mark.parametrize("options", [{}, {"server_no_context_takeover": True}])
def test_frames_are_compressed_and_decompressed(websockets: Any, options: Any) -> None:
    client, server = negotiated(websockets, **options)
    text, cont = ws6455.Opcode.TEXT, ws6455.Opcode.CONT
    for sender, receiver in ((client, server), (server, client)) * 2:
        for frames in (
            [websockets.Frame(text, b"hello " * 100)],
            [websockets.Frame(text, b"hel" * 99, fin=False), websockets.Frame(cont, b"lo" * 99)],
            [websockets.Frame(text, b"")],
            [websockets.Frame(ws6455.Opcode.PING, b"ping")],
        ):
            sent = [sender.encode(frame) for frame in frames]
            assert [frame.rsv1 for frame in sent] == [f.opcode is text for f in frames]
            assert [receiver.decode(frame) for frame in sent] == frames
    plain = websockets.Frame(text, b"plain")
    assert server.decode(plain) is plain


def test_a_decompressed_payload_above_the_limit_is_an_error(websockets: Any) -> None:
    client, server = negotiated(websockets)
    bomb = client.encode(websockets.Frame(ws6455.Opcode.BINARY, bytes(1 << 20)))
    with pytest.raises(websockets.PayloadTooBig):
        server.decode(bomb, max_size=1000)
    with pytest.raises(websockets.ProtocolError):
        server.decode(websockets.Frame(ws6455.Opcode.CONT, b"", rsv1=True))


def test_permessage_deflate_is_enabled_once_and_accepted_once(websockets: Any) -> None:
    module = websockets.extensions.permessage_deflate
    for enable in (
        module.enable_client_permessage_deflate,
        module.enable_server_permessage_deflate,
    ):
        (factory,) = enable(None)
        assert factory.name == "permessage-deflate"
        assert enable([factory]) == [factory]
    accepted = negotiated(websockets)
    with pytest.raises(websockets.NegotiationError):
        module.ServerPerMessageDeflateFactory().process_request_params([], accepted)
    with pytest.raises(websockets.NegotiationError):
        module.ClientPerMessageDeflateFactory().process_response_params([], accepted)


async def test_connections_with_compat_factories(websockets: Any) -> None:
    module = websockets.extensions.permessage_deflate

    async def echo(websocket: Any) -> None:
        async for message in websocket:
            await websocket.send(message)

    extensions = [module.ServerPerMessageDeflateFactory(server_max_window_bits=10)]
    async with (
        websockets.serve(echo, "127.0.0.1", 0, extensions=extensions) as server,
        websockets.connect(
            uri_of(server), extensions=[module.ClientPerMessageDeflateFactory()]
        ) as websocket,
    ):
        (extension,) = websocket.extensions
        assert isinstance(extension, module.PerMessageDeflate)
        assert extension.remote_max_window_bits == 10
        await websocket.send("hello")
        assert await websocket.recv() == "hello"


@pytest.mark.parametrize("name", ["Extension", "ClientExtensionFactory", "ServerExtensionFactory"])
def test_base_classes_are_abstract(websockets: Any, name: str) -> None:
    base = getattr(websockets.extensions, name)()
    methods: dict[str, list[tuple[str, tuple[Any, ...]]]] = {
        "Extension": [("decode", (None,)), ("encode", (None,))],
        "ClientExtensionFactory": [
            ("get_request_params", ()),
            ("process_response_params", ([], [])),
        ],
        "ServerExtensionFactory": [("process_request_params", ([], []))],
    }
    for method, arguments in methods[name]:
        # As in `websockets`: a subclass must implement these.
        with pytest.raises(NotImplementedError):
            getattr(base, method)(*arguments)


async def test_an_unsupported_extension_is_an_error(websockets: Any) -> None:
    # To mypy the classes of the fixture's module are Any.
    class Factory(websockets.extensions.ServerExtensionFactory):  # type: ignore[misc]
        name = "x-own"

    # The error is intended: see docs/migration.md.
    with pytest.raises(NotImplementedError, match="not x-own"):
        websockets.serve(until_closed, "127.0.0.1", 0, extensions=[Factory()])
