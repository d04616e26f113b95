"""What the argument `compression` stands for, on either side.

Floor 2: imports :mod:`ws6455.deflate`. RFC 7692 §7.1.
"""

from __future__ import annotations

from collections.abc import Sequence

from .deflate import ClientPerMessageDeflateFactory, ServerPerMessageDeflateFactory

__all__ = ["client_extensions", "server_extensions"]


def client_extensions(
    extensions: Sequence[ClientPerMessageDeflateFactory] | None, compression: str | None
) -> Sequence[ClientPerMessageDeflateFactory]:
    """Return what to offer.

    Raises:
        ValueError: if `compression` is neither ``"deflate"`` nor None.
    """
    offered = list(extensions or ())
    if compression == "deflate":
        if not offered:
            offered.append(ClientPerMessageDeflateFactory(compress_settings={"memLevel": 5}))
    elif compression is not None:
        raise ValueError(f"unsupported compression: {compression}")
    return offered


def server_extensions(
    extensions: Sequence[ServerPerMessageDeflateFactory] | None, compression: str | None
) -> Sequence[ServerPerMessageDeflateFactory]:
    """Return what to accept; by default windows of 4 KiB, which bound what a connection costs.

    Raises:
        ValueError: if `compression` is neither ``"deflate"`` nor None.
    """
    accepted = list(extensions or ())
    if compression == "deflate":
        if not accepted:
            accepted.append(
                ServerPerMessageDeflateFactory(
                    server_max_window_bits=12,
                    client_max_window_bits=12,
                    compress_settings={"memLevel": 5},
                )
            )
    elif compression is not None:
        raise ValueError(f"unsupported compression: {compression}")
    return accepted
