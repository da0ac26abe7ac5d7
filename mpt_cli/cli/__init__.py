"""Command line: options, commands, sessions and answers. Only this room imports typer."""
