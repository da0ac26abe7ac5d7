"""Floods stderr with 16 MB of lines that overwrite each other and are not UTF-8, then says one word."""

from __future__ import annotations

import os

for number in range(256):
    os.write(2, f"frame={number}\r".encode() + b"\xff\xfe noise \r" * 6000 + b"line %d\n" % number)
os.write(2, b"first\rlast \xe9\r")
os.write(1, b"done\n")
