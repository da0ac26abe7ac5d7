"""Completion scripts: the command tree as values, a writer for each shell, and the names that scripts ask for."""
