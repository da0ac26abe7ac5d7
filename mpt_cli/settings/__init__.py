"""Where values come from: defaults, files, environment, command line; for the command line and the factory only."""
