"""Prepared folders: read as they were written, mapped into memory, whole or refused."""

import json
import shutil
from functools import reduce
from pathlib import Path

import numpy as np
import pytest

from ganbench.cli.data import describe
from ganbench.data import ImageSet, PointSet, load
from ganbench.data.cells import Cells
from ganbench.data.parts import cells_of, files_of
from ganbench.data.parts import test_part as part_to_test_on
from ganbench.data.prepared import Origin, Part, captchas_of, is_prepared, read_prepared, read_record, write_prepared
from ganbench.types import UsageError, WorkError

RNG = np.random.default_rng(0)
PIXELS = RNG.integers(0, 256, (40, 6, 5)).astype(np.uint8)
LABELS = np.arange(40) % 3
NAMES = [(f"{i}, ä.png", "AB") for i in range(20)]
ORIGIN = Origin("captcha", "somewhere", {"cells": {"size": 5}, "seed": 0})
PARTS = {"train": Part(PIXELS, LABELS, NAMES), "test": Part(PIXELS[:16], LABELS[:16], NAMES[:8])}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "new" / "set"
    assert write_prepared(path, ORIGIN, PARTS, "ABC", {"note.txt": b"beside"})
    return path


def test_what_was_written_is_read(folder: Path) -> None:
    found = load(folder)
    assert isinstance(found, ImageSet)
    np.testing.assert_array_equal(found.pixels, PIXELS)
    np.testing.assert_array_equal(found.labels, LABELS)
    assert (found.name, found.classes) == (str(folder), tuple("ABC"))
    assert len(read_prepared(folder, "test")) == 16
    assert captchas_of(folder) == NAMES
    assert captchas_of(folder, "test") == NAMES[:8]
    assert (folder / "note.txt").read_bytes() == b"beside"
    assert read_record(folder)["parts"]["train"]["captchas"] == 20
    assert [path.name for path in folder.parent.iterdir()] == ["set"]


def test_images_stay_on_the_disk(folder: Path) -> None:
    pixels = load(folder).pixels  # type: ignore[union-attr]
    assert isinstance(pixels, np.memmap)
    assert not pixels.flags.writeable
    assert Path(str(pixels.filename)) == folder / "train-images.npy"


def test_a_set_in_colours_without_labels_or_captchas(tmp_path: Path) -> None:
    pixels = RNG.integers(0, 256, (16, 4, 4, 3)).astype(np.uint8)
    write_prepared(tmp_path / "faces", Origin("faces", "there", {}), {"train": Part(pixels)})
    found = read_prepared(tmp_path / "faces")
    assert (found.shape, found.labels, found.classes) == ((3, 4, 4), None, ())
    assert isinstance(found.pixels, np.memmap)
    with pytest.raises(UsageError, match="not made of captchas"):
        captchas_of(tmp_path / "faces")
    with pytest.raises(UsageError, match="has no part 'test'; it has train"):
        read_prepared(tmp_path / "faces", "test")


@pytest.mark.parametrize("name", ["train-images.npy", "train-labels.npy", "train-captchas.csv"])
def test_a_missing_or_damaged_piece_is_told(folder: Path, name: str) -> None:
    content = (folder / name).read_bytes()
    for damaged in (content[:-1], content[:-1] + bytes([content[-1] ^ 1]), b""):
        (folder / name).write_bytes(damaged)
        with pytest.raises(UsageError, match=f"{name} is damaged or altered"):
            load(folder)
    (folder / name).unlink()
    with pytest.raises(UsageError, match=f"{name} is missing"):
        load(folder)


@pytest.mark.parametrize("name", ["train-images.npy", "train-labels.npy"])
def test_a_damaged_piece_too_large_to_be_read_each_time_is_told(
    folder: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ganbench.data.prepared.READ_AT_LOAD", 0)
    content = (folder / name).read_bytes()
    (folder / name).write_bytes(bytes(128) + content[128:])
    with pytest.raises(UsageError, match=f"{name} is damaged or altered"):
        load(folder)


@pytest.mark.parametrize("lacking", [["fingerprint"], ["bytes"], ["files"], ["bytes", "files"]])
def test_a_record_that_lacks_something_is_damaged(folder: Path, lacking: list[str]) -> None:
    record = read_record(folder)
    part = record["parts"]["train"]
    part |= {name: {} if isinstance(part[name], dict) else None for name in lacking}
    (folder / "prepared.json").write_text(json.dumps(record))
    with pytest.raises(UsageError, match=r"prepared\.json is damaged"):
        load(folder)


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"kind": 1}', '{"parts": {"train": 3}}', "null"])
def test_a_damaged_record_is_told(folder: Path, content: str) -> None:
    (folder / "prepared.json").write_text(content)
    with pytest.raises(UsageError, match=r"prepared\.json is damaged"):
        load(folder)


def test_a_record_nested_without_end_is_damaged(folder: Path) -> None:
    (folder / "prepared.json").write_text("[" * 100_000)
    with pytest.raises(UsageError, match=r"prepared\.json is damaged"):
        load(folder)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"cells": 5}, "cells: "),
        ({"cells": {"size": "x"}}, r"cells\.size: "),
        ({"cell": {}}, "unknown field 'cell'"),
        (reduce(lambda inner, _: {"cells": inner}, range(480), {}), "maximum recursion depth"),
    ],
    ids=["no mapping", "no size", "misspelt", "deep"],
)
def test_settings_of_a_record_that_say_no_cut_are_damaged(folder: Path, settings: object, said: str) -> None:
    assert cells_of(str(folder)) == Cells(size=5)
    record = read_record(folder)
    (folder / "prepared.json").write_text(json.dumps({**record, "settings": settings}))
    with pytest.raises(UsageError, match=rf"prepared\.json is damaged: {said}"):
        cells_of(str(folder))


def test_a_name_stands_for_its_set_where_a_folder_is_called_so_too(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(folder.parent)
    assert len(files_of("set", read_prepared(folder))) == 80
    for name in ("captcha", "digits", "moons"):
        shutil.copytree("set", name)
    assert [files_of(name, read_prepared(folder)) for name in ("captcha", "digits", "moons")] == [[], [], []]
    assert (cells_of("captcha"), cells_of("digits"), cells_of("moons")) == (Cells(), None, None)
    assert part_to_test_on("moons") is None
    assert isinstance(load("moons"), PointSet)
    describe("moons")
    assert "bytes on the disk" not in capsys.readouterr().out


def test_the_same_set_is_left_as_it_is_and_another_is_refused(folder: Path) -> None:
    before = {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.iterdir()}
    assert not write_prepared(folder, ORIGIN, PARTS, "ABC", {"note.txt": b"other"})
    with pytest.raises(UsageError, match=r"its cells\.size is 5, not 6"):
        write_prepared(folder, Origin("captcha", "somewhere", {"cells": {"size": 6}, "seed": 0}), PARTS, "ABC")
    with pytest.raises(UsageError, match="its source is 'somewhere', not 'elsewhere'"):
        write_prepared(folder, Origin("captcha", "elsewhere", ORIGIN.settings), PARTS, "ABC")
    with pytest.raises(UsageError, match="prepared of other images"):
        write_prepared(folder, ORIGIN, {"train": Part(PIXELS[::-1], LABELS, NAMES)}, "ABC")
    assert {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.iterdir()} == before
    (folder / "test-images.npy").unlink()
    with pytest.raises(UsageError, match=r"test-images\.npy is missing"):
        write_prepared(folder, ORIGIN, PARTS, "ABC")


def test_what_holds_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years")
    (tmp_path / "file").write_text("a file")
    for name in ("mine", "file"):
        with pytest.raises(UsageError, match="name a new folder"):
            write_prepared(tmp_path / name, ORIGIN, PARTS, "ABC")
    with pytest.raises(WorkError, match="cannot be written"):
        write_prepared(tmp_path / "file" / "below", ORIGIN, PARTS, "ABC")
    (tmp_path / "empty").mkdir()
    assert write_prepared(tmp_path / "empty", ORIGIN, PARTS, "ABC")
    assert (tmp_path / "mine" / "thesis.txt").read_text() == "years"


@pytest.mark.parametrize("after", range(5))
def test_interrupted_it_leaves_nothing(after: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    saved, original = 0, np.save

    def interrupted(path: Path, array: np.ndarray) -> None:
        nonlocal saved
        saved += 1
        if saved > after:
            raise KeyboardInterrupt
        original(path, array)

    monkeypatch.setattr(np, "save", interrupted)
    if after == 4:  # as many files as there are
        assert write_prepared(tmp_path / "set", ORIGIN, PARTS, "ABC")
        return
    with pytest.raises(KeyboardInterrupt):
        write_prepared(tmp_path / "set", ORIGIN, PARTS, "ABC")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_without_its_record_is_no_prepared_one(folder: Path) -> None:
    """As a machine that lost power might leave it."""
    record = folder / "prepared.json"
    assert set(json.loads(record.read_text())) == {"kind", "source", "settings", "classes", "parts"}
    record.unlink()
    assert not is_prepared(folder)
    with pytest.raises(UsageError):
        load(folder)
    with pytest.raises(UsageError, match="is no prepared folder"):
        read_prepared(folder)


def test_the_folder_at_hand_is_filled_and_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    number = here.stat().st_ino
    assert write_prepared(Path("."), ORIGIN, PARTS, "ABC", {"note.txt": b"beside"})
    assert (here.stat().st_ino, Path.cwd()) == (number, here)
    np.testing.assert_array_equal(load(here).pixels, PIXELS)  # type: ignore[union-attr]
    assert [path.name for path in tmp_path.iterdir()] == ["here"]
    assert not write_prepared(Path("."), ORIGIN, PARTS, "ABC")
