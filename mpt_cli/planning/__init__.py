"""Plan a request: target format, what is copied, what it costs (no state)."""
