"""Answers of commands: text for people and ``data`` for programs."""
