"""Policy of an open connection: bounds, keepalive, deadlines, broadcasts; the clock is given."""
