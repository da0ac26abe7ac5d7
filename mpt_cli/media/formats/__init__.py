"""Formats by their bytes (pure; no file is opened here)."""
