"""The greeter: send a name, get a greeting. The first five minutes with WebSockets.

The wire: each text message of a client is a name, each answer is ``Hello NAME!``, or
``Please send a name.`` when the text is none (`apps.names`). A binary message closes the
connection with 1003.
"""
