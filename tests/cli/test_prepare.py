"""`ganbench data prepare captcha`: from raw files to a set that trains."""

import csv
import io
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from ganbench.data import captchas
from ganbench.data.drawn_captchas import draw_captchas
from tests.cli.conftest import Outcome
from tests.cli.images import DENSE, finished, sets
from tests.undrawn import undrawn

__all__ = ["undrawn"]


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    """Forty captchas and two that cannot be used."""
    folder = tmp_path / "raw"
    folder.mkdir()
    for image, text in zip(*draw_captchas(40), strict=True):
        Image.fromarray(image).save(folder / f"{text}.png")
    (folder / "AAAA.png").write_bytes(b"no image")
    Image.fromarray(image).save(folder / "O.png")
    return folder


def test_captchas_are_prepared_and_trained_on(ganbench: Callable[..., Outcome], raw: Path, undrawn: None) -> None:
    ended = ganbench("data", "prepare", "captcha", raw, "--out", "set")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.splitlines() == [
        "to train: 32 captchas, 128 characters; to test: 8 captchas",
        "distinct characters, pixel for pixel: 160; of those to test 0% are among those to train, too",
        "rejected: 2 (1 unreadable, 1 wrongly named), each with its reason in set/rejected.csv",
        "look at: set/sheet.png",
        "next: ganbench train best --data set --rounds 2000",
    ]
    with open(raw.parent / "set" / "rejected.csv", newline="", encoding="utf-8") as file:
        assert [row["name"] for row in csv.DictReader(file)] == ["AAAA.png", "O.png"]
    sheet = raw.parent / "set" / "sheet.png"
    assert sheet.stat().st_size < 200_000
    with Image.open(sheet) as picture:
        assert min(picture.size) > 300
    described = ganbench("data", "describe", "set", "--out", "set.png")
    assert "set: 128 images, 20 x 20, grey" in described.out
    words = ["--data", "set", "--rounds", 3, "--out", "run", *sets(DENSE)]
    run = finished(ganbench("train", "gan", *words), raw.parent / "run")
    assert run.configuration.data == str(raw.parent / "set")
    assert len(run.data()) == 128


def test_the_same_again_is_left_and_other_settings_are_refused(ganbench: Callable[..., Outcome], raw: Path) -> None:
    words = ["data", "prepare", "captcha", raw, "--out", "set"]
    ganbench(*words)
    written = (raw.parent / "set" / "prepared.json").stat().st_mtime_ns
    again = ganbench(*words)
    assert again.code == 0
    assert again.out.startswith("set holds this set already; it was left as it is\n")
    assert (raw.parent / "set" / "prepared.json").stat().st_mtime_ns == written
    refused = ganbench(*words, "--size", 24)
    assert (refused.code, refused.out) == (2, "")
    assert refused.err == "ganbench: set holds another prepared set: its cells.size is 20, not 24; name a new folder\n"


@pytest.mark.parametrize(
    ("words", "fragment"),
    [
        (["nothing"], "nothing is no folder and no .zip file of captchas, and not 'captcha' for drawn ones"),
        (["raw", "--alphabet", "01"], "none of its 42 captchas can be used"),
        (["raw", "--characters", "3"], "none of its 42 captchas can be used"),
        (["raw", "--threshold", "300"], "--threshold is a grey level from 0 to 255, or otsu, not '300'"),
        (["raw", "--threshold", "dark"], "not 'dark'"),
        (["raw", "--cut", "random"], "--cut is components or equal, not 'random'"),
        (["raw", "--test", "40"], "a test part of 40 leaves nothing to train on"),
    ],
)
def test_mistakes_are_one_sentence_and_leave_nothing(
    ganbench: Callable[..., Outcome], raw: Path, words: list[str], fragment: str
) -> None:
    ended = ganbench("data", "prepare", "captcha", *words, "--out", "set")
    assert (ended.code, ended.out) == (2, "")
    assert fragment in ended.err
    assert ended.err.count("\n") == 1
    assert [path.name for path in raw.parent.iterdir()] == ["raw"]


def test_a_folder_of_something_else_is_refused_before_the_work(
    ganbench: Callable[..., Outcome], raw: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(captchas, "prepare_captchas", lambda *_: pytest.fail("work was begun"))
    ended = ganbench("data", "prepare", "captcha", raw, "--out", raw)
    assert ended.code == 2
    assert "raw is not empty; name a new folder" in ended.err


def test_drawn_captchas_need_no_files(
    ganbench: Callable[..., Outcome], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(captchas, "DRAWN_COUNT", 50)
    ended = ganbench("data", "prepare", "captcha", "captcha", "--out", "set", "--test", 8, "--threshold", 150)
    assert ended.code == 0, ended.err
    assert ended.out.startswith("to train: 4")
    assert "to test: 8 captchas" in ended.out


def test_photographs_that_cannot_be_used(ganbench: Callable[..., Outcome], tmp_path: Path) -> None:
    for folder, content in (("broken", b"\xff\xd8 no jpeg"), ("small", _png(30, 20))):
        (tmp_path / folder).mkdir()
        for i in range(20):
            (tmp_path / folder / f"{i}.png").write_bytes(content)
    for source, words, said in (
        ("broken", (), "0 of its 20 images can be used"),
        ("nowhere", (), "nowhere"),
        ("small", ("--crop", "31x9"), "reaches beyond a picture of 30 x 20"),
        ("small", ("--crop", "wide"), "WIDTHxHEIGHT"),
        ("small", ("--attribute", "Smiling"), "there is no list_attr_celeba.txt"),
    ):
        done = ganbench("data", "prepare", "faces", source, "--out", "set", "--jobs", 1, *words)
        assert (done.code, said in done.err) == (2, True), done.err
        assert sorted(path.name for path in tmp_path.iterdir()) == ["broken", "small"]
    done = ganbench("data", "prepare", "faces", "small", "--out", "set", "--size", 8, "--jobs", 1)
    assert (done.code, "20 images of 8 x 8, RGB" in done.out) == (0, True), done.err


def _png(width: int, height: int) -> bytes:
    content = io.BytesIO()
    Image.new("RGB", (width, height), "teal").save(content, "PNG")
    return content.getvalue()
