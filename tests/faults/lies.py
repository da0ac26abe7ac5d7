"""An ffmpeg that lies: the real one behind a script that misbehaves at one kind of question."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.media import ffmpeg

if TYPE_CHECKING:
    from pathlib import Path

    from tests.faults.places import Place

QUESTIONS = ("version", "encoders", "encode", "audio", "join", "trial")

_SCRIPT = """#!/bin/sh
real={real}
case " $* " in
*" -version "*) kind=version ;;
*" -encoders "*) kind=encoders ;;
*" -f concat "*) kind=join ;;
*" -f rawvideo "*) kind=trial ;;
*" -c:v "* | *" -vcodec "*) kind=encode ;;
*) kind=audio ;;
esac
for last; do :; done
file="${{last#file:}}"
case "$file" in */*) ;; *) file={log}.none ;; esac  # a question without a file
if [ $kind = {question} ]; then
    echo x >> {log}.$$
    n=$(cat {log}.* | wc -l)
    if [ $n {at} {count} ]; then
        touch {lied}
        {lie}
    fi
fi
exec "$real" "$@"
"""

_LIES = {
    "fail": 'echo "Conversion failed!" >&2; exit 1',
    "fail after the work": '"$real" "$@"; exit 3',
    "claim success": "exit 0",
    "write nothing": ': > "$file"; exit 0',
    "write garbage": 'head -c 70000 /dev/urandom > "$file"; exit 0',
    "cut the end off": '"$real" "$@" || exit $?; s=$(stat -c %s "$file"); truncate -s $((s * 2 / 3)) "$file"; exit 0',
    "flip a byte": '"$real" "$@" || exit $?; s=$(stat -c %s "$file"); '
    'printf X | dd of="$file" bs=1 seek=$((s / 2)) conv=notrunc status=none; exit 0',
    "hang": "exec sleep 1000",
    "hang after the work": '"$real" "$@"; exec sleep 1000',
    "talk": "head -c 30000000 /dev/zero | tr '\\0' '\\n' >&2; head -c 3000000 /dev/zero; exit 1",
    "say the disk is full": 'echo "av_interleaved_write_frame(): No space left on device" >&2; exit 228',
    "die": "kill -KILL $$",
    "crash": "kill -SEGV $$",
    "be slow": "sleep 2",
    "write twice": '"$real" "$@" || exit $?; cat "$file" "$file" > "$file.2" && mv "$file.2" "$file"; exit 0',
    "remove the folder": 'case "$file" in */.mpt-run-*) rm -rf "$(dirname "$file")" ;; esac; exit 1',
}
LIES = tuple(_LIES)


def liar(place: Place, question: str, how: str, count: int) -> Path:
    """Return the path of an ffmpeg that lies at a question: always from the first on, or only the n-th time."""
    script = place.folder / "ffmpeg"
    script.write_text(
        _SCRIPT.format(
            real=ffmpeg(),
            question=question,
            log=place.folder / "asked",
            lied=place.folder / "lied",
            at="-ge" if count == 1 else "-eq",
            count=count,
            lie=_LIES[how],
        ),
        encoding="utf-8",
    )
    script.chmod(0o755)
    return script
