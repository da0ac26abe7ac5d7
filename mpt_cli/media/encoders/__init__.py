"""Encoders: their options, their limits, and their availability on this machine."""
