"""The box game: one world that is played on the desktop and in the browser alike.

``python -m apps.box`` opens the server and a window; `wire` says what goes over the link.
"""
