"""Text files that were named as clips: subtitles, lists, job files, pages, by their first bytes (pure)."""

from __future__ import annotations

import codecs
import re

from mpt_cli.model.errors import IssueCode

_SUBTITLES = (
    ("SRT", re.compile(r"\d+\s*\n\s*\d{1,3}:\d\d:\d\d[,.]\d+\s*-->")),
    ("WebVTT", re.compile(r"WEBVTT\b")),
    ("ASS", re.compile(r"\[Script Info\]", re.IGNORECASE)),
    ("MicroDVD", re.compile(r"\{\d+\}\{\d+\}")),
)
_JOB = re.compile(r"^\s*\[\[\s*job\s*\]\]", re.MULTILINE)
_PAGE = re.compile(r"(<\?xml[^>]*>\s*)?(<!--.*?-->\s*)?<(!doctype html|html|head|body)\b", re.IGNORECASE | re.DOTALL)
_LISTED = re.compile(r"[^\n]*[\w)\]]\.[A-Za-z][A-Za-z0-9]{1,5}['\"]?", re.ASCII)
"""A line that ends as the name of a file does."""
_NO_TEXT = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")
_RAW_VIDEO = b"YUV4MPEG2"
"""The head of a video whose samples may all be letters."""
_LEAST_ASCII = 0.7
"""Share of ASCII from which bytes that are not UTF-8 are taken for text in Latin letters."""
_BEYOND_ASCII = bytes(range(0x80, 0x100))
_WIDE = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def text_refusal(head: bytes) -> tuple[IssueCode, str, str] | None:
    """Return why a text with this beginning is not a clip; None for what is no text."""
    text = _text_of(head)
    if text is None:
        return None
    text = text.lstrip("\ufeff \t\r\n").replace("\r\n", "\n")
    for name, pattern in _SUBTITLES:
        if pattern.match(text):
            return (
                IssueCode.NOT_MEDIA,
                f"holds subtitles ({name}), and is not a clip",
                "mpt puts no subtitles into a reel; leave it out",
            )
    if _JOB.search(text):
        return IssueCode.NOT_MEDIA, "is a job file, not a clip", "give it as --job FILE, or to mpt batch"
    if _PAGE.match(text):
        return IssueCode.NOT_MEDIA, "is a web page, not a clip", "download the clip itself"
    *whole, last = (line.strip() for line in text.split("\n"))  # the last may be cut
    named = [line for line in whole or [last] if line]
    if named and all(_LISTED.fullmatch(line) for line in named):
        return IssueCode.NOT_MEDIA, "is a list of files, not a clip", "give it on stdin: mpt process - < LIST"
    return IssueCode.NOT_MEDIA, "is text, not a clip", "leave it out"


def _text_of(head: bytes) -> str | None:
    """Return the text that these bytes are, as UTF-8, UTF-16 or Latin-1; None where they are none."""
    if not head or head.startswith(_RAW_VIDEO):
        return None
    if head.startswith(_WIDE):
        text = head.decode("utf-16", errors="ignore")
        return None if _NO_TEXT.search(text) else text
    try:
        text = codecs.getincrementaldecoder("utf-8")().decode(head)  # the last character may be cut
    except UnicodeDecodeError:
        text = head.decode("latin-1") if _ascii_share(head) >= _LEAST_ASCII else "\0"
    return None if _NO_TEXT.search(text) else text


def _ascii_share(head: bytes) -> float:
    return len(head.translate(None, _BEYOND_ASCII)) / len(head)
