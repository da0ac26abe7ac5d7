"""Frozen values that flow through mpt. Imports nothing of mpt."""
