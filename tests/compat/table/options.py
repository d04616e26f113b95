"""Parameters that many signatures of `websockets` share, as written in a ``def``."""

__all__ = ["CLIENT", "CONNECTION", "KEEPALIVE", "LEGACY", "RECONNECTING", "SERVER"]

KEEPALIVE = "ping_interval=20, ping_timeout=20, close_timeout=10"

# The parameters of connection classes, after the protocol.
CONNECTION = f"{KEEPALIVE}, max_queue=16"

# Parameters of clients and servers, for asyncio and for threads.
_BOTH = (
    "extensions=None, subprotocols=None, compression='deflate', open_timeout=10, "
    f"{CONNECTION}, max_size=2**20, logger=None, create_connection=None"
)

CLIENT = f"origin=None, additional_headers=None, user_agent_header=USER_AGENT, proxy=True, {_BOTH}"

RECONNECTING = "process_exception=process_exception, reconnect_delays=backoff"

SERVER = (
    "origins=None, select_subprotocol=None, process_request=None, process_response=None, "
    f"server_header=SERVER, {_BOTH}"
)

# Parameters of clients and servers of the legacy API.
LEGACY = (
    "create_protocol=None, logger=None, compression='deflate', extensions=None, "
    "subprotocols=None, extra_headers=None, open_timeout=10, ping_interval=20, ping_timeout=20, "
    "close_timeout=None, max_size=2**20, max_queue=32, read_limit=2**16, write_limit=2**16"
)
