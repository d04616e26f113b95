"""The greeter: send a name, get a greeting. A first program for newcomers to WebSockets.

Each text message of a client is a name. The server answers ``Hello NAME!``, or
``Please send a name.`` if the text is not a valid name (see `apps.names`). A binary message
closes the connection with 1003.
"""
