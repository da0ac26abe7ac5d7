"""Encoders: what each takes, and which of them work here."""
