"""Shell integration: completion scripts and the man page."""
