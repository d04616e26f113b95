"""The threaded interface: an echo server in a thread, clients with timeouts."""

# As such programs are published: without annotations.
# mypy: ignore-errors

import queue
import threading

from websockets.exceptions import ConnectionClosed, ConnectionClosedOK
from websockets.sync.client import connect
from websockets.sync.server import serve

closures = queue.Queue()


def handler(websocket):
    try:
        for message in websocket:
            if message == "close":
                websocket.close(4000, "as asked")
            else:
                websocket.send(message)
    except ConnectionClosed as exc:
        closures.put(exc)


with serve(handler, "localhost", 0) as server:
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    uri = f"ws://localhost:{server.socket.getsockname()[1]}/path"
    with connect(uri, additional_headers={"X-Test": "1"}, max_size=None) as websocket:
        websocket.send("Hello world!")
        print(websocket.recv(), websocket.request.path, websocket.response.status_code)
        try:
            websocket.recv(timeout=0.05)
        except TimeoutError as exc:
            print("timed out", type(exc).__name__)
        websocket.send([b"in ", b"parts"])
        print(websocket.recv())
        websocket.send([b"in ", b"parts"])
        print(len(list(websocket.recv_streaming())))
        print(websocket.ping().wait(10))
    print(websocket.close_code)
    with connect(uri, compression=None) as websocket:
        websocket.send("close")
        try:
            websocket.recv()
        except ConnectionClosed as exc:
            print(exc.rcvd, isinstance(exc, ConnectionClosedOK))
    print("handler", closures.get(timeout=10))
    server.shutdown()
    thread.join(10)
    print(thread.is_alive())
