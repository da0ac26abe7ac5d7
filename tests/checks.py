"""The checks of ``mpt health`` in their order, for tests of the core and from outside."""

from __future__ import annotations

ENCODERS = ("encoder:libx264", "encoder:libx265", "encoder:libsvtav1")
CHECKS = (
    "validation_engine",
    "processing_pipeline",
    "concatenation_service",
    "ffmpeg",
    *ENCODERS,
    "hardware_encoders",
    "pyav",
    "moviepy",
    "memory",
    "disk",
    "cache",
    "state",
    "temp",
)
