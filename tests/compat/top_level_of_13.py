"""Runs a program on `websockets` with the top level that this had up to version 13.

That interface is still in it, as ``websockets.legacy``. So the installed package shows what
programs of that time have to print on ours.
"""

import asyncio
import runpy
import sys
import warnings

import websockets
import websockets.client
import websockets.server

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # that it is old is why it is here
    from websockets.legacy import client, server

for module, names in (
    (client, ("connect", "unix_connect")),
    (server, ("broadcast", "serve", "unix_serve")),
):
    for name in names:
        setattr(websockets, name, getattr(module, name))
asyncio.set_event_loop(asyncio.new_event_loop())  # which up to Python 3.11 was there
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
