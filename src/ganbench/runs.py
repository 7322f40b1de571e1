"""The run folder: what it holds, and how it is written and read."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ganbench import checkpoints
from ganbench.checkpoints import Checkpoint, write_atomically
from ganbench.configuration import Configuration, from_flat, read_config
from ganbench.data import DataSet, Images, ImageSet, Modes, PointSet, load
from ganbench.settings import from_tree
from ganbench.types import UsageError

UNNAMED = "array"
"""How a configuration calls data that came from no file; the run keeps them."""

KEPT_DATA = "data.npz"

LINES = {
    "log": {"round", "seconds"},
    "metrics": {"round", "seconds"},
    "alarms": {"round", "kind", "number", "sentence"},
}
"""The files that a training adds lines to, and what each of their lines has."""


class RunFolder:
    """One training's folder. Lines are appended as they come; whole files are replaced at once."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.checkpoints = path / "checkpoints"
        self.figures = path / "figures"
        self.samples = path / "samples"

    @staticmethod
    def require_room(path: Path) -> None:
        """Raises UsageError where a run's folder cannot be made: it is a file, or a folder that holds something."""
        if path.exists() and not path.is_dir():
            raise UsageError(f"{path} is a file; a run needs a folder of its own")
        # A run that was killed while its folder was made left empty folders and a temporary file at most.
        if path.is_dir() and any(f.is_file() and not f.name.startswith(".") for f in path.rglob("*")):
            what = "already holds a run" if (path / "config.yaml").exists() else "is not empty"
            raise UsageError(f"{path} {what}; choose another folder, or go on with an unfinished run by --resume")

    @classmethod
    def create(cls, path: Path, configuration: Configuration, data: DataSet) -> RunFolder:
        """A new run's folder, with the data in it where they came from no file.

        Raises:
            UsageError: the path is a file, or a folder that holds something.
        """
        cls.require_room(path)
        folder = cls(path)
        try:
            path.mkdir(parents=True, exist_ok=True)
            if configuration.data == UNNAMED:
                _keep(path / KEPT_DATA, data)
            write_atomically(path / "config.yaml", configuration.text().encode())
            folder._make_room()
        except OSError as error:
            raise UsageError(f"{path}: the run's folder cannot be written: {error.strerror}") from None
        return folder

    @classmethod
    def open(cls, path: Path) -> RunFolder:
        """The folder of a run that exists. Raises UsageError where there is none."""
        if not (path / "config.yaml").is_file():
            raise UsageError(f"{path}: there is no run here (a run's folder holds config.yaml)")
        folder = cls(path)
        folder._make_room()
        return folder

    def _make_room(self) -> None:
        for each in (self.checkpoints, self.figures, self.samples):
            each.mkdir(exist_ok=True)

    def data(self) -> DataSet:
        """What the run is trained on. Raises UsageError where it cannot be read."""
        if self.keeps_data:
            return _kept(self.path / KEPT_DATA)
        return load(str(self.tree["data"]), from_tree(Images, self.tree.get("images") or {}))

    @property
    def keeps_data(self) -> bool:
        """Whether the data were given as an array, which the folder keeps."""
        return (self.path / KEPT_DATA).exists()

    @property
    def tree(self) -> dict[str, Any]:
        """The configuration as the file has it."""
        return read_config(self.path / "config.yaml")

    @property
    def configuration(self) -> Configuration:
        try:
            return from_flat(self.tree)
        except UsageError as error:
            raise UsageError(f"{self.path / 'config.yaml'}: {error}") from None

    @property
    def summary(self) -> dict[str, Any] | None:
        """What the run came to, or none while it has not ended; a file that is no whole summary counts as none."""
        try:
            found = json.loads((self.path / "summary.json").read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError):
            return None
        return found if _is_whole(found) else None

    def write_summary(self, summary: Mapping[str, Any]) -> None:
        write_atomically(self.path / "summary.json", json.dumps(plain(summary), indent=1, allow_nan=False).encode())

    def append(self, name: str, row: Mapping[str, Any]) -> None:
        """A line of `log.jsonl`, `metrics.jsonl` or `alarms.jsonl`."""
        with open(self.path / f"{name}.jsonl", "a", encoding="utf-8") as file:
            file.write(json.dumps(plain(row), allow_nan=False) + "\n")

    def rows(self, name: str) -> list[dict[str, Any]]:
        """The lines so far; one that was cut short, or lacks what all have, is passed over."""
        try:
            lines = (self.path / f"{name}.jsonl").read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            return []
        return [row for line in lines if (row := _parsed(line)) is not None and LINES[name] <= row.keys()]

    def rewind(self, round: int) -> None:
        """Drops what came after a round: a resumed training will make it again."""
        for name in LINES:
            kept = [json.dumps(row) + "\n" for row in self.rows(name) if row["round"] <= round]
            write_atomically(self.path / f"{name}.jsonl", "".join(kept).encode())
        for folder in (self.checkpoints, self.figures, self.samples):
            for path in folder.iterdir():
                if path.stem.isdigit() and int(path.stem) > round:
                    path.unlink()
        if (checkpoints.best_round(self.checkpoints) or 0) > round:
            (self.checkpoints / "best.json").unlink(missing_ok=True)

    def losses(self) -> tuple[list[int], dict[str, list[float]]]:
        """The logged rounds, and each loss there; NaN where a round had none of it or it was not finite."""
        rows = self.rows("log")
        logged = dict.fromkeys(name for row in rows for name in row if name not in ("round", "seconds"))
        names = [name for name in logged if not name.startswith("gauge.")]
        series = {name: [math.nan if row.get(name) is None else row[name] for row in rows] for name in names}
        return [row["round"] for row in rows], series

    def checkpoint(self, which: str | int) -> Checkpoint:
        """The `best`, the `last`, or that of a round, as a number or in digits.

        The last one stands in for a best one that was damaged.

        Raises:
            UsageError: there is none; the sentence says which rounds have one.
        """
        if isinstance(which, str) and which.isascii() and which.isdigit():
            which = int(which)
        asked = checkpoints.best_round(self.checkpoints) if which == "best" else which
        found = checkpoints.read(self.checkpoints, asked) if isinstance(asked, int) else None
        if found is None and which in ("best", "last"):
            found = checkpoints.read_last(self.checkpoints)
        if found is None:
            there = ", ".join(map(str, checkpoints.rounds(self.checkpoints))) or "none"
            raise UsageError(f"{self.path}: no whole checkpoint {which!r} (best, last, or a round of: {there})")
        return found


def _keep(path: Path, data: DataSet) -> None:
    arrays: dict[str, Any]
    if isinstance(data, ImageSet):
        arrays = {"name": data.name, "pixels": data.pixels, "classes": np.array(data.classes, dtype=str)}
        arrays |= {} if data.labels is None else {"labels": data.labels}
        np.savez(path, **arrays)
        return
    arrays = {"name": data.name, "points": data.points, "columns": np.array(data.columns, dtype=str)}
    if data.modes is not None:
        arrays |= {"means": data.modes.means, "covariances": data.modes.covariances}
    np.savez(path, **arrays)


def _kept(path: Path) -> DataSet:
    with np.load(path) as file:
        if "pixels" in file:
            labels = file.get("labels")
            return ImageSet(str(file["name"]), file["pixels"], labels, tuple(map(str, file["classes"])))
        modes = Modes(file["means"], file["covariances"]) if "means" in file else None
        return PointSet(str(file["name"]), file["points"], modes, tuple(map(str, file["columns"])))


def plain(value: Any) -> Any:
    """The value as JSON can hold it: numbers that are not finite become null."""
    if isinstance(value, Mapping):
        return {k: plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _is_whole(summary: Any) -> bool:
    match summary:
        case {
            "status": str(),
            "rounds": int(),
            "seconds": int() | float(),
            "metrics": {"final": dict(), "best": dict(), "floor": dict()},
            "snapshot_floor": dict(),
        }:
            return True
    return False


def _parsed(line: str) -> dict[str, Any] | None:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return row if isinstance(row, dict) else None
