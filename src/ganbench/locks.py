"""One process at a time at work on a folder."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from ganbench.errors import UsageError


@contextmanager
def alone(folder: Path, file: Path | None = None) -> Iterator[None]:
    """Within, no other process can be at work on that folder. The lock is the system's: it falls when its holder ends.

    It is taken of a hidden file in the folder, or of another `file`. On a file system without locks there is none.

    Raises:
        UsageError: another process is at work there.
    """
    lock = FileLock(file or folder / ".lock", timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise UsageError(f"another process is at work on {folder}") from None
    except (OSError, NotImplementedError):
        pass
    try:
        yield
    finally:
        lock.release()
