"""Commands of README as a reader would run them: left out of the usual tests, because they install mpt."""
