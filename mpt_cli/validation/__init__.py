"""Validation of requests and files before any work; problems are returned as issues, never raised."""
