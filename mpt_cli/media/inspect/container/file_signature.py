"""What a file is not, by its first bytes (pure).

libav answers everything that it cannot read with the same error, and decodes an image that was named
.mp4; a playlist makes it open other files. Such files are named before libav is asked.
"""

from __future__ import annotations

from mpt_cli.media.inspect.container.audio_signature import AUDIO_HINT, audio_kind
from mpt_cli.media.inspect.container.text_signature import text_refusal
from mpt_cli.model.errors import IssueCode

SIGNATURE_BYTES = 4096

_IMAGES = (
    (b"\x89PNG\r\n\x1a\n", 0, "PNG"),
    (b"\xff\xd8\xff", 0, "JPEG"),
    (b"BM", 0, "BMP"),
    (b"II*\x00", 0, "TIFF"),
    (b"MM\x00*", 0, "TIFF"),
    (b"8BPS", 0, "Photoshop"),
    (b"WEBP", 8, "WebP"),
    (b"\xff\x0a", 0, "JPEG XL"),
    (b"\0\0\0\x0cJXL \r\n\x87\n", 0, "JPEG XL"),
    (b"ftypheic", 4, "HEIC"),
    (b"ftypheix", 4, "HEIC"),
    (b"ftypmif1", 4, "HEIF"),
    (b"ftypavif", 4, "AVIF"),
)
_PLAYLISTS = (
    b"#extm3u",
    b"#ext-x-",
    b"ffconcat",
    b"[playlist]",
    b"[reference]",
    b"<?wpl",
    b"<asx",
    b"<smil",
    b"rtsptext",
)
"""In small letters."""
_ARCHIVES = ((b"PK\x03\x04", "a ZIP archive"), (b"Rar!", "a RAR archive"), (b"7z\xbc\xaf", "a 7z archive"),
             (b"\x1f\x8b", "a gzip file"))  # fmt: skip
_BMP_RESERVED = slice(6, 10)

Refusal = tuple[IssueCode, str, str]
"""A code, a message and a hint."""

_STILL_HINT = "mpt shows no photos; make a clip of it first: ffmpeg -loop 1 -i IN -t 3 -pix_fmt yuv420p OUT.mp4"
_PLAYLIST_HINT = "name the files that it lists"


def image_kind(head: bytes) -> str | None:
    """Return the name of the image format that a file with this beginning has."""
    for magic, offset, name in _IMAGES:
        if head.startswith(magic, offset) and (name != "BMP" or head[_BMP_RESERVED] == bytes(4)):
            return name
    return None


def refusal(head: bytes) -> Refusal | None:
    """Return why a file with this beginning is not a clip, or None where libav should decide."""
    if name := image_kind(head):
        return IssueCode.STILL_IMAGE, f"is a still image ({name})", _STILL_HINT
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if text.startswith(_PLAYLISTS) or (text.startswith(b"<") and b"<mpd" in text):
        return IssueCode.PLAYLIST_REFUSED, "is a playlist, not a clip", _PLAYLIST_HINT
    for magic, name in _ARCHIVES:
        if head.startswith(magic):
            return IssueCode.NOT_MEDIA, f"is {name}, not a clip", "unpack it, and name the clips in it"
    if head.startswith(b"%PDF"):
        return IssueCode.NOT_MEDIA, "is a PDF document, not a clip", "mpt shows no documents; leave it out"
    if name := audio_kind(head):
        return IssueCode.NO_VIDEO_STREAM, f"is audio ({name}), not a clip", AUDIO_HINT
    return text_refusal(head)
