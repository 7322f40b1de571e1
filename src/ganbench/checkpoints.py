"""Checkpoints that are whole or not there: tensors in safetensors, the rest in JSON that names their hash."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors.torch import load, save
from torch import Tensor

KEPT = 2


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The tensors of a training state, and facts: its counters and what it was trained on."""

    tensors: Mapping[str, Tensor]
    facts: Mapping[str, Any]

    @property
    def round(self) -> int:
        return self.facts["round"]


def write(folder: Path, checkpoint: Checkpoint, *, best: bool) -> None:
    """Adds a checkpoint under its round, notes it as the best if it is, and keeps the last two and the best."""
    folder.mkdir(parents=True, exist_ok=True)
    content = save({k: v.contiguous().cpu() for k, v in checkpoint.tensors.items()})
    facts = {**checkpoint.facts, "sha256": hashlib.sha256(content).hexdigest()}
    name = _name(checkpoint.round)
    write_atomically(folder / f"{name}.safetensors", content)
    write_atomically(folder / f"{name}.json", json.dumps(facts, indent=1).encode())
    if best:
        write_atomically(folder / "best.json", json.dumps({"round": checkpoint.round}).encode())
    for old in set(rounds(folder)[:-KEPT]) - {best_round(folder)}:
        for suffix in (".json", ".safetensors"):
            (folder / f"{_name(old)}{suffix}").unlink(missing_ok=True)


def best_round(folder: Path) -> int | None:
    """The round of the best checkpoint, or none where there is none yet."""
    try:
        return int(json.loads((folder / "best.json").read_text(encoding="utf-8"))["round"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def read(folder: Path, round: int) -> Checkpoint | None:
    """The checkpoint of that round, or none where it is missing, cut short or altered."""
    try:
        facts = json.loads((folder / f"{_name(round)}.json").read_text(encoding="utf-8"))
        content = (folder / f"{_name(round)}.safetensors").read_bytes()
        if hashlib.sha256(content).hexdigest() != facts.get("sha256"):
            return None
        return Checkpoint(load(content), facts)
    except (OSError, ValueError, AttributeError):
        return None


def read_last(folder: Path) -> Checkpoint | None:
    """The newest whole checkpoint: one that was cut short or altered is passed over for the one before it."""
    found = (read(folder, round) for round in reversed(rounds(folder)))
    return next((checkpoint for checkpoint in found if checkpoint), None)


def rounds(folder: Path) -> list[int]:
    """The rounds that have a checkpoint, in order."""
    return sorted(int(p.stem) for p in folder.glob("*.safetensors") if p.stem.isdigit())


def _name(round: int) -> str:
    return f"{round:08d}"


def write_atomically(path: Path, content: bytes) -> None:
    """A file that is there whole or not at all: written beside it, flushed to disk, then renamed."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    with open(temporary, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)
