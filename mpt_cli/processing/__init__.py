"""Processing of clips into the target format, in parallel and within a memory budget."""
