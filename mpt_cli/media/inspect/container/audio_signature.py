"""Audio files that libav may not open here, by their first bytes (pure).

Sources: ISO/IEC 11172-3 and 13818-3, 2.4.1.3 (MPEG audio header); ISO/IEC 13818-7, 6.2 (ADTS);
ETSI TS 102 366 (AC-3). A frame counts only with the head of the next one behind it: two bytes prove nothing.
"""

from __future__ import annotations

AUDIO_HINT = "mpt adds no music or voice-over to a reel; leave it out"

_AUDIO = (
    (b"ID3", 0, "MP3"),
    (b"WAVE", 8, "WAV"),
    (b"fLaC", 0, "FLAC"),
    (b"AIFF", 8, "AIFF"),
    (b"AIFC", 8, "AIFF"),
    (b"#!AMR", 0, "AMR"),
    (b"caff", 0, "CAF"),
    (b".snd", 0, "AU"),
    (b"MThd", 0, "MIDI"),
    (b"MAC ", 0, "Monkey's Audio"),
    (b"wvpk", 0, "WavPack"),
)
_RIFF = (b"RIFF", b"RF64", b"FORM")
"""Where the name of the format stands behind these, it stands for nothing elsewhere."""
_SYNC_BYTE = 0xFF
_MP3_KBITS = (
    (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
)
"""Bit rates of layer III by their index: of MPEG-1, then of MPEG-2 and 2.5."""
_MP3_RATES = {3: (44_100, 48_000, 32_000), 2: (22_050, 24_000, 16_000), 0: (11_025, 12_000, 8000)}


def audio_kind(head: bytes) -> str | None:
    """Return the name of the audio format that a file with this beginning has, or None."""
    for magic, offset, name in _AUDIO:
        if head.startswith(magic, offset) and (not offset or head.startswith(_RIFF)):
            return name
    if _follows(head, _adts_bytes(head), b"\xff\xf1", b"\xff\xf9", b"\xff\xf0", b"\xff\xf8"):
        return "AAC"
    if _follows(head, _mp3_bytes(head), head[:2]):
        return "MP3"
    return None


def _follows(head: bytes, length: int | None, *starts: bytes) -> bool:
    """Return whether another frame begins behind a first one of this length."""
    return length is not None and len(head) > length + 1 and head.startswith(starts, length)


def _adts_bytes(head: bytes) -> int | None:
    """Return the length of the ADTS frame at the start, or None for another start."""
    if len(head) < 7 or head[0] != _SYNC_BYTE or head[1] & 0xF6 != 0xF0:
        return None
    length = (head[3] & 3) << 11 | head[4] << 3 | head[5] >> 5
    return length if length > 7 else None


def _mp3_bytes(head: bytes) -> int | None:
    """Return the length of the layer III frame at the start, or None for another start."""
    if len(head) < 4 or head[0] != _SYNC_BYTE or head[1] & 0xE6 != 0xE2:
        return None
    version, bitrate, rate, padding = head[1] >> 3 & 3, head[2] >> 4, head[2] >> 2 & 3, head[2] >> 1 & 1
    if version not in _MP3_RATES or rate == 3 or not 0 < bitrate < 15:
        return None
    bits, samples = _MP3_KBITS[version != 3][bitrate] * 1000, 1152 if version == 3 else 576
    return samples // 8 * bits // _MP3_RATES[version][rate] + padding
