"""Displays: the live panel, plain and JSON lines, and the answers of commands. Only this room imports rich."""
