"""The box game: one world for desktop and browser players.

``python -m apps.box`` starts the server and opens a window. `wire` documents the protocol.
"""
