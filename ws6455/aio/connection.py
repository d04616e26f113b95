"""One WebSocket connection for an asyncio program: receive, send, ping, close.

Floor 5, asyncio. The base of :class:`~ws6455.aio.client.ClientConnection` and
:class:`~ws6455.aio.server_connection.ServerConnection`. What the bytes mean, and what is due by
the clock, is decided below, in the protocol and the session; here is only the waiting.
"""

from __future__ import annotations

import asyncio
import codecs
from asyncio import get_running_loop
from collections.abc import (
    AsyncGenerator,
    AsyncIterable,
    AsyncIterator,
    Coroutine,
    Iterable,
    Mapping,
)
from types import TracebackType
from typing import Any, Literal, Self, overload

from ..errors import (
    ConcurrencyError,
    ConnectionClosed,
    ConnectionClosedOK,
    InvalidState,
    ProtocolError,
)
from ..frames import BytesLike, CloseCode, Frame, Opcode
from ..opening import ClientProtocol, ServerProtocol
from ..protocol import State
from ..session import control_payload
from ..shared import SharedMessage
from .transport import TransportSession
from .waiter import Waiter

__all__ = ["Connection", "Data", "DataLike", "Slow", "wrong_loop"]

Data = str | bytes
DataLike = str | BytesLike
# What a broadcast does with a connection that does not keep up.
Slow = Literal["buffer", "drop", "coalesce", "disconnect"]

# Frames up to this size are collected while received messages still wait to be handled, and
# written in one go; at most so many.
CORKED_FRAME_SIZE = 1 << 14
CORKED_FRAMES = 64
# A coroutine that does nothing but send must not keep every other one from running.
SENDS_WITHOUT_YIELDING = 64

# Looking up a member of an enumeration costs; these are looked up for every message.
_TEXT, _BINARY = Opcode.TEXT, Opcode.BINARY
# So does testing for a union of types.
_BYTES_LIKE = (bytes, bytearray, memoryview)


class Connection(TransportSession):
    """A connection; make one with `connect`, `serve` or `accept`.

    Args:
        protocol: the connection without I/O.
        ping_interval, ping_timeout, close_timeout, max_queue: see
            :class:`~ws6455.session.Session`.
        write_limit: bytes in the transport's buffer above which :meth:`send` waits; or that
            and the number below which it goes on.
    """

    # So many attributes are faster in slots. A subclass may have any other.
    __slots__ = ("_coalesced", "_fragments_sent", "_receiving", "_sends")

    def __init__(
        self,
        protocol: ClientProtocol | ServerProtocol,
        *,
        ping_interval: float | None = 20,
        ping_timeout: float | None = 20,
        close_timeout: float | None = 10,
        max_queue: int | tuple[int | None, int | None] | None = 16,
        write_limit: int | tuple[int, int | None] = 1 << 15,
    ) -> None:
        super().__init__(
            protocol,
            ping_interval=ping_interval,
            ping_timeout=ping_timeout,
            close_timeout=close_timeout,
            max_queue=max_queue,
            write_limit=write_limit,
        )
        self._receiving = ""  # the name of the call that is receiving
        self._fragments_sent: asyncio.Future[None] | None = None
        self._sends = 0  # since others were last given a chance to run
        self._coalesced: SharedMessage | None = None  # waits for the peer to take what is before it

    def connection_lost(self, exc: BaseException | None) -> None:
        """Take the end of the transport, with the error that ended it."""
        super().connection_lost(exc)
        if self._fragments_sent is not None and not self._fragments_sent.done():
            self._fragments_sent.set_result(None)

    # Receiving --------------------------------------------------------------------------

    @overload
    def recv(self, decode: Literal[True]) -> Coroutine[Any, Any, str]: ...
    @overload
    def recv(self, decode: Literal[False]) -> Coroutine[Any, Any, bytes]: ...
    @overload
    def recv(self, decode: bool | None = None) -> Coroutine[Any, Any, Data]: ...

    def recv(self, decode: bool | None = None) -> Coroutine[Any, Any, Data]:
        """Receive the next message.

        Cancelling it loses nothing. Messages received before the connection closed can be
        received after it.

        Args:
            decode: True gives a string, False gives bytes, whatever the frame; None gives a
                string for a Text message and bytes for a Binary one.

        Raises:
            ConnectionClosed: when the connection is closed and every message is taken.
            ConcurrencyError: if another call is receiving.
            UnicodeDecodeError: if a Binary message is to be decoded and is not UTF-8.
        """
        return self._receive_message(decode, False)

    def __aiter__(self) -> Self:
        """Iterate over the messages received, until the connection closes as it should."""
        return self

    async def _receive_message(self, decode: bool | None = None, iterating: bool = True) -> Data:
        """Receive the next message.

        Raises:
            StopAsyncIteration: if iterating, when the connection has closed as it should.
            ConnectionClosedError: when it has closed otherwise.
        """
        if self._receiving:
            raise self._overlap("recv")
        messages, protocol = self._messages, self.protocol
        if len(messages) <= protocol.open_fragments:
            self._receiving = "recv"
            try:
                while len(messages) <= protocol.open_fragments:
                    await self._more()
            except ConnectionClosedOK:
                if iterating:
                    raise StopAsyncIteration from None
                raise
            finally:
                self._receiving = ""
        message = self._take_message()
        if decode is None:
            return message
        return _decoded(message) if decode else _encoded(message)

    __anext__ = _receive_message  # itself, since it is called for every message

    def _overlap(self, caller: str) -> ConcurrencyError:
        return ConcurrencyError(
            f"cannot call {caller} while another coroutine is already running {self._receiving}"
        )

    def _more(self) -> Waiter:
        """Return what to await until more was received, or nothing more will come.

        Raises:
            ConnectionClosed: if nothing more will come, and the connection is closed.
        """
        self._message_in_hand = False
        protocol = self.protocol
        if protocol.writes:
            self._flush()
        if protocol.violation is not None:
            self._fail_in_turn()
        if self._transport_lost:
            raise self.protocol.close_exc
        if protocol.open_fragments >= self._many_fragments:
            self._join_small_fragments()
        # What a message still needs may be more than the queue's bound.
        if self._reading_paused:
            self._go_on_reading()
        self._sends = 0  # whoever waits lets others run
        return self._recv_waiter

    async def recv_streaming(self, decode: bool | None = None) -> AsyncGenerator[Data, None]:
        """Receive the next message fragment by fragment, as the peer sent them.

        The iterator must be used to its end before anything else is received.

        Args:
            decode: see :meth:`recv`; a character cut by a fragment comes with the next.

        Raises:
            ConnectionClosed, ConcurrencyError, UnicodeDecodeError: see :meth:`recv`.
        """
        if self._receiving:
            raise self._overlap("recv_streaming")
        self._receiving = "recv_streaming"
        decoder: codecs.IncrementalDecoder | None = None
        between_messages = True
        try:
            while True:
                while not self._messages:
                    await self._more()
                fragment = self._take_fragment()
                if not isinstance(fragment, Frame):
                    break
                if fragment.opcode is not Opcode.CONT and (
                    decode or (decode is None and fragment.opcode is Opcode.TEXT)
                ):
                    decoder = codecs.getincrementaldecoder("utf-8")()
                between_messages = fragment.fin
                if fragment.fin:
                    break
                yield fragment.data if decoder is None else decoder.decode(fragment.data)
        except ConnectionClosed:
            between_messages = True  # the rest of the message will not come
            raise
        finally:
            # Given up within a message, nothing else can be received: it would get the rest.
            if between_messages:
                self._receiving = ""
        # The last piece comes when nothing is held any more: the caller may leave it at that.
        if isinstance(fragment, Frame):
            yield fragment.data if decoder is None else decoder.decode(fragment.data, final=True)
        else:
            whole = _encoded(fragment) if decode is False else fragment
            yield _decoded(whole) if decode else whole

    # Sending ----------------------------------------------------------------------------

    async def send(
        self,
        message: DataLike | Iterable[DataLike] | AsyncIterable[DataLike],
        *,
        text: bool | None = None,
        compress: bool | None = None,
    ) -> None:
        """Send a message.

        A string is sent as Text, a bytes-like object as Binary. An iterable, plain or
        asynchronous, of either is sent as a fragmented message, each item as soon as it is
        there; other messages wait until it is through. Waits while the peer reads too slowly.
        Cancelling it never sends half a message: a fragmented one that cannot be finished
        fails the connection with 1011.

        Args:
            message: what to send.
            text: True sends bytes as Text (they must be UTF-8), False a string as Binary.
            compress: False sends the message as it is, True and None compress it if compression
                was negotiated.

        Raises:
            ConnectionClosed: if the connection is closed.
            TypeError: if the message is of no such type, or its fragments are of both.
            RuntimeError: if called from another thread or event loop.
        """
        if get_running_loop() is not self.loop:
            raise wrong_loop()
        while self._fragments_sent is not None:
            if self._transport_lost:
                raise self.protocol.close_exc  # whatever the fragments still wait for
            await asyncio.shield(self._fragments_sent)
        if isinstance(message, str):
            opcode, data = _TEXT, message.encode()
        elif isinstance(message, _BYTES_LIKE):
            opcode, data = _BINARY, bytes(message)
        else:
            await self._send_fragments(_aiter_fragments(message), text, compress)
            return
        if text is not None:
            opcode = _TEXT if text else _BINARY
        try:
            self.protocol.send_data(opcode, data, True, compress)
        except InvalidState:
            await self._raise_closed()
        if self._messages and len(data) <= CORKED_FRAME_SIZE:
            self._flush_later()
        else:
            self._flush()
        self._sends += 1
        if self._writing_paused or self._sends > SENDS_WITHOUT_YIELDING:
            await self._yield()

    def _flush_later(self) -> None:
        """Collect: the application has more to handle and will most likely send more."""
        if len(self.protocol.writes) >= CORKED_FRAMES:
            self._flush()
        elif not self._flush_scheduled:
            self._flush_scheduled = True
            self.loop.call_soon(self._flush_collected)

    def _flush_collected(self) -> None:
        self._flush_scheduled = False
        self._flush()

    def send_shared(self, message: SharedMessage, slow: Slow = "buffer") -> None:
        """Send a message of :func:`~ws6455.aio.broadcast.broadcast`, without waiting.

        Args:
            message: what to send.
            slow: see :func:`~ws6455.aio.broadcast.broadcast`.

        Raises:
            InvalidState: unless OPEN.
            ProtocolError: within a fragmented message.
        """
        if self._writing_paused and slow != "buffer":
            if slow == "coalesce":
                self._coalesced = message
                self._await_room()
            elif slow == "disconnect":
                self._fail(CloseCode.TRY_AGAIN_LATER, "too slow")
            return
        self.protocol.send_shared(message)
        self._flush()

    def _await_room(self) -> None:
        """Have :meth:`resume_writing` called when there is room: here the transport does it."""

    def resume_writing(self) -> None:
        """Note that there is room again; send what a broadcast has kept for that."""
        super().resume_writing()
        message, self._coalesced = self._coalesced, None
        if message is not None:
            try:
                self.send_shared(message)
            except (InvalidState, ProtocolError) as exc:
                self.logger.debug("skipped broadcast: %s", exc)

    async def _yield(self) -> None:
        """Wait for the transport to have room, and let others run now and then."""
        if self._writing_paused:
            assert self._writer is not None
            try:
                await self._writer.drain()
            except OSError:
                await self._raise_closed()
            if self._transport_lost:
                raise self.protocol.close_exc
        elif self._sends > SENDS_WITHOUT_YIELDING:
            self._sends = 0
            await asyncio.sleep(0)

    async def _raise_closed(self) -> None:
        """Wait for the end, so that the exception tells the whole of it."""
        await self.wait_closed()
        raise self.protocol.close_exc

    async def _send_fragments(
        self, fragments: AsyncIterator[DataLike], text: bool | None, compress: bool | None
    ) -> None:
        """Send a fragmented message (§5.4): each item, and an empty last fragment."""
        protocol = self.protocol
        self._fragments_sent = self.loop.create_future()
        kind: type | None = None
        try:
            async for fragment in fragments:
                if not isinstance(fragment, str | BytesLike):
                    raise TypeError(
                        f"fragment must be str or bytes-like, not {type(fragment).__name__}"
                    )
                this_kind = str if isinstance(fragment, str) else bytes
                if kind is not None and this_kind is not kind:
                    raise TypeError("all fragments must be of the same kind")
                data = fragment.encode() if isinstance(fragment, str) else bytes(fragment)
                if protocol.state is not State.OPEN:
                    await self._raise_closed()
                if kind is not None:
                    protocol.send_continuation(data, fin=False)
                else:
                    is_text = this_kind is str if text is None else text
                    protocol.send_data(_TEXT if is_text else _BINARY, data, False, compress)
                kind = this_kind
                self._flush()
                self._sends += 1
                await self._yield()
            if kind is not None:
                if protocol.state is not State.OPEN:
                    await self._raise_closed()
                protocol.send_continuation(b"", fin=True)
                self._flush()
        except BaseException as exc:
            # Half a message is out, and nothing can take it back.
            if kind is not None and protocol.state is State.OPEN:
                self._fail(CloseCode.INTERNAL_ERROR, "error in fragmented message", exc)
            raise
        finally:
            if not self._fragments_sent.done():
                self._fragments_sent.set_result(None)
            self._fragments_sent = None

    async def ping(self, data: DataLike | None = None) -> asyncio.Future[float]:
        """Send a ping.

        Args:
            data: its payload, at most 125 bytes; four random bytes by default.

        Returns:
            A future: awaited, it gives the seconds until the pong, or raises ConnectionClosed.

        Raises:
            ConnectionClosed: if the connection is closed.
            ConcurrencyError: if a ping with the same payload waits for its pong.
            ProtocolError: if the payload is too long.
            TypeError: if it is neither a string nor bytes-like.
            RuntimeError: if called from another thread or event loop.
        """
        if get_running_loop() is not self.loop:
            raise wrong_loop()
        if self._sending_ended or self.protocol.state not in (State.OPEN, State.CLOSING):
            await self._raise_closed()
        waiter: asyncio.Future[float] = self.loop.create_future()
        self._send_ping(data, waiter)
        await self._yield()
        return waiter

    async def pong(self, data: DataLike = b"") -> None:
        """Send a pong that answers no ping, as a one-way heartbeat (§5.5.3).

        Args:
            data: its payload, at most 125 bytes.

        Raises:
            ConnectionClosed: if the connection is closed.
            ProtocolError, TypeError, RuntimeError: see :meth:`ping`.
        """
        if get_running_loop() is not self.loop:
            raise wrong_loop()
        payload = control_payload(data)
        if self._sending_ended or self.protocol.state not in (State.OPEN, State.CLOSING):
            await self._raise_closed()
        self.protocol.send_pong(payload)
        self._flush()
        await self._yield()

    # Closing ----------------------------------------------------------------------------

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Close the connection: the closing handshake, then TCP (§7.1.2).

        Takes at most twice `close_timeout`. Closing a closed connection does nothing.

        Args:
            code: the close code.
            reason: at most 123 bytes of UTF-8.

        Raises:
            ProtocolError: if the code must not travel, or the reason is too long.
            RuntimeError: if called from another thread or event loop.
        """
        if get_running_loop() is not self.loop:
            raise wrong_loop()
        state = self.protocol.state
        if state is State.CONNECTING:
            self._abort()
        elif state is State.OPEN:
            if self.protocol.sending_fragments:
                self._fail(CloseCode.INTERNAL_ERROR, "close during fragmented message")
            else:
                self._start_closing(code, reason)
        await self.wait_closed()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close(1000 if exc_type is None else 1011)


def wrong_loop() -> RuntimeError:
    """Make the error for a call from another thread, which would corrupt what is sent."""
    return RuntimeError(
        "a connection belongs to the event loop that opened it: from another thread, call "
        "asyncio.run_coroutine_threadsafe or loop.call_soon_threadsafe"
    )


async def _aiter_fragments(
    message: Iterable[DataLike] | AsyncIterable[DataLike],
) -> AsyncIterator[DataLike]:
    if isinstance(message, Mapping):
        raise TypeError("message must be str, bytes-like or an iterable of them, not a mapping")
    if isinstance(message, AsyncIterable):
        async for fragment in message:
            yield fragment
    elif isinstance(message, Iterable):
        for fragment in message:
            yield fragment
    else:
        raise TypeError(
            f"message must be str, bytes-like or an iterable of them, not {type(message).__name__}"
        )


def _encoded(message: Data) -> bytes:
    return message.encode() if isinstance(message, str) else message


def _decoded(message: Data) -> str:
    return message if isinstance(message, str) else message.decode()
