"""The threaded front end: `client.connect`, `server.serve` and the connections."""
