"""The reel as a user of MoviePy writes it: ``moviepy_child.py TASK.json``."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path


def main(task: Path) -> None:
    """Fit each clip into the frame, and write them one after another."""
    from moviepy import ColorClip, CompositeVideoClip, VideoFileClip, concatenate_videoclips

    given = json.loads(task.read_text(encoding="utf-8"))
    width, height = given["size"]
    clips = []
    for path in given["work"]:
        clip = VideoFileClip(path)
        factor = min(width / clip.w, height / clip.h)
        fitted = clip.resized((int(clip.w * factor) // 2 * 2, int(clip.h * factor) // 2 * 2))
        canvas = ColorClip((width, height), color=(0, 0, 0)).with_duration(clip.duration)
        clips.append(CompositeVideoClip([canvas, fitted.with_position("center")]).with_audio(clip.audio))
    concatenate_videoclips(clips).write_videofile(
        given["output"],
        fps=given["rate"],
        codec="libx264",
        preset=given["preset"],
        audio_codec="aac",
        temp_audiofile_path=str(task.parent),
        threads=os.cpu_count(),
        logger=None,
        ffmpeg_params=["-crf", str(given["crf"])],
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
