"""The clock: the time for all clients, and answers to requests.

Every message is text. A time is UTC in ISO 8601 with milliseconds, such as
``2026-08-01T12:00:03.000Z``. Messages that the server sends unasked begin with a capital
letter:

- ``Welcome: TIME``, once, as the first message: the time at which the client connected;
- ``Time: TIME``, every 3 s (``--tick``): the multiple of 3 s just reached, not the time of
  sending, so that every client of every server reads the same;
- ``Connected``, every 60 s (``--heartbeat``), on the multiples of 60 s.

A request is a single word, and its reply begins with the same word:

- ``server_time``: ``server_time: TIME``;
- ``client_time``: ``client_time: 12.345 seconds``, the time since this client connected;
- ``num_clients``: ``num_clients: 3``, the number of connected clients;
- ``ping``: ``ping: pong``.

The reply to any other message is ``Error: ...`` with the reason.
"""
