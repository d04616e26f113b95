"""apps.serving as a process: signals, TLS, and the exit if it cannot listen."""

import asyncio
import contextlib
import datetime
import itertools
import os
import signal
import socket
import ssl
from pathlib import Path

import pytest
import websockets
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.apps.conftest import AppProcess, StartApp


def port_of(url: str) -> int:
    return int(url.rpartition(":")[2])


async def test_a_port_in_use_is_one_line_and_status_1(start_app: StartApp) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        server = await start_app("greeter", "server", "--port", str(port))
        out, err = await server.rest()
    assert out == ""
    assert err == f"Port {port} is in use: choose another with --port (0 picks a free one)\n"
    assert server.process.returncode == 1


async def test_an_address_of_another_machine_is_one_line_and_status_1(start_app: StartApp) -> None:
    server = await start_app("greeter", "server", "--port", "0", "--host", "192.0.2.77")
    out, err = await server.rest()
    assert out == ""
    assert err.startswith("Cannot listen on 192.0.2.77 port 0: ")
    assert err.count("\n") == 1
    assert server.process.returncode == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("app", ["greeter", "buzzer", "clock"])
async def test_a_signal_closes_1001_and_ends_with_status_0(
    start_app: StartApp, app: str, number: signal.Signals
) -> None:
    server = await start_app(app, "server", "--port", "0")
    url = await server.started()
    async with websockets.connect(url, proxy=None) as client:
        status, _, err = await server.stop(number)
        assert (status, err) == (0, "")
        with contextlib.suppress(websockets.ConnectionClosedOK):
            while True:
                await client.recv()
        assert (client.close_code, client.close_reason) == (1001, "")


async def shower_with_signals(server: AppProcess) -> None:
    """Send SIGINT and SIGTERM in turn until the server has ended."""
    async with asyncio.timeout(10):
        for number in itertools.cycle((signal.SIGINT, signal.SIGTERM)):
            if server.process.returncode is not None:
                return
            with contextlib.suppress(ProcessLookupError):
                os.kill(server.process.pid, number)
            await asyncio.sleep(0)


async def test_a_shower_of_signals_is_as_one(start_app: StartApp) -> None:
    server = await start_app("greeter", "server", "--port", "0")
    await server.started()
    await shower_with_signals(server)
    _, err = await server.rest()
    assert (server.process.returncode, err) == (0, "")


async def test_a_name_that_no_host_has_is_one_line_and_status_1(start_app: StartApp) -> None:
    server = await start_app("greeter", "server", "--port", "0", "--host", "..")
    assert await server.rest() == ("", "Cannot listen on '..': invalid host name\n")
    assert server.process.returncode == 1


async def test_a_signal_ends_it_though_clients_do_not_answer(start_app: StartApp) -> None:
    server = await start_app("greeter", "server", "--port", "0")
    port = port_of(await server.started())
    _, silent = await asyncio.open_connection("127.0.0.1", port)
    # Connections are accepted in order: when this one is answered, the silent one is open.
    reader, upgraded = await asyncio.open_connection("127.0.0.1", port)
    upgraded.write(
        b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    assert (await reader.readline()).startswith(b"HTTP/1.1 101 ")
    status, _, err = await server.stop()
    assert (status, err) == (0, "")
    for writer in (upgraded, silent):
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[str, str]:
    """Create a certificate for localhost; return the files of the certificate and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    today = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(today - datetime.timedelta(days=1))
        .not_valid_after(today + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    cert_file, key_file = tmp_path / "cert.pem", tmp_path / "key.pem"
    cert_file.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return str(cert_file), str(key_file)


async def test_tls(start_app: StartApp, certificate: tuple[str, str]) -> None:
    cert, key = certificate
    server = await start_app(
        "greeter", "server", "--port", "0", "--tls-cert", cert, "--tls-key", key
    )
    url = await server.started()
    assert url.startswith("wss://localhost:")
    assert await server.line() == f"Page: https://localhost:{port_of(url)}/"
    trust = ssl.create_default_context(cafile=cert)
    async with websockets.connect(url, ssl=trust, proxy=None) as other:
        await other.send("Bob")
        assert await other.recv() == "Hello Bob!"
    for trace in ((), ("--trace",)):
        client = await start_app(
            "greeter", "client", url, "--tls-cert", cert, "--name", "Alice", *trace
        )
        out, err = await client.rest()
        assert "Received: Hello Alice!" in out.splitlines(), err
        stranger = await start_app("greeter", "client", url, "--name", "Alice", *trace)
        out, err = await stranger.rest()
        assert stranger.process.returncode == 1
        assert err.startswith(f"Cannot reach {url}: ")
        assert "certificate verify failed" in err
        assert err.count("\n") == 1


async def test_a_certificate_that_is_none(start_app: StartApp, tmp_path: Path) -> None:
    (tmp_path / "empty.pem").touch()
    for file in ("empty.pem", "missing.pem"):
        server = await start_app(
            "greeter", "server", "--port", "0", "--tls-cert", file, "--tls-key", file
        )
        out, err = await server.rest()
        assert out == ""
        assert err.startswith(f"Cannot use --tls-cert {file}: ")
        assert err.count("\n") == 1
        assert server.process.returncode == 1
