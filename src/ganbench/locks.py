"""One process at a time at work on a folder."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from ganbench.errors import UsageError


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Within, no other process can be at work on that folder. The lock is the system's: it falls when its holder ends.

    Raises:
        UsageError: another process is at work there.
    """
    lock = FileLock(folder / ".lock", timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise UsageError(f"another process is at work on {folder}") from None
    try:
        yield
    finally:
        lock.release()
