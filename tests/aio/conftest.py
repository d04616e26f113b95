"""Fixtures of the asyncio front end's tests: connections and their peers."""

import asyncio
import contextlib
import datetime
import gc
import ipaddress
import ssl
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any, Protocol

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

import ws6455
from tests.conftest import port_of, uri_of
from ws6455 import ClientConnection, Frame, Opcode, ServerConnection, Side, connect, serve
from ws6455.testing import RawPeer, RawServer

Connection = ClientConnection | ServerConnection


@contextlib.asynccontextmanager
async def serving_one(**options: Any) -> AsyncIterator[tuple[ws6455.Server, asyncio.Future[Any]]]:
    """Serve; the future gives the first connection, whose handler does nothing until the end."""
    first: asyncio.Future[ServerConnection] = asyncio.get_running_loop().create_future()
    end = asyncio.Event()

    async def handler(connection: ServerConnection) -> None:
        first.set_result(connection)
        await end.wait()

    async with serve(handler, "127.0.0.1", 0, **options) as server:
        try:
            yield server, first
        finally:
            end.set()


@contextlib.asynccontextmanager
async def raw_client(
    server: ws6455.Server, headers: Mapping[str, str | None] | None = None
) -> AsyncIterator[RawPeer]:
    """Give a raw client whose opening handshake, with these headers, the server has accepted."""
    async with await RawPeer.connect("127.0.0.1", port_of(server)) as peer:
        assert (await peer.open(headers)).startswith("HTTP/1.1 101 ")
        yield peer


def serialized(peer: RawPeer, *frames: Frame) -> bytes:
    """Return frames as the peer has to send them, masked or not."""
    return b"".join(frame.serialize(mask=peer.side is Side.CLIENT) for frame in frames)


async def send_last(peer: RawPeer, *frames: Frame) -> None:
    """Send the peer's last frames, a Close; read up to the answer to it, and close TCP."""
    peer.send(*frames)
    assert (await peer.frames_to_close())[-1].opcode == Opcode.CLOSE
    await peer.close()


@contextlib.asynccontextmanager
async def server_and_peer(**options: Any) -> AsyncIterator[tuple[ServerConnection, RawPeer]]:
    """Give a server's connection and a raw client."""
    async with serving_one(**options) as (server, first), raw_client(server) as peer:
        yield await first, peer


@contextlib.asynccontextmanager
async def client_and_peer(**options: Any) -> AsyncIterator[tuple[ClientConnection, RawPeer]]:
    """Give a client's connection and a raw server's end of it."""
    async with RawServer() as server:
        opening = asyncio.create_task(connect(server.uri, **options).__aenter__())
        peer = await server.accept()
        await peer.open()
        connection = await opening
        try:
            yield connection, peer
        finally:
            await peer.close()
            await connection.wait_closed()


class MakePair(Protocol):
    """Makes a connection with these options, and the raw peer at its other end."""

    def __call__(
        self, **options: Any
    ) -> AbstractAsyncContextManager[tuple[Connection, RawPeer]]: ...


@pytest.fixture(params=[client_and_peer, server_and_peer], ids=["client", "server"])
def pair(request: pytest.FixtureRequest) -> MakePair:
    """Give what makes a connection of either role and its raw peer."""
    make: MakePair = request.param
    return make


@contextlib.asynccontextmanager
async def connected(
    client_options: dict[str, Any] | None = None, **server_options: Any
) -> AsyncIterator[tuple[ClientConnection, ServerConnection]]:
    """Give the two ends of one connection."""
    async with (
        serving_one(**server_options) as (server, first),
        connect(uri_of(server), **(client_options or {})) as client,
    ):
        yield client, await first


@pytest.fixture(params=["client", "server"])
def ends(
    request: pytest.FixtureRequest,
) -> Callable[..., AbstractAsyncContextManager[tuple[Connection, Connection]]]:
    """Give what makes two ends, the client's or the server's first, with options for both."""

    @contextlib.asynccontextmanager
    async def make(**options: Any) -> AsyncIterator[tuple[Connection, Connection]]:
        async with connected(options, **options) as (client, server):
            yield (client, server) if request.param == "client" else (server, client)

    return make


@pytest.fixture
def no_collector() -> Iterator[None]:
    """Switch the garbage collector off: what goes, goes because nothing refers to it."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def make_certificate(
    name: str,
    key: ec.EllipticCurvePrivateKey,
    issuer: x509.Name,
    issuer_key: ec.EllipticCurvePrivateKey,
) -> x509.Certificate:
    now = datetime.datetime.now(datetime.UTC)
    is_authority = key is issuer_key
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)]))
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.BasicConstraints(is_authority, None), critical=True)
        .add_extension(
            x509.KeyUsage(
                digital_signature=True,
                content_commitment=False,
                key_encipherment=False,
                data_encipherment=False,
                key_agreement=False,
                key_cert_sign=is_authority,
                crl_sign=is_authority,
                encipher_only=False,
                decipher_only=False,
            ),
            critical=True,
        )
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()),
            critical=False,
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.SubjectAlternativeName(
                [x509.DNSName(name), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
            ),
            critical=False,
        )
        .sign(issuer_key, hashes.SHA256())
    )


@pytest.fixture(scope="session")
def contexts(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Give a server's context for localhost, and a client's that trusts its authority."""
    directory: Path = tmp_path_factory.mktemp("tls")
    authority_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    issuer = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "authority")])
    authority = make_certificate("authority", authority_key, issuer, authority_key)
    certificate = make_certificate("localhost", key, issuer, authority_key)
    pem = serialization.Encoding.PEM
    (directory / "authority.pem").write_bytes(authority.public_bytes(pem))
    (directory / "server.pem").write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + certificate.public_bytes(pem)
    )
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(directory / "server.pem")
    client = ssl.create_default_context(cafile=str(directory / "authority.pem"))
    return server, client


async def iterate(times: int) -> None:
    """Let the event loop go round."""
    for _ in range(times):
        await asyncio.sleep(0)


async def until_queued(connection: Connection, count: int) -> None:
    """Wait until so many messages or fragments are received and not taken."""
    await until(lambda: len(connection.protocol.queue.messages) >= count)


async def until(condition: Callable[[], bool], seconds: float = 5) -> None:
    """Wait for what nothing can be awaited for; fail after so many seconds."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    while not condition():
        assert loop.time() < deadline, "it never came to that"
        await asyncio.sleep(0.001)
