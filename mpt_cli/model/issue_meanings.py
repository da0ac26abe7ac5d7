"""Meaning of every issue code, from which the table of ``share/contract.md`` is generated."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from mpt_cli.model.errors import IssueCode as Code

if TYPE_CHECKING:
    from collections.abc import Mapping


class Level(StrEnum):
    """Severity of an issue as it is reported. Only an error can decide the exit code."""

    ERROR = "error"
    WARNING = "warning"
    EITHER = "error or warning"


@dataclass(frozen=True, slots=True)
class Meaning:
    """The meaning of an issue code in one line, and how it is reported."""

    text: str
    level: Level = Level.ERROR


FILE_MEANINGS: Mapping[Code, Meaning] = {
    Code.NO_MATCH: Meaning("An input names no file: a pattern without a match, a folder without clips, an empty list."),
    Code.DOWNLOAD_UNFINISHED: Meaning(
        "A folder holds downloads or copies that are not finished; they are left out.", Level.WARNING
    ),
    Code.REEL_AMONG_CLIPS: Meaning(
        "A clip is a reel of other clips of the request, which are then shown twice.", Level.WARNING
    ),
    Code.FILE_NOT_FOUND: Meaning("The path does not exist."),
    Code.NOT_A_FILE: Meaning("The path is a folder, pipe, socket or device."),
    Code.NOT_READABLE: Meaning(
        "The file or folder cannot be read. A warning where a finished reel cannot be read for its manifest.",
        Level.EITHER,
    ),
    Code.FILE_EMPTY: Meaning("The file has 0 bytes."),
    Code.FILE_TOO_LARGE: Meaning("The file is larger than `validation.max_file_size`."),
    Code.NOT_MEDIA: Meaning(
        "The file is text, a document or an archive, another file that is no media, or its index is missing."
    ),
    Code.PLAYLIST_REFUSED: Meaning("The file is a playlist. mpt never opens files that another file names."),
    Code.NO_VIDEO_STREAM: Meaning("The file holds no video: it is audio."),
    Code.STILL_IMAGE: Meaning("The file is a still image."),
    Code.ENCRYPTED: Meaning("The file is encrypted."),
    Code.UNSUPPORTED_CODEC: Meaning("No decoder exists for the video."),
    Code.NO_FRAMES: Meaning("No frame can be decoded."),
    Code.INVALID_DURATION: Meaning("The clip has no duration."),
    Code.UNSUPPORTED_COLOR: Meaning("The colours cannot be converted to BT.709."),
    Code.URL_REFUSED: Meaning("The input is a URL. mpt reads only files."),
    Code.LIMIT_EXCEEDED: Meaning("Too many clips, jobs or streams, or too long a clip; the hint names the setting."),
    Code.DIMENSIONS_TOO_SMALL: Meaning("The frames of a clip, or of the reel, are too small."),
    Code.DIMENSIONS_TOO_LARGE: Meaning("The frames of a clip, or of the reel, are too large."),
    Code.EXTREME_ASPECT_RATIO: Meaning(
        "Width over height is outside `validation.min_aspect_ratio` to `max_aspect_ratio`.", Level.WARNING
    ),
    Code.DAMAGED: Meaning("Some frames do not decode. An error if less than half of them decode.", Level.EITHER),
    Code.TRUNCATED: Meaning(
        "The file was cut off, or is shorter than its header says. An error if less than half is left.", Level.EITHER
    ),
    Code.DATA_NOT_READ: Meaning(
        "A part of the file is not used, such as a second movie behind the first. An error if it is the larger part,"
        " or if the video goes on there.",
        Level.EITHER,
    ),
    Code.LEADING_FRAMES_LOST: Meaning("Frames before the first keyframe cannot be decoded.", Level.WARNING),
    Code.NO_TIMESTAMPS: Meaning("The file has no timestamps; a frame rate is assumed.", Level.WARNING),
    Code.TIMESTAMPS_REPAIRED: Meaning(
        "Equal, unordered or far-off timestamps of video or audio were repaired, or a gap was left out.", Level.WARNING
    ),
    Code.IMPLAUSIBLE_DURATION: Meaning("A last frame or a gap that lasts for hours was left out.", Level.WARNING),
    Code.FRAME_HELD: Meaning(
        "A frame is held because audio begins earlier or ends later than the video, by more than 1 s and 10 %.",
        Level.WARNING,
    ),
    Code.VIDEO_TRACKS_LEFT_OUT: Meaning("Further video tracks with moving frames are not used.", Level.WARNING),
    Code.AUDIO_TRACKS_LEFT_OUT: Meaning("Further audio tracks that are not silent are not used.", Level.WARNING),
    Code.AUDIO_UNDECODABLE: Meaning("The audio cannot be decoded; it is replaced by silence.", Level.WARNING),
    Code.AUDIO_DAMAGED: Meaning(
        "Some seconds of audio do not decode. An error if less than half of the audio decodes.", Level.EITHER
    ),
    Code.COLOR_GUESSED: Meaning("A colour code is unknown or contradicts another; a usual one is used.", Level.WARNING),
    Code.ORIENTATION_GUESSED: Meaning(
        "A part of the display matrix is not applied: a slant, a stretch, or an angle that is not a multiple of 90°.",
        Level.WARNING,
    ),
    Code.INPUT_CHANGED: Meaning(
        "An input changed after its use; the manifest has no hash for it. An error of `mpt work` if the file is not"
        " the one that was planned.",
        Level.EITHER,
    ),
    Code.NOT_VISIBLE_ON_WORKER: Meaning("The machine that runs `mpt work` does not see the file of the clip."),
    Code.OUTPUT_CHANGED: Meaning(
        "Another program replaced the reel after it was published; no manifest was written.", Level.WARNING
    ),
    Code.PROBE_FAILED: Meaning(
        "The file cannot be understood, or inspecting it needs more than `validation.probe_memory`."
    ),
    Code.PROBE_TIMEOUT: Meaning("Inspecting the file takes longer than `validation.probe_timeout`."),
    Code.PROBE_CRASHED: Meaning("The file crashed the process that inspects it."),
}
"""Codes about input files, and about the files that a run reads again."""

REQUEST_MEANINGS: Mapping[Code, Meaning] = {
    Code.USAGE: Meaning("The command line or a job file is wrong."),
    Code.CONFIG_INVALID: Meaning("A setting is unknown or has a wrong value."),
    Code.ORDER_DIFFERS: Meaning(
        "The clips were recorded in another order than that of their names, which is used.", Level.WARNING
    ),
    Code.ORDER_GUESSED: Meaning(
        "`--order time` places clips by the times of their files, because nothing else tells when they were recorded.",
        Level.WARNING,
    ),
    Code.OUTPUT_EXISTS: Meaning("The output exists, and `--overwrite` was not given."),
    Code.OUTPUT_IS_INPUT: Meaning("The output is also an input."),
    Code.OUTPUT_NOT_WRITABLE: Meaning(
        "The output cannot be written. A warning for a file beside the reel, such as that of `--metrics-file`.",
        Level.EITHER,
    ),
    Code.DUPLICATE_OUTPUT: Meaning("Two outputs have the same path."),
    Code.ODD_DIMENSIONS: Meaning("Width or height of the reel is odd."),
    Code.AUDIO_CHANGED: Meaning(
        "The audio of the reel cannot keep the depth, rate or channels that most of its clips have.", Level.WARNING
    ),
    Code.LOUDNESS_DIFFERS: Meaning("The clips of a reel differ by more than 6 LU in loudness.", Level.WARNING),
    Code.LOUDNESS_MISSED: Meaning(
        "The reel differs by more than 0.5 LU from `audio.loudness`, because its peaks are limited or its codec changes"
        " it.",
        Level.WARNING,
    ),
    Code.LOUDNESS_UNCHANGED: Meaning(
        "The loudness of the reel cannot be measured, because it is silent, shorter than 0.4 s or holds samples that"
        " are no numbers; it was left as it is.",
        Level.WARNING,
    ),
    Code.TRUE_PEAK_EXCEEDED: Meaning(
        "The encoded audio of the reel has a true peak above `audio.true_peak`.", Level.WARNING
    ),
    Code.SIZE_TURNED: Meaning(
        "Neither size nor preset was given, and landscape clips hold the most seconds: the default size lies on its"
        " side.",
        Level.WARNING,
    ),
    Code.HDR_CONVERTED: Meaning("Clips are HDR and become SDR, though nobody asked for that.", Level.WARNING),
    Code.HDR_REFUSED: Meaning("HDR was asked for with H.264 or MoviePy, which write 8 bits only."),
    Code.ALL_ENCODED: Meaning(
        "A few clips differ from the others, which could be copied, or are trimmed between keyframes: under"
        " `--copy identical` all are encoded.",
        Level.WARNING,
    ),
    Code.TRIM_BEYOND_DURATION: Meaning("A trim begins or ends after the end of the clip."),
    Code.CODEC_CONTAINER_MISMATCH: Meaning(
        "The container of the output cannot hold the codec, or under `--method copy` that of a clip; the hint names"
        " those that can."
    ),
    Code.ENCODER_UNAVAILABLE: Meaning(
        "The encoder does not work here. A warning where software replaces it, an error under `--no-fallback`.",
        Level.EITHER,
    ),
    Code.QUALITY_OUT_OF_RANGE: Meaning("The encoder has no such CRF or preset."),
}
"""Codes about what was asked for."""

RUN_MEANINGS: Mapping[Code, Meaning] = {
    Code.VALIDATION_FAILED: Meaning("The request was refused before any work; `errors` has each reason."),
    Code.PROCESSING_FAILED: Meaning("At least one clip failed under `--on-error fail`; no reel was made."),
    Code.TOO_MANY_FAILURES: Meaning("Fewer clips are left than `--min-success-rate` requires; no reel was made."),
    Code.CLIP_FAILED: Meaning("A clip could not be encoded, or failed its verification."),
    Code.CLIP_TIMEOUT: Meaning("A clip took longer than `--clip-timeout`."),
    Code.CLIP_STALLED: Meaning("A clip made no progress for `--stall-timeout` seconds."),
    Code.CONCAT_FAILED: Meaning(
        "The join failed. A warning in an event where the second method takes over.", Level.EITHER
    ),
    Code.CONCAT_TIMEOUT: Meaning("The join took longer than `concat.timeout`."),
    Code.VERIFY_FAILED: Meaning(
        "The finished reel is not what was planned. A warning in an event where the second method takes over.",
        Level.EITHER,
    ),
    Code.MIXED_PARAMETER_SETS: Meaning(
        "`--copy compatible` joined clips with different parameter sets; some players show black.", Level.WARNING
    ),
    Code.CONTACT_SHEET_FAILED: Meaning("The contact sheet could not be made; the reel is whole.", Level.WARNING),
    Code.POSTER_FAILED: Meaning("The poster could not be made; the reel is whole.", Level.WARNING),
    Code.OUTPUT_BUSY: Meaning("Another program has the output open; the message has the path of the finished reel."),
    Code.LOCKED: Meaning("Another run is writing this output."),
    Code.DEADLINE_REACHED: Meaning("The time of `--deadline` is over; finished clips are kept for the next run."),
    Code.MEMORY_EXHAUSTED: Meaning(
        "The memory budget is too small, or the system has no room for a process, a thread or an open file. A warning"
        " in an event where a clip is tried again alone.",
        Level.EITHER,
    ),
    Code.DISK_FULL: Meaning(
        "A disk is full, will not hold what the plan needs, or takes no file of that size, as FAT32 or `ulimit -f`."
    ),
    Code.CACHE_UNAVAILABLE: Meaning(
        "The cache cannot be written; the next run will not find the finished clips of this one. An error of"
        " `mpt work`, which does nothing else.",
        Level.EITHER,
    ),
    Code.STATE_UNAVAILABLE: Meaning(
        "The records of runs cannot be written: the next `--if-changed` will not know the reel, or `mpt report` not"
        " the run. Given alone where a user without a home folder has neither cache nor records.",
        Level.WARNING,
    ),
    Code.DEPENDENCY_MISSING: Meaning(
        "A program or library is missing, too old or broken. A warning for a check of `mpt health` that is not"
        " required.",
        Level.EITHER,
    ),
    Code.CALLBACK_FAILED: Meaning(
        "The function that receives the events of a run raised an exception, in a program that uses the library."
        " A warning where the reel was published already.",
        Level.EITHER,
    ),
    Code.CANCELLED: Meaning(
        "The run was stopped by a signal. A warning where the stop came after the reel was published.", Level.EITHER
    ),
    Code.INTERNAL: Meaning("A bug in mpt."),
}
"""Codes about the run itself."""

MEANINGS: Mapping[Code, Meaning] = {**FILE_MEANINGS, **REQUEST_MEANINGS, **RUN_MEANINGS}
"""All of them."""
