"""Whole captchas from a generator that draws characters: a cell for each, side by side."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ganbench.api import Run, fit
from ganbench.configuration import parse_change
from ganbench.data.prepared import Origin, Part, write_prepared
from tests.cli.conftest import TINY, Outcome
from tests.cli.images import DENSE, asked, colours, digits_at_hand

__all__ = ["asked", "colours", "digits_at_hand"]

CHARACTERS = "27KQX"


@pytest.fixture(scope="module")
def letters(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A finished run on noise whose classes are single characters."""
    folder = tmp_path_factory.mktemp("letters")
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (60, 8, 12), dtype=np.uint8)
    np.savez(folder / "cells.npz", samples=pixels, labels=np.array(list(CHARACTERS * 12)))
    changes = {**dict(parse_change(change) for change in DENSE), "labels": "inside", "features": "random-conv"}
    return fit("gan", folder / "cells.npz", folder / "run", progress=False, rounds=2, **changes)


def test_a_text_is_its_cells_side_by_side(ganbench: Callable[..., Outcome], tmp_path: Path, letters: Run) -> None:
    ended = ganbench("sample", letters.path, "--text", "7KQX", "--out", "new/captcha.png", "--count", 3)
    assert ended.code == 0, ended.err
    cells = letters.sample(12, labels=np.array([1, 2, 3, 4] * 3))
    with Image.open(tmp_path / "new" / "captcha.png") as picture:
        assert (picture.mode, picture.size) == ("L", (4 * 12, 3 * 8))
        pixels = np.asarray(picture)
    for place, cell in enumerate(cells):
        top, left = place // 4 * 8, place % 4 * 12
        assert np.array_equal(pixels[top : top + 8, left : left + 12], cell)


def test_a_text_of_another_length_than_captchas_have_gets_a_note(
    ganbench: Callable[..., Outcome], tmp_path: Path
) -> None:
    pixels, labels = np.random.default_rng(0).integers(0, 256, (48, 8, 8), dtype=np.uint8), np.arange(48) % 3
    origin = Origin("captcha", "somewhere", {"cells": {"size": 8, "characters": 3}})
    part = Part(pixels, labels, [(f"{i}.png", "KQX") for i in range(16)])
    write_prepared(tmp_path / "set", origin, {"train": part}, "KQX")
    changes = {**dict(parse_change(change) for change in DENSE), "labels": "inside", "features": "random-conv"}
    run = fit("gan", tmp_path / "set", tmp_path / "run", progress=False, rounds=2, **changes)
    shorter = ganbench("sample", run.path, "--text", "KQ", "--out", "short.png")
    assert (shorter.code, shorter.err) == (0, "note: captchas of the data have 3 characters, 'KQ' 2\n")
    assert ganbench("sample", run.path, "--text", "KQX", "--out", "right.png").err == ""


def test_labels_are_names_or_places_and_not_both(
    ganbench: Callable[..., Outcome], tmp_path: Path, letters: Run
) -> None:
    for labels, places in (("7,2", [1, 0]), ("0,1,4", [0, 1, 4])):
        assert ganbench("sample", letters.path, "--out", "x.npz", "--labels", labels).code == 0
        assert np.load(tmp_path / "x.npz")["labels"].tolist() == places
    ended = ganbench("sample", letters.path, "--out", "y.npz", "--labels", "0,1,2")
    assert ended.code == 2
    assert "unknown label '0'" in ended.err
    assert "give names alone, or places alone, from 0 to 4" in ended.err


def test_a_text_in_a_folder_is_a_file_of_its_name(
    ganbench: Callable[..., Outcome], tmp_path: Path, letters: Run
) -> None:
    for words in (("--out", "one"), ("--out", "three", "--count", 3), ("--out", "three.png", "--count", 3)):
        assert ganbench("sample", letters.path, "--text", "X2X", *words).code == 0
    assert [path.name for path in (tmp_path / "one").iterdir()] == ["X2X.png"]
    three = sorted((tmp_path / "three").iterdir())
    assert [path.name for path in three] == ["X2X-0.png", "X2X-1.png", "X2X-2.png"]
    below = np.concatenate([np.asarray(Image.open(path)) for path in three])
    assert np.array_equal(below, np.asarray(Image.open(tmp_path / "three.png")))
    assert np.array_equal(np.asarray(Image.open(tmp_path / "one" / "X2X.png")), below[:8])
    assert not np.array_equal(below[:8, :12], below[:8, 24:])  # each character has noise of its own


@pytest.mark.parametrize(
    ("words", "fragment"),
    [
        (("--text", "7kQX"), "no character 'k'; did you mean 'K'? (allowed: 27KQX)"),
        (("--text", "7O"), "no character 'O' (allowed: 27KQX)"),
        (("--text", "7 K"), "no character ' '"),
        (("--text", ""), "--text is empty"),
        (("--text", "7K", "--labels", "7"), "not both"),
        (("--text", "7K", "--out", "x.npz"), ".png or a folder"),
        (("--text", "7K", "--out", "full"), "not empty"),
    ],
)
def test_wrong_texts_get_a_sentence(
    ganbench: Callable[..., Outcome], tmp_path: Path, letters: Run, words: tuple[str, ...], fragment: str
) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "letter.txt").write_text("dear")
    ended = ganbench("sample", letters.path, "--out", "x.png", *words)
    assert (ended.code, fragment in ended.err) == (2, True), ended.err
    assert not list(tmp_path.glob("x.*"))


def test_other_runs_write_no_text(ganbench: Callable[..., Outcome], tmp_path: Path, asked: Run) -> None:
    ended = ganbench("sample", asked.path, "--text", "red", "--out", "x.png")
    assert (ended.code, "no single characters, as 'blue' shows" in ended.err) == (2, True), ended.err
    assert ganbench("train", "gan", "--data", "moons", "--rounds", 1, "--out", "run", *TINY).code == 0
    ended = ganbench("sample", "run", "--text", "A", "--out", "x.png")
    assert (ended.code, "trained on points" in ended.err) == (2, True), ended.err
