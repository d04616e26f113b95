"""ws6455.compat.typing: types for annotations."""

from typing import Any


def test_types_for_annotations(websockets: Any) -> None:
    def annotated(
        websocket: websockets.WebSocketServerProtocol,
        data: websockets.Data,
        origin: websockets.Origin,
        logger: websockets.typing.LoggerLike,
        response: websockets.legacy.server.HTTPResponse,
        path: websockets.typing.PathLike,
    ) -> None: ...

    assert len(annotated.__annotations__) == 7
    assert websockets.Subprotocol("chat") == "chat"
