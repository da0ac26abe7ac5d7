"""Memory, slots and cost of runs; the only room beside ``media.process`` that uses psutil."""
