"""PublishedReels: the records of published files and of their inputs, by which a reel is known to be up to date.

A record is written for every reel before it gets its name: whatever ends a run, the file at that name
is known. Only such a file is ever replaced for ``if_changed``; any other file there is the user's.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING

from pydantic import TypeAdapter

from mpt_cli.model.left_out import LeftOutKind
from mpt_cli.model.published_reel import PublishedReel
from mpt_cli.model.results import RunStatus
from mpt_cli.model.version import __version__
from mpt_cli.storage.bounded_folder import Records, modified
from mpt_cli.storage.file_identity import file_of, identity_of, is_settled, is_still
from mpt_cli.storage.publish import changed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from mpt_cli.config.request import VideoParams
    from mpt_cli.config.sections import Config
    from mpt_cli.model.results import OutputInfo, ReelEvidence, VideoResult

logger = logging.getLogger(__name__)

RECORDS_KEPT = 10_000
_SPARE = 100
_OURS = r"[0-9a-f]{40}\.json"
_OF_THE_RUN = {"processing", "memory", "batch", "cache", "paths", "ffmpeg"}
"""Sections that do not decide what a reel is, except for what ``[processing]`` says of bad clips."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A request as its run began: its configuration, and the identities of its clips at that time."""

    params: VideoParams
    config: Config
    inputs: tuple[tuple[int, ...], ...]
    """Identities of the clips; empty for a file that is not there."""
    at_seconds: float

    def key(self, build: str) -> str:
        """Return a hash of everything that decides what the reel is, except the bytes of the clips.

        Names count: chapter titles may be made of them.
        """
        config = self.config.model_dump(mode="json", by_alias=True, exclude=_OF_THE_RUN)
        clips = [
            [os.fsencode(clip.path.name).hex(), clip.start, clip.end, clip.mute, clip.volume]
            for clip in self.params.clips
        ]
        # A default that is named is not the same as one that is not: clips may decide what nobody named.
        named = {f"video.{key}" for key in self.config.video.model_fields_set & {"size", "form", "dynamic_range"}}
        named |= {f"encode.{key}" for key in self.config.encode.model_fields_set & {"codec"}}
        bad = self.config.processing.on_error, self.config.processing.required_success_rate
        form = self.params.join, self.params.output_path.suffix.lower()
        text = json.dumps([__version__, build, form, bad, clips, config, sorted(named)], default=str)
        return hashlib.sha256(text.encode()).hexdigest()

    def settled(self, identity: tuple[int, ...]) -> tuple[int, ...]:
        """Return the identity; an empty one of a file that may have changed again without its times showing it."""
        return identity if is_settled(identity, self.at_seconds) else ()


class PublishedReels:
    """Records in a folder, one for each output; several processes may share the folder."""

    def __init__(
        self,
        folder: Path | None,
        *,
        content: Callable[..., str] | None = None,
        paranoid: bool = False,
        keep: int = RECORDS_KEPT,
        clock: Callable[[], float] = time.time,
        on_failure: Callable[[OSError], object] = lambda _error: None,
    ) -> None:
        """Keep records in this folder, which is created with the first one; without a folder, keep none.

        ``content`` returns the hash of a file whose times have changed, and calls ``alive`` while it reads;
        without it such a file counts as changed. ``paranoid`` asks it for every file. ``on_failure`` gets the
        error of a record that could not be written.
        """
        self._records, self._content, self._paranoid = Records(folder, _OURS), content, paranoid
        self._keep, self._clock, self._on_failure = keep, clock, on_failure

    def wanted(self, params: VideoParams, config: Config) -> Wanted:
        """Return what is asked for, noted before anything is looked into."""
        return Wanted(params, config, tuple(_identity(clip.path) for clip in params.clips), self._clock())

    def adopted(self, params: VideoParams) -> VideoParams:
        """Return the request, allowed to replace its output where mpt published that file."""
        if not params.if_changed or params.overwrite or self._foreign(params) is not None:
            return params
        return replace(params, overwrite=True)

    def require_owned(self, params: VideoParams) -> None:
        """Raise OutputError where something else than what mpt published lies where the request writes."""
        if (path := self._foreign(params)) is not None:
            raise changed(path)

    def owns(self, output: Path, path: Path) -> bool:
        """Return True if the file at a path is a reel that mpt published under the name of an output."""
        return self._recorded(output, path) is not None

    def owns_picture(self, output: Path, picture: Path, path: Path) -> bool:
        """Return True if the file at a path is a picture that mpt put beside reels at an output's name, as this one."""
        with suppress(OSError, ValueError, RecursionError):
            extra = picture.absolute(), file_of(path)
            return any(extra in reel.extras for reel in self._read(output))
        return False

    def current(
        self, wanted: Wanted, build: Callable[[], str], *, alive: Callable[[], object] = lambda: None
    ) -> PublishedReel | None:
        """Return the record of an output that is exactly what is wanted; None unless that is asked and certain.

        ``build`` returns the build of ffmpeg, which is asked only where all else agrees. ``alive`` is called
        while inputs are read, and may raise to stop.
        """
        params = wanted.params
        reel = self.find(params.output_path) if params.if_changed else None
        if reel is None or reel.key is None or len(reel.inputs) != len(params.clips):
            return None
        if not self._has_extras(params, reel):
            return None
        if params.problems or (params.evidence and reel.evidence is None) or reel.key != wanted.key(build()):
            return None
        clips = zip(params.clips, wanted.inputs, reel.inputs, strict=True)
        return reel if all(self._is_same(clip.path, now, *before, alive) for clip, now, before in clips) else None

    def find(self, output: Path) -> PublishedReel | None:
        """Return the record of the file at an output's name; None where mpt did not publish it."""
        return self._recorded(output, output)

    def add(self, wanted: Wanted, result: VideoResult, output: OutputInfo, path: Path) -> None:
        """Keep a record of a reel that is whole, and lies at this path or already at that of the output.

        The record of what lies at the output's name stays beside it, in case that stays what it is.
        """
        try:
            inputs = tuple(map(self._known, (clip.path for clip in wanted.params.clips)))
            same = all(now == then for (now, _), then in zip(inputs, wanted.inputs, strict=True))
            whole = same and result.status is RunStatus.SUCCESS
            reel = PublishedReel(
                file=file_of(path),
                key=wanted.key(result.ffmpeg or "") if whole else None,
                inputs=tuple((wanted.settled(identity), content) for identity, content in inputs),
                output=output,
                extras=tuple(self._standing(output.path)),
                seed=result.seed,
                warnings=result.warnings,
                evidence=result.evidence,
                clips=tuple(places_of(clip.path for clip in wanted.params.clips)),
            )
            before = self.find(output.path)
            self._write(output.path, [reel, *([before] if before and before.file != reel.file else [])])
        except OSError as error:
            logger.warning("%s will not be known again: %s", output.path, error)
            self._on_failure(error)

    def clips_of(self, places: Iterable[Path]) -> dict[Path, tuple[Path, ...]]:
        """Return the clips of each reel that mpt published at one of these places, which :func:`places_of` returns."""
        known = {record.name for record in self._records.paths()}
        reels = {place: self.find(place) for place in places if known and _record_name(place) in known}
        return {place: reel.clips for place, reel in reels.items() if reel is not None}

    def made_in(self, folder: Path, names: Sequence[str]) -> dict[str, LeftOutKind]:
        """Return which of these files of a folder are reels of others of these files, and images of such reels.

        A reel whose clips are elsewhere, or gone, is a clip like any other.
        """
        real = real_folder(folder)
        there = {real / name: name for name in names}
        made: dict[str, LeftOutKind] = {}
        for path, clips in self.clips_of(there).items():
            if not there.keys().isdisjoint(clips):
                made[there[path]] = LeftOutKind.REEL
                images = places_of(image for image, _ in self._standing(path))
                made |= {there[image]: LeftOutKind.IMAGE for image in images if image in there}
        return made

    def is_out_of_date(self, output: OutputInfo, evidence: ReelEvidence | None, file: tuple[int, ...]) -> bool:
        """Return whether the record of a published reel lacks what is known of it now.

        Also where its file, which still lies at its name, looks another there than where it was written.
        """
        known = self.find(output.path)
        return is_still(output.path, file) and (known is None or known.output != output or known.evidence != evidence)

    def note_extra(self, params: VideoParams, picture: Path, path: Path, *, reel: tuple[int, ...], owned: bool) -> None:
        """Keep a record of a picture of a reel that is about to get its name, and lies at another path yet.

        Args:
            params: The request.
            picture: The name that the picture gets.
            path: Where it lies until then.
            reel: What tells the published reel from other files.
            owned: Whether only what mpt put there may be replaced.

        Raises:
            ValueError: Another file has taken the place of the reel, which the picture may show.
            OutputError: A file that is not to be replaced has taken the place of the picture.
        """
        output = params.output_path
        if not is_still(output, reel):
            raise ValueError("another program has replaced the reel")
        if owned and self._foreign_picture(output, [picture]):
            raise changed(picture)
        try:
            newest, *others = self._read(output)
            extras = (*self._standing(output), (picture.absolute(), file_of(path)))
            self._write(output, [replace(newest, extras=extras), *others])
        except (OSError, ValueError, RecursionError) as error:
            logger.warning("%s will not be known again: %s", picture, error)
            if isinstance(error, OSError):
                self._on_failure(error)

    def _recorded(self, output: Path, path: Path) -> PublishedReel | None:
        """Return the record of the file at a path, if mpt published it under the name of an output."""
        with suppress(OSError, ValueError, RecursionError):
            file = file_of(path)
            return next((reel for reel in self._read(output) if reel.file == file), None)
        return None

    def _foreign(self, params: VideoParams) -> Path | None:
        """Return a file where the request writes that mpt did not put there, or None."""
        output = params.output_path
        if os.path.lexists(output) and self.find(output) is None:
            return output
        return self._foreign_picture(output, params.extras.named().values())

    def _foreign_picture(self, output: Path, pictures: Iterable[Path]) -> Path | None:
        """Return the first of these files that exists and that mpt did not put beside a reel at this name."""
        there = [path for path in pictures if os.path.lexists(path)]
        ours = dict(self._standing(output)) if there else {}
        return next((path for path in there if path.absolute() not in ours), None)

    def _has_extras(self, params: VideoParams, reel: PublishedReel) -> bool:
        """Return whether all pictures that are asked for exist and belong to this reel."""
        of_reel = {reel.output.contact_sheet, reel.output.poster}
        named = [path.absolute() for path in params.extras.named().values()]
        return all(path in of_reel and path.exists() for path in named) and self._foreign(params) is None

    def _standing(self, output: Path) -> list[tuple[Path, tuple[int, ...]]]:
        """Return the pictures that mpt put beside reels at this name and that still exist, with their identities."""
        with suppress(OSError, ValueError, RecursionError):
            known = dict.fromkeys(extra for reel in self._read(output) for extra in reel.extras)
            return [(path, file) for path, file in known if os.path.lexists(path) and file_of(path) == file]
        return []

    def _known(self, path: Path) -> tuple[tuple[int, ...], str | None]:
        """Return identity and content hash of an input."""
        with suppress(OSError):
            content = self._content(path) if self._content else None
            return _identity(path), content
        return (), None

    def _is_same(
        self,
        path: Path,
        now: tuple[int, ...],
        before: tuple[int, ...],
        content: str | None,
        alive: Callable[[], object],
    ) -> bool:
        """Return whether a file holds what it held before; it is read only where its times leave that open."""
        if not self._paranoid and before and now == before:
            return True
        if self._content is None or content is None:
            return False
        with suppress(OSError):
            return self._content(path, alive=alive) == content
        return False

    def sweep(self) -> None:
        """Remove what killed runs left unfinished."""
        self._records.sweep()

    def _read(self, output: Path) -> list[PublishedReel]:
        return _reels().validate_python(json.loads(self._records.read(_name_of(output))))

    def _write(self, output: Path, reels: list[PublishedReel]) -> None:
        """Write the records of an output in one step."""
        text = json.dumps(_reels().dump_python(reels, mode="json"))  # a name need not be UTF-8: ASCII holds it
        self._records.write(_name_of(output), text.encode("ascii"))
        self._records.keep_newest(self._keep, spare=_SPARE, age=modified)


def places_of(paths: Iterable[Path]) -> dict[Path, Path]:
    """Return these paths by their places, which are in folders without links; the last one of a place."""
    absolute = {path: path.absolute() for path in paths}
    folders = {folder: real_folder(folder) for folder in {path.parent for path in absolute.values()}}
    return {folders[full.parent] / full.name: path for path, full in absolute.items()}


def real_folder(folder: Path) -> Path:
    """Return a folder without links; as it is where it cannot be followed, or is no name of a folder."""
    with suppress(OSError, RuntimeError, ValueError):
        return folder.resolve()
    return folder.absolute()


def _name_of(output: Path) -> str:
    """Return the name of the record of an output: by its path without links, except for a link at its own name."""
    path = output.absolute()
    return _record_name(path.parent.resolve() / path.name)


def _record_name(place: Path) -> str:
    return f"{hashlib.sha256(os.fsencode(place)).hexdigest()[:40]}.json"


def _identity(path: Path) -> tuple[int, ...]:
    """Return the identity of a file, empty where there is none."""
    try:
        return identity_of(path.stat())
    except (OSError, ValueError):
        return ()


@cache
def _reels() -> TypeAdapter[list[PublishedReel]]:
    return TypeAdapter(list[PublishedReel])
