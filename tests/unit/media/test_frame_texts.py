"""Commands of clips that share a graph: each gets its own times, as ffmpeg-python writes them."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ffmpeg
from hypothesis import given
from hypothesis import strategies as st

from mpt_cli.media.ffmpeg.frame_texts import FrameTexts, OptionTexts, filled
from mpt_cli.media.ffmpeg.segment_commands import segment_arguments
from mpt_cli.model.clips import Segment, VideoClip
from tests.builders import form_of, media_of

if TYPE_CHECKING:
    from mpt_cli.model.media_info import MediaInfo

EXPRESSIONS = st.text("PTS0123456789+-*/()[],;:=\\' %", min_size=1)
FORM = replace(form_of(), background="#123456")  # so that no other test has written these graphs


def written(frames: FrameTexts, options: OptionTexts) -> list[str]:
    """What ffmpeg-python writes where each text stands in the place that it has in a segment."""
    seek = {} if options.seek is None else {"ss": options.seek}
    stream: Any = ffmpeg.input("file:a", **seek)["0"].filter("settb", frames.time_base)
    if frames.shown is not None:
        stream = stream.filter("setpts", frames.shown)
    stream = stream.filter("setpts", frames.clock).filter("trim", end_frame=frames.frames)
    sound = {} if options.sound is None else {"af": options.sound}
    return list(ffmpeg.output(stream, "file:b", **sound).get_args())


@given(
    st.builds(
        FrameTexts,
        time_base=st.integers(1).map(lambda ticks: f"1/{ticks}"),
        shown=st.none() | EXPRESSIONS,
        clock=EXPRESSIONS,
        frames=st.integers(1).map(str),
        shape=st.just("dar"),
    ),
    st.builds(OptionTexts, seek=st.none() | st.just("12.500000"), sound=st.none() | EXPRESSIONS),
)
def test_filled_arguments_are_those_of_ffmpeg_python(frames: FrameTexts, options: OptionTexts) -> None:
    assert filled(written(frames.stand_ins, options.stand_ins), frames, options) == written(frames, options)


def arguments(media: MediaInfo, start: Fraction, frames: int, name: str) -> list[str]:
    """The command of a clip, with its files named alike."""
    video, audio = Path(f"/run/{name}.mp4"), Path(f"/run/{name}.pcm")
    clip, segment = VideoClip(Path("/in/a.mp4"), start=start), Segment(0, 0, frames)
    made = segment_arguments(clip, media, segment, FORM, video_path=video, audio_path=audio)
    return [argument.replace(name, "NAME") for argument in made]


def test_clips_that_share_a_graph_keep_their_own_times() -> None:
    late = replace(media_of(), seek_points=(Fraction(0), Fraction(3)))
    mute = replace(media_of(), audio=None, audio_tracks=())
    clips = [
        (media, start, frames)
        for media in (media_of(), late, mute)
        for start in (Fraction(0), Fraction(1, 3), Fraction(5), Fraction(7))
        for frames in (1, 30)
    ]
    first = [arguments(*clip, "forward") for clip in clips]
    again = [arguments(*clip, "backward") for clip in reversed(clips)]
    assert first == again[::-1]
    assert (
        len({tuple(each) for each in first}) >= len(clips) - 8
    )  # with and without points to seek to, early ones agree
    assert not any(text in argument for each in first for argument in each for text in ("<", ">"))
