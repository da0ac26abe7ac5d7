"""ParameterValidator: checks of a request that do not depend on the content of its files."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from mpt_cli.config.request import PICTURE_SUFFIXES
from mpt_cli.model.choices import Container
from mpt_cli.model.errors import Issue, IssueCode
from mpt_cli.model.limits import LEAST_SIDE, MOST_SIDE
from mpt_cli.storage.atomic_write import real_path

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from mpt_cli.config.request import VideoParams
    from mpt_cli.config.sections import Config
    from mpt_cli.model.clips import VideoClip
    from mpt_cli.model.media_info import MediaInfo

SUFFIXES = ", ".join(f".{container}" for container in Container)


class ParameterValidator:
    """Validator of the parameters of a request; opens no input."""

    def validate(self, params: VideoParams, config: Config) -> list[Issue]:
        """Return all problems of the request itself.

        Args:
            params: The request.
            config: Its configuration.
        """
        written = (*self._output(params), *self._extras(params), *self._temporary(config))
        return [*params.problems, *self._clips(params, config), *self._picture(config), *written]

    def validate_trim(self, clip: VideoClip, media: MediaInfo) -> list[Issue]:
        """Return the problems of a trim.

        Args:
            clip: The clip with its trim.
            media: Its probe result, with the exact length.
        """
        slack = 1 / (2 * media.video.frame_rate)  # a length from a player is rounded
        if clip.start < media.duration and (clip.end is None or clip.end <= media.duration + slack):
            return []
        wrong = clip.start if clip.start >= media.duration else clip.end
        message = f"is trimmed at {float(wrong or 0):g} s but lasts {float(media.duration):.3f} s"
        return [Issue(IssueCode.TRIM_BEYOND_DURATION, message, clip.path, "shorten the trim")]

    def _clips(self, params: VideoParams, config: Config) -> Iterable[Issue]:
        if not params.clips and not params.problems:
            yield Issue(IssueCode.NO_MATCH, "there is no clip", hint="name files, a folder or a pattern")
        if len(params.clips) > config.processing.max_clips:
            message = f"the request has {len(params.clips)} clips, above the limit of {config.processing.max_clips}"
            yield Issue(IssueCode.LIMIT_EXCEEDED, message, hint="raise processing.max_clips")
        for clip in params.clips:
            if clip.start < 0 or (clip.end is not None and clip.end <= clip.start):
                yield Issue(
                    IssueCode.USAGE, "has a trim that ends before it starts", clip.path, "give an end after the start"
                )

    def _picture(self, config: Config) -> Iterable[Issue]:
        size = config.video.size
        if min(size.width, size.height) < LEAST_SIDE:
            message = f"the size {size} is below the limit of {LEAST_SIDE}x{LEAST_SIDE}"
            yield Issue(IssueCode.DIMENSIONS_TOO_SMALL, message)
        if max(size.width, size.height) > MOST_SIDE:
            message = f"the size {size} is above the limit of {MOST_SIDE}x{MOST_SIDE}"
            yield Issue(IssueCode.DIMENSIONS_TOO_LARGE, message)
        elif not size.is_even and min(size.width, size.height) >= LEAST_SIDE:
            even = f"{size.width // 2 * 2}x{size.height // 2 * 2}"
            yield Issue(IssueCode.ODD_DIMENSIONS, f"the size {size} has an odd width or height", hint=f"use {even}")

    def _output(self, params: VideoParams) -> Iterable[Issue]:
        output = params.output_path
        if Container.of(output) is None:
            named = f"has the extension {output.suffix}, which is no container that mpt writes"
            message = named if output.suffix else "has no extension, which names the container"
            yield Issue(IssueCode.USAGE, message, output, f"use one of {SUFFIXES}")
            return
        yield from self._written(params, output)

    def _extras(self, params: VideoParams) -> Iterable[Issue]:
        """Yield the problems of the files beside the reel."""
        taken = {real_path(params.output_path): "reel"}
        for name, path in params.extras.named().items():
            if path.suffix.lower() not in PICTURE_SUFFIXES:
                hint = f"use one of {', '.join(PICTURE_SUFFIXES)}"
                yield Issue(IssueCode.USAGE, f"is no name for the {name}, which is an image", path, hint)
            elif (other := taken.setdefault(real_path(path), name)) != name:
                message = f"is named as the {other} and as the {name}"
                yield Issue(IssueCode.DUPLICATE_OUTPUT, message, path, "give each its own name")
            else:
                yield from self._written(params, path)

    def _temporary(self, config: Config) -> Iterable[Issue]:
        folder, hint = config.paths.temp, "set paths.temp to another folder"
        if folder is None:
            return
        try:
            blocked = _unwritable_folder(folder / "run")
        except OSError as error:  # a name that is too long, or a circle of links
            yield _unwritable(folder, f"cannot hold the temporary files ({error.strerror})", hint)
            return
        if blocked is not None:
            yield _unwritable(folder, f"cannot hold the temporary files: nothing can be created in {blocked}", hint)

    def _written(self, params: VideoParams, path: Path) -> Iterable[Issue]:
        """Yield the reasons why a file cannot or must not be written."""
        try:
            status = path.stat()
        except FileNotFoundError:
            if path.is_symlink() and not params.overwrite:
                message = "already exists, as a link to a missing file"
                yield Issue(IssueCode.OUTPUT_EXISTS, message, path, "add --overwrite to replace it")
            elif (blocked := _unwritable_folder(path)) is not None:
                yield _unwritable(
                    path, f"cannot be written: nothing can be created in {blocked}", "choose another folder"
                )
        except OSError as error:
            yield _unwritable(path, f"cannot be written ({error.strerror})", "choose another name or folder")
        except ValueError as error:  # a NUL, for which there is no error number
            yield _unwritable(path, f"cannot be written ({error})", "choose another name")
        else:
            yield from self._existing(params, path, status)

    def _existing(self, params: VideoParams, path: Path, status: os.stat_result) -> Iterable[Issue]:
        if (same := _input_behind(status, params)) is not None:
            yield Issue(
                IssueCode.OUTPUT_IS_INPUT,
                "is the output and an input at once" if same == path else f"is the output, and an input as {same}",
                path,
                "choose another output, or one outside of a folder that is an input",
            )
        elif stat.S_ISDIR(status.st_mode):
            yield _unwritable(path, "is a folder, not a file", "name a file in it")
        elif not params.overwrite:
            only = "; --if-changed replaces only what mpt itself made there" if params.if_changed else ""
            yield Issue(IssueCode.OUTPUT_EXISTS, "already exists", path, f"add --overwrite to replace it{only}")
        elif (blocked := _unwritable_folder(path)) is not None:
            yield _unwritable(path, f"cannot be written: nothing can be created in {blocked}", "choose another folder")


def _unwritable(output: Path, message: str, hint: str) -> Issue:
    return Issue(IssueCode.OUTPUT_NOT_WRITABLE, message, output, hint)


def _input_behind(output: os.stat_result, params: VideoParams) -> Path | None:
    """Return the input that the output would replace, also through links, or None."""
    for path in dict.fromkeys(clip.path for clip in params.clips):
        try:
            if os.path.samestat(path.stat(), output):
                return path
        except (OSError, ValueError):  # the validation of the file reports its problem
            continue
    return None


def _unwritable_folder(output: Path) -> Path | None:
    """Return the nearest existing folder above the output if nothing can be created in it, else None."""
    folder = output.absolute().parent
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return None if folder.is_dir() and os.access(folder, os.W_OK | os.X_OK) else folder
