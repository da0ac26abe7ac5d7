"""Values that the core receives: a request, and the sections of its configuration."""
