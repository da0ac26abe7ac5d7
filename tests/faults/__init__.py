"""Seeded faults: kills, full disks, lying ffmpegs, races, damaged state and limits, and what must hold after each."""
