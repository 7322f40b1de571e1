"""`ganbench` in processes of its own, with unhurried rounds, so that a test can come in between."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

Process = subprocess.Popen[str]


class Start(Protocol):
    def __call__(self, words: Sequence[str], deadly: str = "") -> Process: ...


@contextmanager
def unhurried(cwd: Path) -> Iterator[Start]:
    """What starts a command in a process group of its own, which does not outlive the block. See `slow.py`."""
    begun: list[Process] = []
    slow = Path(__file__).with_name("slow.py")

    def start(words: Sequence[str], deadly: str = "") -> Process:
        process = subprocess.Popen(
            [sys.executable, str(slow), *words],
            cwd=cwd, env=os.environ | {"DEADLY": deadly}, start_new_session=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        begun.append(process)
        return process

    yield start
    for process in begun:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
