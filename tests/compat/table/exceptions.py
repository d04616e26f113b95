"""`websockets.exceptions`: bases, constructors and attributes."""

from .rows import Module

__all__ = ["CALLS", "MODULES", "PARENTS"]

# The bases of each exception, in the order of the documentation.
PARENTS = {
    "WebSocketException": "Exception",
    "ConnectionClosed": "WebSocketException",
    "ConnectionClosedOK": "ConnectionClosed",
    "ConnectionClosedError": "ConnectionClosed",
    "InvalidURI": "WebSocketException",
    "InvalidProxy": "WebSocketException",
    "InvalidHandshake": "WebSocketException",
    "SecurityError": "InvalidHandshake",
    "RequestLineTooLong": "SecurityError",
    "StatusLineTooLong": "SecurityError",
    "HeaderLineTooLong": "SecurityError",
    "TooManyHeaders": "SecurityError",
    "ProxyError": "InvalidHandshake",
    "InvalidProxyMessage": "ProxyError",
    "InvalidProxyStatus": "ProxyError",
    "InvalidMessage": "InvalidHandshake",
    "InvalidMethod": "InvalidHandshake",
    "InvalidProtocol": "InvalidHandshake",
    "InvalidStatus": "InvalidHandshake",
    "InvalidHeader": "InvalidHandshake",
    "InvalidHeaderFormat": "InvalidHeader",
    "InvalidHeaderValue": "InvalidHeader",
    "InvalidOrigin": "InvalidHeader",
    "InvalidUpgrade": "InvalidHeader",
    "NegotiationError": "InvalidHandshake",
    "DuplicateParameter": "NegotiationError",
    "InvalidParameterName": "NegotiationError",
    "InvalidParameterValue": "NegotiationError",
    "ProtocolError": "WebSocketException",
    "PayloadTooBig": "WebSocketException",
    "TooManyFragments": "WebSocketException",
    "InvalidState": "WebSocketException AssertionError",
    "ConcurrencyError": "WebSocketException RuntimeError",
    "InvalidStatusCode": "InvalidHandshake",
    "AbortHandshake": "InvalidHandshake",
    "RedirectHandshake": "InvalidHandshake",
}

# Constructor calls of releases 8 to 17, and the attributes of the exception. `close` and `response`
# are a Close(1001, "bye") and a Response(404, "Not Found", Headers()).
CALLS: list[tuple[str, dict[str, object]]] = [
    (
        "ConnectionClosedOK(close, close, True)",
        {"code": 1001, "reason": "bye", "rcvd.code": 1001, "sent.reason": "bye"},
    ),
    ("ConnectionClosedOK(close, close, True)", {"rcvd_then_sent": True}),
    ("ConnectionClosedError(rcvd=close, sent=None)", {"rcvd.reason": "bye", "sent": None}),
    ("ConnectionClosedError(None, None)", {"code": 1006, "reason": "", "rcvd_then_sent": None}),
    ("ConnectionClosed(1001, 'bye')", {"code": 1001, "reason": "bye"}),
    ("InvalidURI('http://x', 'scheme')", {"uri": "http://x", "msg": "scheme"}),
    ("InvalidURI('http://x')", {"uri": "http://x"}),
    ("InvalidProxy('ftp://x', 'scheme')", {"proxy": "ftp://x", "msg": "scheme"}),
    ("InvalidHandshake('why')", {"args": ("why",)}),
    ("SecurityError('why')", {"args": ("why",)}),
    ("ProxyError('why')", {"args": ("why",)}),
    ("InvalidProxyMessage('why')", {"args": ("why",)}),
    ("InvalidProxyStatus(response)", {"response.status_code": 404}),
    ("InvalidMessage('why')", {"args": ("why",)}),
    ("InvalidMethod('PUT')", {"method": "PUT"}),
    ("InvalidProtocol('HTTP/1.0')", {"protocol": "HTTP/1.0"}),
    ("InvalidStatus(response)", {"response.status_code": 404, "response.body": b""}),
    (
        "InvalidStatusCode(404, response.headers)",
        {"status_code": 404, "headers.__class__.__name__": "Headers"},
    ),
    (
        "AbortHandshake(404, response.headers, b'gone')",
        {"status": 404, "headers.__class__.__name__": "Headers", "body": b"gone"},
    ),
    ("AbortHandshake(status=404, headers=response.headers)", {"body": b""}),
    ("RedirectHandshake('ws://y')", {"uri": "ws://y"}),
    ("InvalidHeader('Upgrade')", {"name": "Upgrade", "value": None}),
    ("InvalidHeader('Upgrade', 'x')", {"name": "Upgrade", "value": "x"}),
    ("InvalidHeaderFormat('Upgrade', 'expected', 'a,;', 2)", {"name": "Upgrade"}),
    ("InvalidHeaderValue('Upgrade', 'x')", {"name": "Upgrade", "value": "x"}),
    ("InvalidOrigin('http://x')", {"name": "Origin", "value": "http://x"}),
    ("InvalidUpgrade('Upgrade', None)", {"name": "Upgrade", "value": None}),
    ("NegotiationError('why')", {"args": ("why",)}),
    ("DuplicateParameter('a')", {"name": "a"}),
    ("InvalidParameterName('a')", {"name": "a"}),
    ("InvalidParameterValue('a', 'b')", {"name": "a", "value": "b"}),
    ("ProtocolError('why')", {"args": ("why",)}),
    ("WebSocketProtocolError('why')", {"args": ("why",)}),
    ("PayloadTooBig(5, 4)", {"size": 5, "max_size": 4, "current_size": None}),
    ("PayloadTooBig(5, 4, 2)", {"current_size": 2}),
    ("PayloadTooBig('why')", {"args": ("why",)}),
    ("TooManyFragments(4096)", {}),
    ("InvalidState('why')", {"args": ("why",)}),
    ("ConcurrencyError('why')", {"args": ("why",)}),
]

_LEGACY = ("InvalidStatusCode", "AbortHandshake", "RedirectHandshake")

_SIGNATURES = {
    "ConnectionClosed": "rcvd, sent, rcvd_then_sent=None",
    "InvalidURI": "uri, msg",
    "InvalidProxy": "proxy, msg",
    "InvalidProxyStatus": "response",
    "InvalidMethod": "method",
    "InvalidProtocol": "protocol",
    "InvalidStatus": "response",
    "InvalidHeader": "name, value=None",
    "InvalidHeaderFormat": "name, error, header, pos",
    "InvalidHeaderValue": "name, value=None",
    "InvalidOrigin": "origin",
    "InvalidUpgrade": "name, value=None",
    "DuplicateParameter": "name",
    "InvalidParameterName": "name",
    "InvalidParameterValue": "name, value",
}

_LEGACY_SIGNATURES = {
    "InvalidStatusCode": "status_code, headers",
    "AbortHandshake": "status, headers, body=b''",
    "RedirectHandshake": "uri",
}

MODULES = {
    "websockets.exceptions": Module(
        names=" ".join(name for name in PARENTS if name not in _LEGACY),
        deprecated=f"{' '.join(_LEGACY)} WebSocketProtocolError",
        signatures={**_SIGNATURES, **_LEGACY_SIGNATURES},
        parents={
            name: " ".join(
                f"{'websockets.exceptions' if base in PARENTS else 'builtins'}:{base}"
                for base in bases.split()
            )
            for name, bases in PARENTS.items()
        },
    ),
    "websockets.legacy.exceptions": Module(
        deprecated=" ".join(_LEGACY), signatures=_LEGACY_SIGNATURES
    ),
}
