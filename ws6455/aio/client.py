"""asyncio client: `connect`, for one connection or for a loop that reconnects.

RFC 6455 §4.1.
"""

from __future__ import annotations

import asyncio
import inspect
import os
from collections.abc import AsyncGenerator, Callable, Generator, Iterator, Sequence
from types import TracebackType
from typing import Any, Literal, TypeVar

from ..client.deadline import Deadline
from ..client.proxies import Tunnel, check_proxy_ssl, choose_proxy
from ..client.reconnecting import Reconnecting, backoff, process_exception
from ..client.redirects import Destination, first_destination
from ..client.request_headers import repeatable
from ..exceptions import InvalidURI, SecurityError
from ..http1.head import USER_AGENT
from ..http1.headers import HeadersLike
from ..http1.uri import WebSocketURI
from ..protocol.client import ClientProtocol
from ..protocol.deflate_negotiation import ClientPerMessageDeflateFactory
from ..protocol.protocol import MAX_FRAGMENTS, MAX_SIZE
from ..session.options import check_limits, client_options, default_uri, session_options
from ..typing import LoggerLike, Provided
from .client_connection import ClientConnection
from .sockets import TCP_OPTIONS, open_tcp, open_transport, open_unix
from .streams import StreamProtocol
from .tls import split_options
from .tunnel import connect_through_http, connect_through_socks, load_default_context

__all__ = ["connect", "unix_connect"]

_Value = TypeVar("_Value")


class connect(Reconnecting[ClientConnection]):
    """Connect to a WebSocket server.

    ``await connect(uri)`` returns a :class:`ClientConnection`; ``async with connect(uri) as
    websocket`` closes it at the end; ``async for websocket in connect(uri)`` connects again
    after each run of the loop's body, with growing delays between failed attempts.
    Redirects are followed; credentials meant for one origin are not sent to another. A subclass
    can override :meth:`process_redirect` to refuse some.

    Args:
        uri: ``ws://`` or ``wss://``; credentials in it are sent as HTTP Basic authentication.
            A string; or an object whose ``str()`` is the URI, such as a ``yarl.URL``. A callable,
            or a coroutine function, is called before each attempt and returns it.
        origin: value of the Origin header.
        extensions: extensions to offer, instead of the default of `compression`.
        subprotocols: subprotocols to offer, preferred first.
        compression: ``"deflate"`` offers permessage-deflate; None offers no compression.
        additional_headers: headers added to the request. Authorization, Host, Origin and
            User-Agent replace those of the library; Sec-WebSocket-Protocol adds to
            `subprotocols`. A callable, or a coroutine function, is called before each attempt and
            returns them. After a redirect to another origin, Authorization, Cookie, Host and
            Proxy-Authorization are left out; all other headers are sent there too.
        user_agent_header: value of User-Agent; None for no header.
        proxy: address of an HTTP or SOCKS proxy (SOCKS needs the extra ``socks``); True uses
            the proxy set in the environment, see the guide; None connects directly.
        process_exception: for ``async for``: returns None to try again, or the exception to
            raise.
        open_timeout: seconds until the connection must be open, from the lookup of the name to
            the response, redirects included; None for no limit.
        ping_interval: seconds between keepalive pings; None for no pings.
        ping_timeout: seconds without a byte after a ping until the server counts as dead; None
            for no limit.
        close_timeout: seconds for the closing handshake and TCP; None for no limit.
        reconnect_delays: for ``async for``: returns an iterator of delays in seconds; when it
            ends, the exception of the last attempt is raised.
        max_attempts: for ``async for``: attempts in a row without a connection that lasted; then
            the exception of the last one is raised, ConnectionClosed if a connection was opened.
            None for no limit.
        stable_after: for ``async for``: seconds that a connection must last. After one that did,
            the next attempt follows at once and delays start afresh; after any other, delays
            continue as after a failed attempt.
        max_size: bytes of a received message after decompression; None for no limit; a pair
            limits the message and each fragment.
        max_fragments: fragments of a received message; None for no limit.
        max_queue: messages received and not yet taken at which reading pauses, or high and low
            water marks; None for no limit.
        write_limit: bytes not yet sent above which `send` waits, or high and low water marks.
        logger: replaces ``logging.getLogger("ws6455.client")``.
        create_connection: returns the connection; the default is :class:`ClientConnection`.
        kwargs: arguments of the loop's ``create_connection``, such as ``ssl``,
            ``server_hostname``, ``sock``, ``host`` and ``port`` (which override the URI's) and
            ``local_addr``; with ``unix=True``, ``path`` is the path of a Unix socket.
            ``happy_eyeballs_delay``, ``interleave`` and ``all_errors`` have an effect on every
            loop; the delay is 0.25 seconds by default (RFC 8305). Arguments that begin with
            ``proxy_``, such as ``proxy_ssl``, are for TLS to the proxy.

    Raises:
        InvalidURI: if the URI is not a WebSocket URI.
        InvalidProxy: if the proxy's address cannot be used.
        ProxyError: if the proxy refuses, or its response is invalid.
        OSError: if the lookup, TCP or TLS fails. It names the addresses that were tried.
        InvalidHandshake: if the server refuses, or its response is invalid.
        SecurityError: if it redirects from TLS to plain text, or too often.
        TimeoutError: if it takes longer than `open_timeout`. The text names the step.
        TypeError, ValueError: if an argument is wrong.
    """

    protocol_class: type[ClientProtocol] = ClientProtocol  # a subclass may use another

    def __init__(
        self,
        uri: Provided[str],
        *,
        origin: str | None = None,
        extensions: Sequence[ClientPerMessageDeflateFactory] | None = None,
        subprotocols: Sequence[str] | None = None,
        compression: str | None = "deflate",
        additional_headers: Provided[HeadersLike | None] = None,
        user_agent_header: str | None = USER_AGENT,
        proxy: str | Literal[True] | None = True,
        process_exception: Callable[[Exception], Exception | None] = process_exception,
        open_timeout: float | None = 10,
        ping_interval: float | None = 20,
        ping_timeout: float | None = 20,
        close_timeout: float | None = 10,
        reconnect_delays: Callable[[], Iterator[float]] = backoff,
        max_attempts: int | None = None,
        stable_after: float = 10,
        max_size: int | tuple[int | None, int | None] | None = MAX_SIZE,
        max_fragments: int | None = MAX_FRAGMENTS,
        max_queue: int | tuple[int | None, int | None] | None = 16,
        write_limit: int | tuple[int, int | None] = 1 << 15,
        logger: LoggerLike | None = None,
        create_connection: Callable[..., ClientConnection] | None = None,
        **kwargs: Any,
    ) -> None:
        self._user_agent_header = user_agent_header
        self._proxy = proxy
        self._open_timeout = open_timeout
        self._create_connection = create_connection or ClientConnection
        self._protocol_options = client_options(
            origin, extensions, compression, subprotocols, max_size, max_fragments, logger
        )
        super().__init__(
            process_exception,
            reconnect_delays,
            max_attempts,
            stable_after,
            self._protocol_options["logger"],
        )
        policy = session_options(
            ping_interval, ping_timeout, close_timeout, max_queue, open_timeout
        )
        check_limits("write_limit", write_limit)
        self._connection_options = policy | {"write_limit": write_limit}
        self._proxy_options = {
            name.removeprefix("proxy_"): kwargs.pop(name)
            for name in list(kwargs)
            if name.startswith("proxy_")
        }
        self._transport_options = kwargs
        self._uri = uri
        self._additional_headers = repeatable(additional_headers)
        first = self._destination = first_destination(uri, self._additional_headers, kwargs)
        if first is not None and first.ws_uri.secure and kwargs.get("ssl", True) is None:
            raise ValueError("ssl=None is incompatible with a wss:// URI")

    @property
    def uri(self) -> str:
        """URI of the latest attempt, after redirects.

        Before the first attempt, it is the argument; AttributeError is raised if that is a
        callable.
        """
        return self._latest_destination().uri

    @property
    def ws_uri(self) -> WebSocketURI:
        """The same, parsed."""
        return self._latest_destination().ws_uri

    def _latest_destination(self) -> Destination:
        if self._destination is None:
            raise AttributeError("the URI is unknown before the first attempt", obj=self)
        return self._destination

    def __await__(self) -> Generator[Any, None, ClientConnection]:
        return self._connect().__await__()

    async def _connect(self) -> ClientConnection:
        """Make one attempt, redirects included, within `open_timeout`."""
        deadline = Deadline(self._open_timeout, asyncio.get_running_loop().time)
        try:
            async with asyncio.timeout(self._open_timeout) as limit:
                uri, headers = await _value(self._uri), await _value(self._additional_headers)
                self._destination = Destination(uri, headers, self._transport_options)
                while True:
                    try:
                        return await self._open(deadline)
                    except Exception as exc:
                        error = self._follow_redirect(exc)
                        if error is not None:
                            try:
                                if error is exc:
                                    raise
                                raise error from exc
                            finally:
                                del error  # its traceback refers to this frame
        except TimeoutError as exc:
            if limit.expired():
                raise deadline.error() from exc
            raise

    def _follow_redirect(self, exc: Exception) -> Exception | None:
        """Follow the redirect of a refusal, or return the exception to raise."""
        target = self.process_redirect(exc)
        if isinstance(target, Exception):
            return target
        try:
            self._latest_destination().move(target)
        except (InvalidURI, SecurityError, ValueError) as error:
            return error
        self.logger.info("redirected to %s", self.ws_uri)
        return None

    def process_redirect(self, exc: Exception) -> Exception | str:
        """Decide about the redirect of a refusal; a subclass may decide otherwise.

        Nothing has changed yet: `uri` is still that of the refused request. The URI that is
        returned is checked, and then followed; it need not be the one that the server gave.

        Args:
            exc: the error that ended the handshake.

        Returns:
            The URI to follow; or the exception to raise: `exc` itself if it is not a redirect.
        """
        try:
            return self._latest_destination().redirect(exc) or exc
        except (InvalidURI, SecurityError, ValueError) as error:
            return error

    async def _open(self, deadline: Deadline) -> ClientConnection:
        connection = await self._open_transport(deadline)
        deadline.step = f"waiting for the response of {self.ws_uri.host}"
        headers = self._latest_destination().headers
        try:
            connection.limit_opening(deadline.left())
            await connection.handshake(headers, self._user_agent_header)
        except BaseException:
            connection.protocol.drop_handshake_exc()
            connection._abort()
            raise
        return connection

    def new_connection(self) -> ClientConnection:
        """Create the connection, before its transport."""
        return self._create_connection(
            self.protocol_class(self.ws_uri, **self._protocol_options), **self._connection_options
        )

    async def _open_transport(self, deadline: Deadline) -> ClientConnection:
        """Open TCP or a Unix socket, through a proxy if there is one, and TLS."""
        loop = asyncio.get_running_loop()
        connection = self.new_connection()

        def factory() -> StreamProtocol:
            return StreamProtocol(loop, lambda writer: connection)

        options = self._transport_options.copy()
        uri = self.ws_uri
        if uri.secure and options.get("ssl") is None:
            options["ssl"] = True
        context = options.get("ssl")
        if context:
            options.setdefault("server_hostname", uri.server_name)
            options.setdefault("ssl_handshake_timeout", self._open_timeout)
            if connection.close_timeout:  # asyncio rejects 0
                options.setdefault("ssl_shutdown_timeout", connection.close_timeout)
        tls_options = split_options(options)
        if context is True:
            context = await load_default_context(deadline)
        tcp_options = {name: options.pop(name) for name in TCP_OPTIONS if name in options}
        sock = options.pop("sock", None)
        if options.pop("unix", False):
            path = options.pop("path", None)
            if (path is None) is (sock is None):
                raise ValueError("a Unix socket needs either path or sock")
            sock = await open_unix(path, deadline) if sock is None else sock
        elif sock is None:
            host, port = options.pop("host", uri.host), options.pop("port", uri.port)
            proxy = choose_proxy(self._proxy, uri)
            if proxy is None:
                sock = await open_tcp(host, port, deadline, **tcp_options)
            elif proxy.scheme.startswith("socks"):
                sock = await connect_through_socks(proxy, host, port, deadline, tcp_options)
            else:
                check_proxy_ssl(proxy, self._proxy_options)
                await connect_through_http(
                    factory,
                    proxy,
                    Tunnel(proxy, host, port, self._user_agent_header),
                    deadline,
                    proxy_options=self._proxy_options,
                    tcp_options=tcp_options,
                    context=context,
                    tls_options=tls_options,
                    **options,
                )
                return connection
        await open_transport(factory, sock, deadline, context, tls_options, **options)
        return connection

    async def __aenter__(self) -> ClientConnection:
        self._check_not_entered()
        return self._enter(await self._connect())

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._leave().close(1000 if exc_type is None else 1011)

    async def __aiter__(self) -> AsyncGenerator[ClientConnection, None]:
        """Connect, and reconnect after each run of the loop's body and each transient error.

        Raises:
            Exception: if `process_exception` does not treat an error as transient.
        """
        schedule = self._retry_schedule()
        while True:
            try:
                connection = await self._connect()
            except Exception as exc:
                delay = schedule.failed(exc)
                if delay is None:
                    raise
            else:
                try:
                    yield connection
                finally:
                    await connection.close()  # leaving the loop is not an error
                delay = schedule.ended(connection)
            await asyncio.sleep(delay)


async def _value(provided: Provided[_Value]) -> _Value:
    """Return a value, or what a callable or coroutine function returns in its place."""
    value: Any = provided() if callable(provided) else provided
    result: _Value = await value if inspect.isawaitable(value) else value
    return result


def unix_connect(
    path: str | os.PathLike[str] | None = None, uri: str | None = None, **kwargs: Any
) -> connect:
    """Connect to a WebSocket server that listens on a Unix socket.

    Args:
        path: path of the socket; or pass `sock`.
        uri: URI for the handshake; by default ``ws://localhost/``, or ``wss://localhost/`` with
            TLS.
        kwargs: see :class:`connect`.
    """
    if path is not None:
        kwargs["path"] = os.fspath(path)
    return connect(default_uri(uri, kwargs.get("ssl")), unix=True, **kwargs)
