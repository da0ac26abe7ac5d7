"""Frames of a file as they are coded: size, colour, fields, orientation."""
