"""What the entries of a folder are, by their names: clips, and everything that is left out."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mpt_cli.model.left_out import LeftOutKind

if TYPE_CHECKING:
    from collections.abc import Iterable

MEDIA_SUFFIXES = frozenset(
    """
    .264 .265 .360 .3g2 .3gp .3gpp .amv .apng .asf .av1 .avc .avi .divx .dv .evo .f4v .flv .gif .gxf .h264 .h265 .hevc
    .insv .ivf .lrf .lrv .m1v .m2p .m2t .m2ts .m2v .m4v .mjpeg .mjpg .mk3d .mkv .mod .mov .mp2v .mp4 .mp4v .mpe .mpeg
    .mpeg4 .mpg .mpv .mts .mxf .nut .obu .ogm .ogv .ogx .qt .rm .rmvb .tod .ts .vob .vro .webm .wmv .wtv .y4m
    """.split()  # noqa: SIM905 - eighty quoted lines would say no more
)
"""Extensions of the files that are taken from a folder; a file that is named itself may have any."""

_PHOTOS = frozenset(
    """
    .arw .avif .bmp .cr2 .cr3 .crw .dng .gpr .heic .heif .insp .jpe .jpeg .jpg .jxl .nef .orf .png .psd .raf .raw .rw2
    .svg .thm .tif .tiff .webp
    """.split()  # noqa: SIM905 - the same
)
_AUDIO = frozenset(
    """
    .aac .ac3 .aif .aiff .amr .ape .caf .dts .eac3 .flac .m4a .m4b .mid .mka .mp2 .mp3 .oga .ogg .opus .wav .wma
    """.split()  # noqa: SIM905 - the same
)
_SUBTITLES = frozenset((".ass", ".idx", ".sbv", ".srt", ".ssa", ".sub", ".ttml", ".vtt"))
_UNFINISHED = frozenset(
    (".!qb", ".!ut", ".aria2", ".crdownload", ".download", ".filepart", ".opdownload", ".part", ".partial", ".ytdl")
)
"""What browsers and download programs append to the name of a file until it is whole."""
_TEMPORARY = frozenset((".temp", ".tmp"))
"""The same where the rest is the name of a clip; much else is called so."""
_OF_A_DOWNLOAD = re.compile(r"\.(f[0-9]{3}(-[0-9a-z]+)?|temp)$", re.IGNORECASE)
"""End of the stem of the parts that yt-dlp joins in the end, and of the file that it joins them in."""
_OF_THE_SYSTEM = ("@eadir", "__macosx", "desktop.ini", "ehthumbs.db", "lost+found", "thumbs.db")
_PREVIEWS = (".lrf", ".lrv")
_NUMBER = re.compile(r"(?:g[a-z](?P<gopro>[0-9]{6})|gopr(?P<old>[0-9]{4}))(?![0-9])|"
                     r"(?:lrv|vid)_(?P<insta>[0-9]{8}_[0-9]{6})_[0-9]{2}(?P<rest>_[0-9]+)")  # fmt: skip
"""What a clip of GoPro or Insta360 shares with its preview, in small letters."""


def of_the_system(name: str) -> bool:
    """Return whether an entry is hidden, or written by a system for itself: such entries are not reported."""
    return name.startswith(".") or name.lower() in _OF_THE_SYSTEM


def left_out_kind(name: str) -> LeftOutKind | None:
    """Return the kind of a file that is left out of a folder; None for a clip.

    Args:
        name: Name of the file.
    """
    stem, suffix = _split(name)
    if suffix in _UNFINISHED or (suffix in _TEMPORARY and _split(stem)[1] in MEDIA_SUFFIXES):
        return LeftOutKind.DOWNLOAD
    if suffix in MEDIA_SUFFIXES:
        return LeftOutKind.DOWNLOAD if _OF_A_DOWNLOAD.search(stem) else None
    kinds = ((_PHOTOS, LeftOutKind.PHOTO), (_AUDIO, LeftOutKind.AUDIO), (_SUBTITLES, LeftOutKind.SUBTITLES))
    return next((kind for suffixes, kind in kinds if suffix in suffixes), LeftOutKind.OTHER)


def _split(name: str) -> tuple[str, str]:
    """Return a name before its extension, and the extension with its dot, both in small letters."""
    stem, _, suffix = name.lower().rpartition(".")
    return (stem, f".{suffix}") if stem else (name.lower(), "")


def previews(names: Iterable[str]) -> set[str]:
    """Return the names of small copies that a camera wrote of other clips among these."""
    names = list(names)
    small = {name for name in names if _is_preview(name)}
    if not small:
        return small
    whole = {_shared(name) for name in names if name not in small}
    return {name for name in small if _shared(name) in whole}


def _is_preview(name: str) -> bool:
    name = name.lower()
    return name.endswith(_PREVIEWS) or name.startswith("lrv_")


def _shared(name: str) -> str:
    """Return what a clip and its preview have in common."""
    stem, _ = _split(name)
    found = _NUMBER.fullmatch(stem)
    if found is None:
        return stem
    return next(text for text in (found["gopro"], found["old"], f"{found['insta']}{found['rest']}") if text)
