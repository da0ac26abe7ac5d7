"""The command that a run starts is the one that the cache key is made of, but for names of files."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from mpt_cli.media.ffmpeg.runner import Ffmpeg
from mpt_cli.model.media_info import AudioStreamInfo
from mpt_cli.planning.recipe import Recipes
from tests.builders import form_of, media_of, plan_of

if TYPE_CHECKING:
    from mpt_cli.model.media_info import MediaInfo

IRREGULAR = AudioStreamInfo(1, "aac", ("FL", "FR"), "stereo", 48_000, irregular=True)
SECOND = AudioStreamInfo(2, "aac", ("FC",), "mono", 44_100, irregular=True)
FORM, FRAMES, AUDIO = form_of(), Path("/run dir/00000.mp4"), Path("/run dir/00000.pcm")
MEDIA: dict[str, MediaInfo] = {
    "plain": media_of(),
    "silent": media_of(audio=None),
    "cut off": media_of(readable_bytes=1000),
    "irregular": media_of(audio=IRREGULAR),
    "two tracks": media_of(audio=IRREGULAR, audio_with=(SECOND,)),
    "alpha": media_of(video={"has_alpha": True, "codec": "vp9"}),
    "late": media_of(zero=Fraction(7, 3)),
}


class Modern(Ffmpeg):
    """An ffmpeg that need not be asked."""

    def ask_build(self, cancel: object) -> str:
        return "9.0"


RECIPES = Recipes(Modern())


@pytest.mark.parametrize("frame_map", [None, Path("/run dir/00000.frames")])
@pytest.mark.parametrize("mute", [False, True])
@pytest.mark.parametrize("kind", MEDIA)
def test_command_by_its_recipe_is_the_command_itself(kind: str, mute: bool, frame_map: Path | None) -> None:
    planned = plan_of(MEDIA[kind], 0).clips[0]
    clip = replace(planned.clip, path=Path("/my clips/ä\udcff.mp4"), start=Fraction(1, 3), mute=mute)
    planned = replace(planned, clip=clip)
    audio = AUDIO if planned.media.audio is not None and not mute else None
    key, recipe = RECIPES.keyed(planned, FORM, "content")
    assert key == RECIPES.key(planned, FORM, "content")
    by_recipe = RECIPES.arguments(replace(planned, recipe=recipe), FORM, FRAMES, audio, frame_map)
    assert by_recipe == RECIPES.arguments(planned, FORM, FRAMES, audio, frame_map)
    assert recipe.is_of(planned, FORM)


@pytest.mark.parametrize(
    "change",
    [
        lambda planned: replace(planned, clip=replace(planned.clip, start=Fraction(1, 2))),
        lambda planned: replace(planned, clip=replace(planned.clip, mute=True)),
        lambda planned: replace(planned, segment=replace(planned.segment, frames=3)),
        lambda planned: replace(planned, media=media_of(zero=Fraction(1))),
    ],
)
def test_recipe_of_something_else_is_not_used(change: Any) -> None:
    planned = plan_of(MEDIA["plain"], 0).clips[0]
    _, recipe = RECIPES.keyed(planned, FORM, "content")
    other = change(replace(planned, recipe=recipe))
    assert not recipe.is_of(other, FORM)
    assert not recipe.is_of(planned, form_of(threads=2))
    expected = RECIPES.arguments(replace(other, recipe=None), FORM, FRAMES, AUDIO)
    assert RECIPES.arguments(other, FORM, FRAMES, AUDIO) == expected
