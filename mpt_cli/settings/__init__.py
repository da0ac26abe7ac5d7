"""Sources of settings: defaults, files, environment, command line. Only ``cli`` and ``factory`` import them."""
