"""The clock: the time to everybody, and answers to those who ask.

Every message is text. A time is UTC in ISO 8601 with milliseconds, as
``2026-08-01T12:00:03.000Z``. What the server says by itself begins with a capital letter:

- ``Welcome: TIME``, once, first of all: the time at which the client connected;
- ``Time: TIME``, every 3 s (``--tick``): the multiple of 3 s that was just reached, not the
  time at which it was sent, so that every client of every server reads the same;
- ``Connected``, every 60 s (``--heartbeat``), on the multiples of 60 s.

A client asks with a bare word, and the reply begins with the same word:

- ``server_time``: ``server_time: TIME``;
- ``client_time``: ``client_time: 12.345 seconds``, for how long this client is connected;
- ``num_clients``: ``num_clients: 3``, how many clients are connected;
- ``ping``: ``ping: pong``.

Anything else is answered ``Error: ...``, which names what was wrong.
"""
