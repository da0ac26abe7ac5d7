"""Child processes; the only ``import subprocess``."""
