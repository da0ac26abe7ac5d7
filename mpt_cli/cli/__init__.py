"""Commands: thin adapters between options, the factory and a display; the only code that uses typer."""
