"""Frozen values that flow through mpt. This room imports no other room."""
