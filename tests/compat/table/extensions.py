"""`websockets.extensions`: the base classes, and permessage-deflate (RFC 7692)."""

from .rows import Module

__all__ = ["MODULES"]

_BASES = "Extension ClientExtensionFactory ServerExtensionFactory"

_PARAMETERS = (
    "server_no_context_takeover=False, client_no_context_takeover=False, "
    "server_max_window_bits=None"
)

MODULES = {
    "websockets.extensions": Module(names=_BASES),
    "websockets.extensions.base": Module(
        names=_BASES,
        signatures={
            "Extension.decode": "frame, *, max_size=None",
            "Extension.encode": "frame",
            "ClientExtensionFactory.get_request_params": "",
            "ClientExtensionFactory.process_response_params": "params, accepted_extensions",
            "ServerExtensionFactory.process_request_params": "params, accepted_extensions",
        },
    ),
    "websockets.extensions.permessage_deflate": Module(
        names="""
            PerMessageDeflate ClientPerMessageDeflateFactory ServerPerMessageDeflateFactory
            enable_client_permessage_deflate enable_server_permessage_deflate
        """,
        signatures={
            "ClientPerMessageDeflateFactory": (
                f"{_PARAMETERS}, client_max_window_bits=True, compress_settings=None"
            ),
            "ClientPerMessageDeflateFactory.get_request_params": "",
            "ClientPerMessageDeflateFactory.process_response_params": (
                "params, accepted_extensions"
            ),
            "ServerPerMessageDeflateFactory": (
                f"{_PARAMETERS}, client_max_window_bits=None, compress_settings=None, "
                "require_client_max_window_bits=False"
            ),
            "ServerPerMessageDeflateFactory.process_request_params": (
                "params, accepted_extensions"
            ),
            "PerMessageDeflate": (
                "remote_no_context_takeover, local_no_context_takeover, "
                "remote_max_window_bits, local_max_window_bits, compress_settings=None"
            ),
            "PerMessageDeflate.decode": "frame, *, max_size=None",
            "PerMessageDeflate.encode": "frame",
            "enable_client_permessage_deflate": "extensions",
            "enable_server_permessage_deflate": "extensions",
        },
        parents={
            "PerMessageDeflate": "websockets.extensions.base:Extension",
            "ClientPerMessageDeflateFactory": "websockets.extensions.base:ClientExtensionFactory",
            "ServerPerMessageDeflateFactory": "websockets.extensions.base:ServerExtensionFactory",
        },
        values={
            "PerMessageDeflate.name": "permessage-deflate",
            "ClientPerMessageDeflateFactory.name": "permessage-deflate",
            "ServerPerMessageDeflateFactory.name": "permessage-deflate",
        },
    ),
}
