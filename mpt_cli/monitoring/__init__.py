"""Memory, slots and cost of runs; the only code beside ``media.process`` that uses psutil."""
