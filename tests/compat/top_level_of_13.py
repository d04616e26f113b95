"""Run a program on the installed `websockets` with the top level of version 13.

That API is in ``websockets.legacy``. The output is the expected output on ws6455.
"""

import asyncio
import runpy
import sys
import warnings

import websockets
import websockets.client
import websockets.server

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # it is deprecated
    from websockets.legacy import client, server

for module, names in (
    (client, ("connect", "unix_connect")),
    (server, ("broadcast", "serve", "unix_serve")),
):
    for name in names:
        setattr(websockets, name, getattr(module, name))
asyncio.set_event_loop(asyncio.new_event_loop())  # Python up to 3.11 provides one
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
