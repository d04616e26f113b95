"""The load generator and the echo server: Python functions that run the compiled programs."""

import json
import os
import select
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

from .compiled import CompilerFailed, program
from .message import Message, frame, request

__all__ = [
    "WARM_UP",
    "CompilerFailed",
    "Load",
    "LoadFailed",
    "Message",
    "echo",
    "fan_out",
    "handshakes",
    "hold",
    "make_certificate",
    "start_echo_server",
    "tls_handshakes",
]

# Seconds before the counting, on the same connections. Meanwhile the first large payload imports
# numpy, and the interpreter specialises its code.
WARM_UP = 0.2

# Seconds that the generator may take beyond the measured time; its own deadlines are shorter.
_TIMEOUT = 60.0

# Concurrent TLS handshakes.
_TLS_THREADS = 4


class LoadFailed(Exception):
    """The load generator failed, or the server refused; the text gives the reason."""


@dataclass(frozen=True)
class Load:
    """The result of a load.

    Attributes:
        messages: answers received, frames received by all (fan-out) or handshakes completed.
        seconds: measured time.
        p50: median round trip or handshake, in seconds.
        p99: 99th percentile, in seconds.
        cpu_seconds: CPU time of the load generator in the measured time.
    """

    messages: int
    seconds: float
    p50: float
    p99: float
    cpu_seconds: float

    @property
    def rate(self) -> float:
        """Messages per second."""
        return self.messages / self.seconds

    @property
    def busy(self) -> float:
        """The share of time in which the load generator used its core, from 0 to 1."""
        return self.cpu_seconds / self.seconds


def echo(
    port: int,
    connections: int,
    in_flight: int,
    seconds: float,
    message: Message,
    *,
    core: int | None = None,
) -> Load:
    """Load an echo server; send the next message after each answer.

    Args:
        port: the server's port on 127.0.0.1.
        connections: number of connections to open first.
        in_flight: unanswered messages per connection.
        seconds: measured time, after :data:`WARM_UP`.
        message: message to send.
        core: CPU of the generator; None for no pinning.

    Raises:
        LoadFailed: the server cannot be reached, closes, or answers wrongly.
        CompilerFailed: the generator cannot be compiled.
    """
    arguments = (connections, in_flight, seconds)
    return _load("echo", port, arguments, message.deflate, frame(message), core)


def fan_out(
    port: int, connections: int, seconds: float, message: Message, *, core: int | None = None
) -> Load:
    """Load a server that sends each message to all; send the next one once all have received it.

    Arguments and errors are those of :func:`echo`. A latency is that of the last receiver.
    """
    arguments = (connections, seconds)
    return _load("fan-out", port, arguments, message.deflate, frame(message), core)


def handshakes(port: int, concurrency: int, seconds: float, *, core: int | None = None) -> Load:
    """Repeat the opening handshake and a disconnect on ``concurrency`` connections at once.

    The other arguments and errors are those of :func:`echo`.
    """
    return _load("handshakes", port, (concurrency, seconds), False, b"", core)


@contextmanager
def hold(
    port: int, connections: int, *, deflate: bool = False, core: int | None = None
) -> Iterator[None]:
    """Hold idle connections open during the block; the errors are those of :func:`echo`."""
    head = request(port, deflate)
    argv = ["hold", str(port), str(len(head)), "0", str(connections)]
    with _running("load.c", argv, core) as process:
        assert process.stdin is not None
        process.stdin.write(head)
        process.stdin.flush()
        _first_line(process)
        yield


@contextmanager
def start_echo_server(core: int | None = None) -> Iterator[int]:
    """Run the compiled echo server during the block; yield its port.

    Raises:
        LoadFailed: the server does not start.
        CompilerFailed: the server cannot be compiled.
    """
    with _running("echo_server.c", [], core) as process:
        yield int(_first_line(process))


def _load(
    mode: str,
    port: int,
    arguments: tuple[float, ...],
    deflate: bool,
    sent: bytes,
    core: int | None,
) -> Load:
    head = request(port, deflate)
    *numbers, seconds = arguments
    argv = [mode, port, len(head), len(sent), *numbers, WARM_UP, seconds]
    timeout = _TIMEOUT + WARM_UP + seconds
    with _running("load.c", [str(argument) for argument in argv], core) as process:
        try:
            out, err = process.communicate(head + sent, timeout=timeout)
        except subprocess.TimeoutExpired:
            raise LoadFailed(f"the load generator did not end in {timeout:.0f} s") from None
    if process.returncode:
        raise LoadFailed(_reason(err))
    found = json.loads(out)
    del found["bytes"]
    return Load(**found)


@contextmanager
def _running(source: str, argv: list[str], core: int | None) -> Iterator[subprocess.Popen[bytes]]:
    """Run a compiled program during the block, on a core if given."""
    with subprocess.Popen(
        [program(Path(__file__).with_name(source)), *argv],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,  # Ctrl-C must reach the parent only, which then ends the child.
    ) as process:
        try:
            if core is not None:
                os.sched_setaffinity(process.pid, {core})
            yield process
        finally:
            process.kill()


def _first_line(process: subprocess.Popen[bytes]) -> bytes:
    assert process.stdout is not None
    assert process.stderr is not None
    ready, _, _ = select.select([process.stdout], [], [], _TIMEOUT)
    line = process.stdout.readline() if ready else b""
    if line:
        return line
    process.kill()
    raise LoadFailed(_reason(process.stderr.read()))


def _reason(err: bytes) -> str:
    return err.decode(errors="replace").strip() or "the load generator ended without an error"


# TLS ----------------------------------------------------------------------------------------


def make_certificate(path: Path) -> None:
    """Write a self-signed certificate for 127.0.0.1 and its P-256 key, in PEM."""
    # Imported late, since only the rows with TLS need the package.
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    path.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    path.chmod(0o600)


def tls_handshakes(
    port: int, certificate: Path, seconds: float, *, core: int | None = None
) -> Load:
    """Repeat TCP connection, TLS handshake, opening handshake and disconnect in four threads.

    Args:
        port: the server's port on 127.0.0.1.
        certificate: the server's certificate, which is trusted.
        seconds: measured time, after :data:`WARM_UP`.
        core: CPU of the threads; None for no pinning.

    Raises:
        LoadFailed: the server cannot be reached, or refuses.
    """
    context = ssl.create_default_context(cafile=certificate)
    begin = time.monotonic() + WARM_UP
    end = begin + seconds
    took: list[float] = []
    used: list[float] = []

    def work() -> None:
        if core is not None:
            os.sched_setaffinity(0, {core})  # Pins this thread only.
        cpu: float | None = None
        while (now := time.monotonic()) < end:
            if now >= begin and cpu is None:
                cpu = time.thread_time()
            _tls_handshake(port, context)
            if begin <= (done := time.monotonic()) < end:
                took.append(done - now)
        used.append(time.thread_time() - (cpu or 0.0))

    with ThreadPoolExecutor(_TLS_THREADS) as pool:
        threads = [pool.submit(work) for _ in range(_TLS_THREADS)]
    for thread in threads:
        try:
            thread.result()
        except OSError as error:  # includes ssl.SSLError
            raise LoadFailed(f"TLS to port {port}: {error}") from error
    if not took:
        raise LoadFailed(f"no handshake in {seconds:g} seconds")
    took.sort()
    p50, p99 = (took[int(share * (len(took) - 1))] for share in (0.5, 0.99))
    return Load(len(took), seconds, p50, p99, sum(used))


def _tls_handshake(port: int, context: ssl.SSLContext) -> None:
    with (
        socket.create_connection(("127.0.0.1", port), timeout=10) as plain,
        context.wrap_socket(plain, server_hostname="127.0.0.1") as secure,
    ):
        secure.sendall(request(port))
        head = b""
        while b"\r\n\r\n" not in head:
            data = secure.recv(4096)
            if not data:
                raise LoadFailed("the server ended a connection")
            head += data
        if not head.startswith(b"HTTP/1.1 101 "):
            raise LoadFailed(f"refused: {head.splitlines()[0].decode(errors='replace')}")
