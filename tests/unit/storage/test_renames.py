"""Names of finished files: what another program puts there in the last moment stays."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from mpt_cli.storage.renames import NameTakenError, give_name

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

OURS, THEIRS = b"ours, finished", b"put there by another program"


def fails(number: int) -> Callable[..., None]:
    """Return an operation that a file system does not have."""

    def operation(*_arguments: object) -> None:
        raise OSError(number, os.strerror(number))

    return operation


FILE_SYSTEMS: dict[str, dict[str, Any]] = {
    "with links": {},
    "without links": {"link": fails(errno.EPERM)},
    "confined": {"link": fails(errno.EACCES)},
    "without renames with a flag": {"flagged_rename": fails(errno.EINVAL)},
    "without both": {"link": fails(errno.EPERM), "flagged_rename": fails(errno.ENOSYS)},
    "seccomp": {"link": fails(errno.EPERM), "flagged_rename": fails(errno.EPERM)},
}
every_file_system = pytest.mark.parametrize("seams", FILE_SYSTEMS.values(), ids=FILE_SYSTEMS)
linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux exchanges names")


@pytest.fixture
def hidden(tmp_path: Path) -> Path:
    path = tmp_path / ".hidden"
    path.write_bytes(OURS)
    return path


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "reel.mp4"


class Owner:
    """Tells a file of ours by its content; another program acts after each look, as in the worst moment."""

    def __init__(self, *acts: Callable[[], object]) -> None:
        self.acts, self.looks = list(acts), 0

    def __call__(self, path: Path) -> bool:
        answer = path.read_bytes() == b"old"
        self.looks += 1
        if self.acts:
            self.acts.pop(0)()
        return answer


@every_file_system
def test_unused_name_is_given(hidden: Path, target: Path, seams: dict[str, Any]) -> None:
    give_name(hidden, target, replaces=False, **seams)
    assert [path.name for path in target.parent.iterdir()] == ["reel.mp4"]
    assert (target.read_bytes(), target.stat().st_nlink) == (OURS, 1)


@every_file_system
@pytest.mark.parametrize(
    "theirs",
    [
        lambda path: path.write_bytes(THEIRS),
        lambda path: path.mkdir(),
        lambda path: path.symlink_to("nowhere"),
        os.mkfifo,
    ],
    ids=["file", "folder", "link to nothing", "pipe"],
)
@pytest.mark.parametrize("replaces", [False, lambda _path: False], ids=["nothing", "none of these"])
def test_taken_name_stays(
    hidden: Path, target: Path, seams: dict[str, Any], theirs: Callable[[Path], object], replaces: Any
) -> None:
    theirs(target)
    before = target.lstat()
    with pytest.raises(NameTakenError):
        give_name(hidden, target, replaces=replaces, **seams)
    assert target.lstat().st_ino == before.st_ino
    assert hidden.read_bytes() == OURS


@every_file_system
def test_file_that_may_be_replaced_is(hidden: Path, target: Path, seams: dict[str, Any]) -> None:
    target.write_bytes(b"old")
    give_name(hidden, target, replaces=Owner(), **seams)
    assert target.read_bytes() == OURS
    assert [path.name for path in target.parent.iterdir()] == ["reel.mp4"]


@every_file_system
def test_any_file_is_replaced_where_that_is_wanted(hidden: Path, target: Path, seams: dict[str, Any]) -> None:
    target.write_bytes(THEIRS)
    give_name(hidden, target, replaces=True, **seams)
    assert target.read_bytes() == OURS


@linux
def test_file_put_there_after_the_last_look_gets_its_name_back(hidden: Path, target: Path) -> None:
    target.write_bytes(b"old")
    with pytest.raises(NameTakenError):
        give_name(hidden, target, replaces=Owner(lambda: target.write_bytes(THEIRS)))
    assert (target.read_bytes(), hidden.read_bytes()) == (THEIRS, OURS)


def test_file_put_there_is_seen_by_a_second_look_where_names_are_not_exchanged(hidden: Path, target: Path) -> None:
    target.write_bytes(b"old")
    owner = Owner(lambda: target.write_bytes(THEIRS))
    with pytest.raises(NameTakenError):
        give_name(hidden, target, replaces=owner, flagged_rename=fails(errno.EINVAL))
    assert (target.read_bytes(), hidden.read_bytes()) == (THEIRS, OURS)


@linux
def test_file_that_replaces_the_reel_before_it_is_taken_back_stays(hidden: Path, target: Path, tmp_path: Path) -> None:
    later = tmp_path / "later"
    later.write_bytes(b"later")
    target.write_bytes(b"old")
    owner = Owner(lambda: target.write_bytes(THEIRS), lambda: later.replace(target))
    with pytest.raises(NameTakenError):
        give_name(hidden, target, replaces=owner)
    assert target.read_bytes() == b"later"


@linux
def test_look_that_fails_gives_the_name_back(hidden: Path, target: Path) -> None:
    target.write_bytes(b"old")

    def vanish() -> None:
        raise PermissionError(errno.EACCES, "cannot be read")

    with pytest.raises(PermissionError):
        give_name(hidden, target, replaces=Owner(lambda: None, vanish))
    assert (target.read_bytes(), hidden.read_bytes()) == (b"old", OURS)


@every_file_system
def test_name_that_becomes_free_meanwhile_is_taken(hidden: Path, target: Path, seams: dict[str, Any]) -> None:
    target.write_bytes(b"old")
    give_name(hidden, target, replaces=Owner(target.unlink), **seams)
    assert target.read_bytes() == OURS


def test_link_that_a_network_drive_reports_as_failed_is_believed(hidden: Path, target: Path) -> None:
    def link(source: Path, name: Path) -> None:
        os.link(source, name)
        raise FileExistsError(errno.EEXIST, "sent twice, answered once")

    give_name(hidden, target, replaces=False, link=link)
    assert [path.name for path in target.parent.iterdir()] == ["reel.mp4"]


RACING = """
import os, sys, time
from pathlib import Path

target = Path(sys.argv[1])
theirs = target.with_name("theirs")
theirs.write_bytes(b"theirs")
print("ready", flush=True)
end = time.monotonic() + 2
while time.monotonic() < end:
    try:
        os.link(theirs, target)
    except FileExistsError:
        continue
    content = target.read_bytes()
    target.unlink()
    if content != b"theirs":
        sys.exit(f"replaced by {content}")
"""


@pytest.mark.heavy
@pytest.mark.skipif(sys.platform == "win32", reason="files in use are not removed there")
@pytest.mark.parametrize("seams", [{}, {"link": fails(errno.EPERM)}], ids=["link", "rename"])
@pytest.mark.core(1)
def test_two_programs_never_both_have_the_name(hidden: Path, target: Path, seams: dict[str, Any]) -> None:
    """Both give and remove the name as fast as they can, and look whether it is theirs as long as they have it."""
    argv, given = [sys.executable, "-c", RACING, str(target)], 0
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
        while child.poll() is None:
            with suppress(FileExistsError):
                hidden.write_bytes(OURS)
                give_name(hidden, target, replaces=False, **seams)
                assert target.read_bytes() == OURS
                target.unlink()
                given += 1
        _, said = child.communicate()
    assert (child.returncode, said) == (0, "")
    assert given > 10, "there was no race"
