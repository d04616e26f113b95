"""A FastAPI application of the kinds of routes that programs have."""

from typing import Annotated, Any

from fastapi import (
    Depends,
    FastAPI,
    Header,
    HTTPException,
    WebSocket,
    WebSocketDisconnect,
    WebSocketException,
)

app = FastAPI()
room: dict[str, WebSocket] = {}
left: list[tuple[str, int, str]] = []


@app.get("/page")
async def page(size: int = 0) -> dict[str, str]:
    return {"page": "x" * size}


@app.websocket("/text")
async def text(websocket: WebSocket) -> None:
    await websocket.accept()
    async for message in websocket.iter_text():
        await websocket.send_text(message.upper())


@app.websocket("/json")
async def json(websocket: WebSocket) -> None:
    await websocket.accept()
    async for message in websocket.iter_json():
        await websocket.send_json({"got": message})


@app.websocket("/bytes")
async def octets(websocket: WebSocket) -> None:
    await websocket.accept()
    async for message in websocket.iter_bytes():
        await websocket.send_bytes(message[::-1])


@app.websocket("/subprotocol")
async def subprotocol(websocket: WebSocket) -> None:
    offered: list[str] = websocket.scope["subprotocols"]
    await websocket.accept(subprotocol=offered[-1], headers=[(b"x-chosen", b"last")])
    await websocket.send_text(", ".join(offered))
    await websocket.close()


async def user_of(x_token: Annotated[str | None, Header()] = None) -> str:
    if x_token is None:
        raise WebSocketException(1008, "no token")
    if x_token != "secret":
        raise HTTPException(401, "wrong token", {"X-Hint": "secret"})
    return "Alice"


@app.websocket("/user/{item}")
async def user(
    websocket: WebSocket, item: int, name: Annotated[str, Depends(user_of)], page: int = 1
) -> None:
    await websocket.accept()
    await websocket.send_json([name, item, page])
    await websocket.close(4003, "that is all")


@app.websocket("/late")
async def late(websocket: WebSocket) -> None:
    await websocket.accept()
    raise WebSocketException(1008, "changed my mind")


@app.websocket("/room/{name}")
async def join(websocket: WebSocket, name: str) -> None:
    await websocket.accept()
    room[name] = websocket
    try:
        await tell({"joined": name})
        while True:
            await tell({"from": name, "said": await websocket.receive_json()})
    except WebSocketDisconnect as exc:
        del room[name]
        left.append((name, exc.code, exc.reason))
        await tell({"left": name})


async def tell(message: Any) -> None:
    for websocket in room.values():
        await websocket.send_json(message)
