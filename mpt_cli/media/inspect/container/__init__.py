"""Containers: how far a movie goes, and what a file is by its structure."""
