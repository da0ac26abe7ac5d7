"""Commands of mpt, one module each."""
