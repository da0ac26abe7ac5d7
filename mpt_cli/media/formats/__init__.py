"""Byte formats of streams and containers; no file is opened here."""
