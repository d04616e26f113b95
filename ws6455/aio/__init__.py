"""The asyncio front end: `connect`, `serve`, `accept`, `broadcast` and the connections."""
