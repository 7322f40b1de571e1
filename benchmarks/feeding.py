"""Images a second from a prepared set larger than memory, whether memory stays flat, and what a training takes.

    python benchmarks/feeding.py [GIB]

Makes a prepared set of so many GiB of 64 x 64 RGB images (10 by default) in the temporary folder, and reads one epoch
of batches of 64 in random order, on one thread, in a process that may use a tenth of that memory (a control group,
where this user may make one; else without a limit, which is said). Beside it stand the time that a round of `best`
takes, the rate of a set that is held in memory, and the memory of a training as `ganbench train best` does it, with
its measurements and pictures, against that of one on 2,000 of the images.
"""

from __future__ import annotations

import atexit
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import torch

from ganbench.api import fit, prepare
from ganbench.data import load
from ganbench.data.batches import Batches
from ganbench.data.images import ImageSet
from ganbench.data.prepared import Origin, publish
from ganbench.data.stored import Stored

SIDE, BATCH, LOOKS, ROUNDS = 64, 64, 20, 20
GROUPS = Path("/sys/fs/cgroup/memory"), Path("/sys/fs/cgroup")
LIMITS = "memory.limit_in_bytes", "memory.max"


def make(folder: Path, gib: float) -> int:
    """A prepared set of noise; how many images it has."""
    count = int(gib * 2**30) // (3 * SIDE * SIDE)
    filled = folder / "filled"
    filled.mkdir()
    pixels = np.lib.format.open_memmap(filled / "train-images.npy", "w+", np.uint8, (count, SIDE, SIDE, 3))
    rng = np.random.default_rng(0)
    for start in range(0, count, 20_000):
        rows = pixels[start : start + 20_000]
        rows[:] = np.frombuffer(rng.bytes(rows.size), np.uint8).reshape(rows.shape)
    pixels.flush()
    del pixels
    publish(filled, folder / "set", Origin("made", "noise", {}), {"train": {"images": count}})
    return count


def limited(limit: int) -> str:
    """Puts this process under a memory limit; what kind of limit that is."""
    for groups, name in zip(GROUPS, LIMITS, strict=True):
        group = groups / f"ganbench-feeding-{os.getpid()}"
        try:
            group.mkdir()
            (group / name).write_text(str(limit))
            (group / "cgroup.procs").write_text(str(os.getpid()))
        except OSError:
            continue
        atexit.register(leave, group)
        return f"{limit / 2**20:.0f} MiB, as a control group"
    return "none: this user may make no control group"


def leave(group: Path) -> None:
    """Goes back to the group above, and removes this one."""
    (group.parent / "cgroup.procs").write_text(str(os.getpid()))
    group.rmdir()


def resident() -> dict[str, float]:
    """MiB of this process in memory: its own, and pages of files."""
    status = Path("/proc/self/status").read_text().splitlines()
    words = {line.split(":")[0]: line.split()[1] for line in status if line.startswith(("RssAnon", "RssFile"))}
    return {name: int(kilobytes) / 1024 for name, kilobytes in words.items()}


def read(path: Path, limit: int) -> dict[str, object]:
    """One epoch; the rate, and memory along it."""
    torch.set_num_threads(1)
    kind = limited(limit)
    found = load(path)
    assert isinstance(found, ImageSet)
    assert isinstance(found.pixels, np.memmap)
    things = found.things()
    batches = Batches(things if isinstance(things, Stored) else Stored(found.pixels), size=BATCH, seed=0)
    count, looks = len(found) // BATCH, []
    batches[0]
    start = time.perf_counter()
    for index in range(count):
        batches[index]
        if index % (count // LOOKS) == 0:
            looks.append(resident())
    return {"limit": kind, "seconds": time.perf_counter() - start, "images": count * BATCH, "looks": looks}


def trained(path: Path, count: int) -> dict[str, float]:
    """The most MiB of its own that a process has while it trains on so many of the images."""
    torch.set_num_threads(1)
    found, peak, done = load(path), [0.0], threading.Event()
    assert isinstance(found, ImageSet)

    def look() -> None:
        while not done.wait(0.02):
            peak[0] = max(peak[0], resident()["RssAnon"])

    watching = threading.Thread(target=look)
    watching.start()
    with tempfile.TemporaryDirectory() as folder:
        data = path if count == len(found) else found.take(slice(count))
        fit("best", data, f"{folder}/run", progress=False, rounds=ROUNDS)
    done.set()
    watching.join()
    return {"peak": peak[0]}


def milliseconds_of_a_round(path: Path) -> float:
    """Of `best` on a small part of the set, in memory."""
    data = load(path)
    assert isinstance(data, ImageSet)
    bench = prepare("best", data.take(slice(2000)), rounds=12, batch_size=BATCH)
    seconds = [report.seconds for report in bench.play()]
    return 1e3 * (seconds[-1] - seconds[3]) / (len(seconds) - 4)


def rate_in_memory(path: Path) -> float:
    """Images a second of batches of a part that is held in memory."""
    found = load(path)
    assert isinstance(found, ImageSet)
    batches = Batches(found.take(slice(50_000)).things(), size=BATCH, seed=0)
    batches[0]
    start = time.perf_counter()
    for index in range(700):
        batches[index]
    return 700 * BATCH / (time.perf_counter() - start)


def main() -> None:
    gib = float(sys.argv[1]) if len(sys.argv) > 1 else 10.0
    with tempfile.TemporaryDirectory() as folder:
        count = make(Path(folder), gib)
        path = Path(folder) / "set"
        command = [sys.executable, __file__, "--read", str(path), str(int(gib * 2**30 / 10))]
        done = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        rate = done["images"] / done["seconds"]
        own = [look["RssAnon"] for look in done["looks"][1:]]
        pages = [look["RssFile"] for look in done["looks"][1:]]
        print(f"{count:,} images of {SIDE} x {SIDE}, {gib:g} GiB; limit: {done['limit']}")
        print(f"fed from the disk: {rate:,.0f} images/s, {1e3 * BATCH / rate:.1f} ms a batch of {BATCH}")
        print(f"memory of its own over the epoch: {min(own):.0f} to {max(own):.0f} MiB, {max(own) / min(own) - 1:.1%}")
        print(f"pages of files over the epoch: {min(pages):.0f} to {max(pages):.0f} MiB")
        torch.set_num_threads(1)
        for images in (2000, count):
            command = [sys.executable, __file__, "--train", str(path), str(images)]
            took = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
            print(f"a training on {images:,} of the images: at most {took['peak']:,.0f} MiB of its own")
        print(f"fed from memory: {rate_in_memory(path):,.0f} images/s")
        print(f"a round of best with as large batches, one thread: {milliseconds_of_a_round(path):.0f} ms")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--read"]:
        print(json.dumps(read(Path(sys.argv[2]), int(sys.argv[3]))))
    elif sys.argv[1:2] == ["--train"]:
        print(json.dumps(trained(Path(sys.argv[2]), int(sys.argv[3]))))
    else:
        main()
