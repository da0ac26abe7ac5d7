"""Shows a reel to a browser: serves it on this machine, and gives back what the browser saw and heard."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from functools import cache
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Empty, Queue
from threading import Thread
from typing import TYPE_CHECKING, Any

import psutil

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE = Path(__file__).with_name("player.html")
LIMIT_SECONDS = 60
"""No reel of these tests takes longer, on the slowest machine."""
CLOSE_SECONDS = 10

TYPES = {".mp4": "video/mp4", ".mov": "video/quicktime", ".mkv": "video/x-matroska"}
"""As web servers send them."""

_NAMES = ("chromium", "chromium-browser", "google-chrome")
_FLAGS = (
    "--headless",
    "--no-sandbox",  # which root has none of
    "--disable-gpu",
    "--no-first-run",
    "--mute-audio",
    "--autoplay-policy=no-user-gesture-required",
    # Without these it calls its maker's hosts at every start.
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-breakpad",
)


@cache
def find_browser() -> str | None:
    """The browser of this machine, or None."""
    return next((found for name in _NAMES if (found := shutil.which(name))), None)


@dataclass(frozen=True, slots=True)
class Job:
    """What the page is to do with a reel: where to look, which joints to play over, where to listen, in seconds."""

    reel: str
    type: str
    looks: tuple[float, ...]
    joints: tuple[float, ...]
    middles: tuple[float, ...]
    around: float


class _Server(ThreadingHTTPServer):
    """Serves the page, the job and the reel to one browser, and takes its report."""

    daemon_threads = True

    def __init__(self, reel: Path, job: Job) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.reel, self.job = reel, job
        self.reports: Queue[dict[str, Any]] = Queue()


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        job = self.server.job
        if self.path == "/":
            self._send(PAGE.read_bytes(), "text/html")
        elif self.path == "/job":
            self._send(json.dumps(asdict(job)).encode(), "application/json")
        elif self.path == job.reel:
            self._send(self.server.reel.read_bytes(), TYPES[self.server.reel.suffix])
        else:
            self.send_error(HTTPStatus.NOT_FOUND)

    def do_POST(self) -> None:
        self.server.reports.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self._send(b"", "text/plain")

    def _send(self, content: bytes, kind: str) -> None:
        """Answer, with the asked range of bytes where there is one: without ranges a browser cannot seek."""
        size, part = len(content), content
        wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        self.send_response(HTTPStatus.PARTIAL_CONTENT if wanted else HTTPStatus.OK)
        if wanted:
            first = int(wanted[1])
            part = content[first : int(wanted[2] or size) + 1]
            self.send_header("Content-Range", f"bytes {first}-{first + len(part) - 1}/{size}")
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(part)))
        self.send_header("Accept-Ranges", "bytes")
        self.end_headers()
        self.wfile.write(part)

    def handle(self) -> None:
        """Serve; a browser hangs up in the middle of what it does not need."""
        try:
            super().handle()
        except ConnectionError:
            self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


def play(browser: str, reel: Path, job: Job) -> dict[str, Any]:
    """What the page reports of a reel."""
    with _Server(reel, job) as server:
        thread = Thread(target=server.serve_forever, args=(0.05,), name="reels")
        thread.start()
        try:
            with _opened(browser, f"http://127.0.0.1:{server.server_address[1]}/"):
                return server.reports.get(timeout=LIMIT_SECONDS)
        except Empty:
            raise AssertionError(f"the browser reported nothing in {LIMIT_SECONDS} s") from None
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def _opened(browser: str, url: str) -> Iterator[None]:
    """The browser on a page, with a profile of its own; nothing of either is left."""
    with tempfile.TemporaryDirectory(prefix="mpt-browser-", ignore_cleanup_errors=True) as profile:
        command = [browser, *_FLAGS, f"--user-data-dir={profile}", url]
        silent = subprocess.DEVNULL
        process = subprocess.Popen(command, stdin=silent, stdout=silent, stderr=silent, start_new_session=True)
        try:
            yield
        finally:
            _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Close the browser, which then ends its own children; kill what is left of its group."""
    family = psutil.Process(process.pid).children(recursive=True) if process.poll() is None else []
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(CLOSE_SECONDS)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    psutil.wait_procs(family, timeout=CLOSE_SECONDS)
