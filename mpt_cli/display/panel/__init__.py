"""Live panel of a terminal: canvas, layout and rows."""
