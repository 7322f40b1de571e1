"""How this process was started and what it may use; without torch, which takes a second to import."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

_GROUPS, _GROUP = Path("/sys/fs/cgroup"), Path("/proc/self/cgroup")


def asked_processes() -> int:
    """How many processes torchrun started for one training; 1 where it started none."""
    return int(os.environ.get("WORLD_SIZE", "1")) if "TORCHELASTIC_RUN_ID" in os.environ else 1


def memory() -> int:
    """How many bytes of memory this process may use: the machine's, or what a container or `ulimit` leaves of it."""
    found = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")] if hasattr(os, "sysconf") else [8 * 2**30]
    said = [limit.read_text().strip() for limit in _limits() if limit.is_file()]
    found += [int(number) for number in said if number.isdecimal()]
    try:
        import resource
    except ImportError:  # not on Windows
        return min(found) // neighbours()
    soft = [resource.getrlimit(kind)[0] for kind in (resource.RLIMIT_AS, resource.RLIMIT_DATA)]
    return min([*found, *(limit for limit in soft if limit != resource.RLIM_INFINITY)]) // neighbours()


def _limits() -> Iterator[Path]:
    """Where the limits may stand of this process's control group and of those that it lies in, of both versions."""
    groups = [("", "/"), ("memory", "/")]
    with suppress(OSError):
        groups += [(kinds, path) for _, kinds, path in (line.split(":", 2) for line in _GROUP.read_text().splitlines())]
    for kinds, path in groups:
        if kinds and "memory" not in kinds.split(","):
            continue
        top, name = (_GROUPS / "memory", "memory.limit_in_bytes") if kinds else (_GROUPS, "memory.max")
        inner = Path(path.lstrip("/"))
        yield from (top / folder / name for folder in (inner, *inner.parents))


def neighbours() -> int:
    """How many processes torchrun started on this machine, which share its memory."""
    return int(os.environ.get("LOCAL_WORLD_SIZE", "1")) if asked_processes() > 1 else 1


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
