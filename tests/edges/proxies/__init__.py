"""nginx and HAProxy, which the tests start with the configurations in this folder."""

import contextlib
import csv
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.conftest import until

__all__ = ["HAProxy", "haproxy", "nginx"]

FOLDER = Path(__file__).parent
NGINX_STREAM_MODULE = Path("/usr/lib/nginx/modules/ngx_stream_module.so")


def free_ports(*names: str) -> dict[str, int]:
    """Return ports by name that nothing listens on."""
    with contextlib.ExitStack() as stack:
        sockets = {name: stack.enter_context(socket.socket()) for name in names}
        for sock in sockets.values():
            sock.bind(("127.0.0.1", 0))
        return {name: sock.getsockname()[1] for name, sock in sockets.items()}


def is_listening(address: int | Path) -> bool:
    """Return True if something listens on a port, or on the path of a Unix socket."""
    with socket.socket(socket.AF_INET if isinstance(address, int) else socket.AF_UNIX) as sock:
        target = ("127.0.0.1", address) if isinstance(address, int) else str(address)
        return sock.connect_ex(target) == 0


@contextlib.contextmanager
def running(
    name: str, command: list[str], directory: Path, ports: dict[str, int], **values: object
) -> Iterator[Path]:
    """Run a proxy with its configuration, in which the values are replaced."""
    text = (FOLDER / name).read_text()
    for key, value in {**ports, **values, "DIRECTORY": directory}.items():
        text = text.replace(f"@{key}@", str(value))
    configuration = directory / name
    configuration.write_text(text)
    log = directory / f"{name}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*command, str(configuration)], stdout=output, stderr=subprocess.STDOUT, cwd=directory
        )
    try:

        def is_ready() -> bool:
            assert process.poll() is None, log.read_text()
            return is_listening(list(ports.values())[-1])  # it opens them in this order

        until(is_ready)
        yield directory
    finally:
        process.kill()
        process.wait()


@contextlib.contextmanager
def nginx(path: str, directory: Path, server_port: int) -> Iterator[dict[str, int]]:
    """Run nginx in front of a server; give the ports of its virtual servers by name."""
    ports = free_ports("PROXY_PROTOCOL", "UPGRADING", "FORWARDED", "HTTP_1_0", "WITHOUT_UPGRADE")
    command = [path, "-e", "stderr", "-p", str(directory), "-c"]
    with running("nginx.conf", command, directory, ports, SERVER=server_port):
        yield ports


class HAProxy:
    """A running HAProxy.

    Args:
        port: the port for clients.
        admin: its administration socket.
    """

    def __init__(self, port: int, admin: Path) -> None:
        self.port = port
        self._admin = admin

    def check_status(self) -> str:
        """Return the result of the last health check, such as L7OK."""
        with socket.socket(socket.AF_UNIX) as sock:
            sock.connect(str(self._admin))
            sock.sendall(b"show stat\n")
            text = b""
            while data := sock.recv(4096):
                text += data
        for row in csv.DictReader(text.decode().removeprefix("# ").splitlines()):
            if (row["pxname"], row["svname"]) == ("servers", "one"):
                return row["check_status"]
        pytest.fail("HAProxy has no such server")


@contextlib.contextmanager
def haproxy(
    path: str,
    directory: Path,
    server_port: int,
    *,
    mode: str = "http",
    bind_options: str = "",
    server_options: str = "",
    check: str = "",
) -> Iterator[HAProxy]:
    """Run HAProxy in front of a server."""
    ports = free_ports("CLIENTS")
    values = {
        "SERVER": server_port,
        "MODE": mode,
        "BIND_OPTIONS": bind_options,
        "SERVER_OPTIONS": server_options,
        "CHECK": check,
    }
    with running("haproxy.cfg", [path, "-db", "-f"], directory, ports, **values):
        admin = directory / "admin.sock"
        until(lambda: is_listening(admin))
        yield HAProxy(ports["CLIENTS"], admin)
