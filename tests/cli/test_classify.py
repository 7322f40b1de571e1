"""`ganbench classify`: trained, tested, reading and auditing from the shell; hostile input for each verb."""

import csv
import json
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ganbench.data import ImageSet
from ganbench.data.cells import Cells
from ganbench.data.drawn_captchas import draw_captchas
from ganbench.data.parts import test_part as part_to_test_on
from ganbench.data.prepared import captchas_of
from ganbench.metrics import features_for
from ganbench.metrics.classifier import Classifier, read_classifier, write_classifier
from ganbench.metrics.classifier_training import train_classifier
from ganbench.types import UsageError
from tests.cli.conftest import Outcome
from tests.closed_form.test_images_features import stripes
from tests.data.hostile_images import write_idx

Command = Callable[..., Outcome]


@pytest.fixture(scope="module")
def reader() -> Classifier:
    """Reads which of four rows is bright, as A, B, C or D."""
    data = stripes(200, (20, 20), classes=4)
    return train_classifier(ImageSet("rows", data.pixels, data.labels, tuple("ABCD")), network="lenet", steps=40)


@pytest.fixture(autouse=True)
def briefly(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is drawn here is told apart after few steps."""
    monkeypatch.setattr("ganbench.metrics.classifier_training.LEAST", 60)
    monkeypatch.setattr("ganbench.metrics.classifier_training.EPOCHS", range(3, 11))


@pytest.fixture
def at_hand(ganbench: Command, tmp_path: Path, reader: Classifier) -> Command:
    """Beside the command: `rows.npz`, 40 labelled images, and `reader.safetensors`."""
    data = stripes(40, (20, 20), classes=4, seed=3)
    names = np.array(list("ABCD"))[data.labels]
    np.savez(tmp_path / "rows.npz", samples=data.pixels, labels=names)
    (tmp_path / "reader.safetensors").write_bytes(write_classifier(reader))
    return ganbench


@pytest.mark.parametrize(("verb", "out"), [("train", "new.safetensors"), ("audit", "new")])
def test_ctrl_c_ends_with_a_word_and_leaves_no_file(
    at_hand: Command, verb: str, out: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def pressed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("ganbench.metrics.classifier_training.train_classifier", pressed)
    monkeypatch.setattr("ganbench.metrics.audit.train_classifier", pressed)
    ended = at_hand("classify", verb, "rows.npz", "--out", out)
    assert ended.code != 0
    assert "interrupted" in ended.err or "Aborted" in ended.err  # as the library that reads the command line says it
    assert {path.name for path in Path().rglob("*.*")} == {"rows.npz", "reader.safetensors"}


def test_training_writes_a_file_that_serves_for_features(at_hand: Command) -> None:
    words = ("classify", "train", "rows.npz", "--out", "new/mine.safetensors", "--epochs", "3", "--network", "lenet")
    ended = at_hand(*words)
    assert ended.code == 0, ended.err
    classifier = read_classifier(Path("new/mine.safetensors"))
    assert (classifier.network.name, classifier.classes) == ("lenet", tuple("ABCD"))
    assert "lenet, 36 images, 3 steps" in ended.out
    assert f"{classifier.accuracy:.2%} of 4 images read right" in ended.out
    data = stripes(40, (20, 20), classes=4, seed=3)
    assert features_for(data, "new/mine.safetensors")(data.pixels).features.shape == (40, 500)


def test_a_count_is_drawn_by_the_seed(at_hand: Command) -> None:
    for seed in (0, 0, 1):
        words = ("--count", "8", "--epochs", "2", "--seed", seed, "--out", f"{seed}.safetensors")
        ended = at_hand("classify", "train", "rows.npz", *words)
        assert ended.code == 0, ended.err
        assert "8 images, 2 steps" in ended.out
    assert read_classifier(Path("0.safetensors")).data != read_classifier(Path("1.safetensors")).data


def test_evaluation_counts_and_draws_what_was_misread(at_hand: Command) -> None:
    with np.load("rows.npz") as held:
        pixels, labels = held["samples"], held["labels"].copy()
    labels[:3] = "D"  # of A, B and C
    np.savez("wrong.npz", samples=pixels, labels=labels)
    ended = at_hand("classify", "evaluate", "reader.safetensors", "wrong.npz", "--json")
    told = json.loads(ended.out)
    assert (told["images"]["right"], told["images"]["total"], told["strings"]) == (37, 40, None)
    assert told["images"]["low"] < 37 / 40 < told["images"]["high"]
    expected = [{"given": "D", "read": read, "count": 1} for read in "ABC"]
    assert sorted(told["confused"], key=lambda pair: pair["read"]) == expected
    assert told["part"] == "all"
    ended = at_hand("classify", "evaluate", "reader.safetensors", "wrong.npz", "--out", "new/sheet.png")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.startswith("wrong.npz: all 40 images, which it may have been trained on\n")
    assert "92.50% of 40 images read right" in ended.out
    assert "D read as A: 1" in ended.out
    with Image.open("new/sheet.png") as sheet:
        assert sheet.height > sheet.width / 2
    ended = at_hand("classify", "evaluate", "reader.safetensors", "wrong.npz", "--json", "--out", "other.png")
    assert json.loads(ended.out) == told
    assert "picture: other.png" in ended.err
    assert Path("other.png").is_file()
    ended = at_hand("classify", "evaluate", "reader.safetensors", "rows.npz", "--out", "none.png")
    assert "nothing was misread" in ended.out
    assert not Path("none.png").exists()


def captcha(text: str) -> np.ndarray:
    """Black bars on white, 24 x 20 pixels each, whose height is their letter's: cells cut and read as rows."""
    picture = np.full((30, 24 * len(text)), 255, np.uint8)
    for i, letter in enumerate(text):
        top = 2 + 4 * "ABCD".index(letter)
        picture[top : top + 8, 24 * i + 4 : 24 * i + 20] = 0
        picture[2:28, 24 * i + 4 : 24 * i + 6] = 0
    return picture


def test_prediction_reads_characters_and_says_what_it_cannot_read(at_hand: Command) -> None:
    data = stripes(4, (20, 20), classes=4, seed=9)
    Path("cells").mkdir()
    for letter, pixels in zip("ABCD", data.pixels, strict=True):
        Image.fromarray(pixels).save(f"cells/{letter}.png")
    Image.fromarray(data.pixels[2]).convert("RGB").save("one.bmp")
    ended = at_hand("classify", "predict", "reader.safetensors", "cells", "one.bmp")
    assert ended.code == 0, ended.err
    lines = [line.split("\t") for line in ended.out.splitlines()]
    assert [line[:2] for line in lines] == [*([f"cells/{x}.png", x] for x in "ABCD"), ["one.bmp", "C"]]
    assert all(0 < float(line[2]) <= 1 for line in lines)
    Image.fromarray(captcha("ABCD")).save("cells/whole.png")
    Path("cells/damaged.png").write_bytes(b"\x89PNG no more")
    Path("empty").mkdir()
    ended = at_hand("classify", "predict", "reader.safetensors", "empty", "cells", "missing.png")
    assert ended.code == 1
    assert len(ended.out.splitlines()) == 4
    wrong = ("empty has no images", "whole.png: 96 x 30 pixels", "damaged.png: there is no", "missing.png: there is no")
    for said in wrong:
        assert said in ended.err
    assert "4 of 8 images or folders could not be read" in ended.err
    ended = at_hand("classify", "predict", "reader.safetensors", "cells/damaged.png")
    assert ended.code == 2


def test_prediction_reads_whole_captchas_as_they_were_cut(ganbench: Command) -> None:
    cells, letters = Cells(characters=3), np.random.default_rng(0).integers(4, size=(40, 3))
    texts = ["".join("ABCD"[letter] for letter in row) for row in letters]
    pixels = np.concatenate([cells.of(captcha(text)) for text in texts])
    data = ImageSet("bars", pixels, letters.ravel(), tuple("ABCD"))
    trained = train_classifier(data, network="lenet", steps=40)
    told = Classifier(trained.network, trained.shape, trained.classes, trained.data, cells=cells)
    Path("bars.safetensors").write_bytes(write_classifier(told))
    for text in ("ABC", "DDA"):
        Image.fromarray(captcha(text)).save(f"{text}.png")
    Image.fromarray(np.full((30, 72), 255, np.uint8)).save("empty.png")
    ended = ganbench("classify", "predict", "bars.safetensors", "ABC.png", "empty.png", "DDA.png")
    assert ended.code == 1
    assert [line.split("\t")[:2] for line in ended.out.splitlines()] == [["ABC.png", "ABC"], ["DDA.png", "DDA"]]
    assert "empty.png: " in ended.err


def prepare(ganbench: Command, count: int, test: int) -> None:
    """Drawn captchas in the folder `raw`, and cut in `set`, where `test` of them are kept for testing."""
    Path("raw").mkdir()
    for picture, text in zip(*draw_captchas(count), strict=True):
        Image.fromarray(picture).save(f"raw/{text}.png")
    assert ganbench("data", "prepare", "captcha", "raw", "--out", "set", "--test", str(test)).code == 0


def test_a_prepared_folder_gives_all_verbs_what_they_need(ganbench: Command) -> None:
    """Trained on its captchas, tested on the others as strings, and reading images that were never cut."""
    prepare(ganbench, 40, test=10)
    file, prepared = "f.safetensors", Path("set")
    ended = ganbench("classify", "train", "set", "--out", file, "--network", "lenet", "--epochs", "2")
    assert ended.code == 0, ended.err
    tried = [name for name, _ in captchas_of(prepared, "test")]
    kept = len(captchas_of(prepared))
    assert f"lenet, {4 * kept} images" in ended.out
    assert f"of {len(tried)} whole strings read right" in ended.out
    ended = ganbench("classify", "evaluate", file, "set")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.startswith(f"set: the test part, {4 * len(tried)} images\n")
    told = json.loads(ganbench("classify", "evaluate", file, "set", "--json", "--threads", "1").out)
    assert (told["images"]["total"], told["strings"]["total"]) == (4 * len(tried), len(tried))
    ended = ganbench("classify", "predict", file, *(f"raw/{name}" for name in tried))
    assert ended.code == 0, ended.err
    texts = [line.split("\t")[1] for line in ended.out.splitlines()]
    given = "".join(text for _, text in captchas_of(prepared, "test"))
    assert sum(a == b for a, b in zip("".join(texts), given, strict=True)) == told["images"]["right"]
    ended = ganbench("classify", "audit", "set", "--out", "doubts", "--folds", "2", "--network", "lenet")
    assert ended.code == 0, ended.err
    with open("doubts/corrected.csv", encoding="utf-8") as listed:
        rows = list(csv.DictReader(listed))
    assert [row["file"] for row in rows[::4]] == [name for name, _ in captchas_of(prepared)]
    assert len(rows) == 4 * kept


def test_of_captchas_without_a_test_part_whole_ones_are_held_out(ganbench: Command) -> None:
    prepare(ganbench, 45, test=0)
    ended = ganbench("classify", "train", "set", "--out", "f.safetensors", "--network", "lenet", "--epochs", "1")
    assert ended.code == 0, ended.err
    assert "lenet, 164 images" in ended.out
    assert "of 4 whole strings read right" in ended.out
    assert "was trained on these images" in ganbench("classify", "evaluate", "f.safetensors", "set").err


def test_an_audit_finds_planted_errors_and_its_list_can_be_trained_with(at_hand: Command) -> None:
    data, folder = stripes(120, (20, 20), classes=2), Path("stripes")
    for label, name in enumerate("AB"):
        for i in np.flatnonzero(data.labels == label):
            given = name if i != 10 else "B"  # one of A
            (folder / given).mkdir(parents=True, exist_ok=True)
            Image.fromarray(data.pixels[i]).save(folder / given / f"{i}.png")
    (folder / "A" / "15.png").write_bytes(b"no image, and its place is left out of the list")
    ended = at_hand("classify", "audit", "stripes", "--out", "doubts", "--folds", "2", "--network", "lenet")
    assert ended.code == 0, ended.err
    assert ended.err.count("fold") >= 2
    with open("doubts/audit.csv", encoding="utf-8") as file:
        first, *others = csv.DictReader(file)
    assert (first["file"], first["given"], first["probable"]) == ("B/10.png", "B", "A")
    assert float(first["given_confidence"]) < float(first["probable_confidence"])
    assert not others
    assert Path("doubts/sheet.png").is_file()
    with open("doubts/corrected.csv", encoding="utf-8") as file:
        labels = {row["file"]: row["label"] for row in csv.DictReader(file)}
    assert labels["B/10.png"] == "A"
    assert sum(not name.startswith(label) for name, label in labels.items()) == 1
    assert len(labels) == 120
    assert "A/15.png" not in labels
    command = ended.out.splitlines()[-1].removeprefix("ganbench ").replace("FILE", "f.safetensors")
    ended = at_hand(*command.split(), "--epochs", "1")
    assert ended.code == 0, ended.err
    Image.fromarray(data.pixels[1]).save(folder / "A" / "11.png")  # before 110.png, whose row it takes
    ended = at_hand(*command.split(), "--epochs", "1")
    assert ended.code == 2
    assert "corrected.csv, line 8: row 6 is A/110.png, and in stripes it is A/11.png" in ended.err


def test_what_was_trained_on_is_told_when_it_is_evaluated(at_hand: Command) -> None:
    assert at_hand("classify", "train", "rows.npz", "--out", "f.safetensors", "--epochs", "2").code == 0
    ended = at_hand("classify", "evaluate", "f.safetensors", "rows.npz")
    assert ended.code == 0
    assert "warning: the recogniser was trained on these images" in ended.err


def test_a_damaged_test_part_is_told_and_one_that_is_not_there_is_none(at_hand: Command, tmp_path: Path) -> None:
    data = stripes(40, (20, 20), classes=4)
    folder = tmp_path / "idx"
    folder.mkdir()
    write_idx(folder / "train-images-idx3-ubyte.gz", data.pixels)
    write_idx(folder / "train-labels-idx1-ubyte.gz", np.asarray(data.labels, np.uint8))
    assert part_to_test_on(str(folder)) is None
    write_idx(folder / "t10k-images-idx3-ubyte.gz", data.pixels)
    with pytest.raises(UsageError, match="lacks t10k-labels-idx1-ubyte"):
        part_to_test_on(str(folder))
    (folder / "t10k-labels-idx1-ubyte.gz").write_bytes(b"cut short")
    for words in (("train", "idx", "--out", "f.safetensors"), ("evaluate", "reader.safetensors", "idx")):
        ended = at_hand("classify", *words)
        assert ended.code == 2
        assert "t10k-labels-idx1-ubyte.gz: this is no readable .gz file" in ended.err
    write_idx(folder / "t10k-labels-idx1-ubyte.gz", np.asarray(data.labels, np.uint8))
    found = part_to_test_on(str(folder))
    assert found is not None
    assert len(found) == 40


def test_a_file_that_cannot_be_written_is_told_before_the_training(
    at_hand: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ganbench.metrics import audit, classifier_training

    monkeypatch.setattr(classifier_training, "train_classifier", lambda *_, **__: pytest.fail("training was begun"))
    monkeypatch.setattr(audit, "train_classifier", classifier_training.train_classifier)
    for words in (
        ("train", "rows.npz", "--out", "reader.safetensors/f.safetensors"),
        ("audit", "rows.npz", "--out", "reader.safetensors/new"),
    ):
        ended = at_hand("classify", *words)
        assert ended.code == 2
        assert "cannot be written" in ended.err


WRONG = [
    (("train", "rows.npz", "--out", "f.pt"), ".safetensors"),
    (("train", "rows.npz", "--out", "folder.safetensors"), "folder.safetensors is a folder"),
    (("train", "rows.npz", "--out", "rows.npz/f.safetensors"), "f.safetensors cannot be written"),
    (("train", "moons", "--out", "f.safetensors"), "set of points"),
    (("train", "missing", "--out", "f.safetensors"), "missing"),
    (("train", "plain.npy", "--out", "f.safetensors"), "no labels"),
    (("train", "rows.npz", "--out", "f.safetensors", "--network", "lnet"), "did you mean 'lenet'"),
    (("train", "rows.npz", "--out", "f.safetensors", "--epochs", "0"), "--epochs"),
    (("train", "rows.npz", "--out", "f.safetensors", "--count", "1"), "from 2 to 36"),
    (("train", "rows.npz", "--out", "f.safetensors", "--count", "400"), "from 2 to 36"),
    (("train", "rows.npz", "--out", "f.safetensors", "--seed", "-1"), "--seed"),
    (("train", "rows.npz", "--out", "f.safetensors", "--threads", "0"), "--threads"),
    (("train", "rows.npz", "--out", "f.safetensors", "--labels", "no.csv"), "no such file of labels"),
    (("train", "small.npz", "--out", "f.safetensors", "--network", "lenet"), "16 x 16"),
    (("train", "rows.npz", "--out", "new/f.safetensors", "--threads", "99999999999"), "--threads"),
    (("train", "uneven", "--out", "new/f.safetensors"), "images of 8 x 8 pixels, grey, where"),
    (("evaluate", "missing.safetensors", "rows.npz"), "no such file"),
    (("evaluate", "damaged.safetensors", "rows.npz"), "no classifier of ganbench"),
    (("evaluate", "reader.safetensors", "small.npz"), "20 x 20"),
    (("evaluate", "reader.safetensors", "plain.npy"), "no labels"),
    (("evaluate", "reader.safetensors", "moons"), "set of points"),
    (("evaluate", "reader.safetensors", "others.npz"), "class 'E'"),
    (("evaluate", "reader.safetensors", "rows.npz", "--out", "sheet.svg"), ".png"),
    (("evaluate", "reader.safetensors", "rows.npz", "--out", "rows.npz/sheet.png"), "sheet.png cannot be written"),
    (("predict", "damaged.safetensors", "one.png"), "no classifier of ganbench"),
    (("predict", "numbered.safetensors", "one.png"), "no classifier of ganbench"),
    (("predict", "double.safetensors", "one.png"), "no classifier of ganbench"),
    (("predict", "full", "one.png"), "full is no classifier of ganbench"),
    (("predict", "reader.safetensors", "missing.png"), "missing.png: there is no such image"),
    (("predict", "reader.safetensors", "empty"), "has no images"),
    (("predict", "reader.safetensors", "rows.npz"), "rows.npz: there is no such image, or it cannot be read"),
    (("predict", "reader.safetensors"), "images"),
    (("audit", "rows.npz", "--out", "empty", "--folds", "1"), "folds"),
    (("audit", "rows.npz", "--out", "new", "--folds", "41"), "folds"),
    (("audit", "rows.npz", "--out", "rows.npz"), "is a file"),
    (("audit", "rows.npz", "--out", "full"), "is not empty"),
    (("audit", "plain.npy", "--out", "new"), "no labels"),
    (("audit", "moons", "--out", "new"), "set of points"),
    (("audit", "rows.npz", "--out", "new", "--network", "big"), "network"),
    (("audti",), "audti"),
]


@pytest.mark.parametrize(("words", "said"), WRONG, ids=lambda part: " ".join(part) if isinstance(part, tuple) else None)
def test_wrong_commands_are_refused_in_a_sentence(at_hand: Command, words: tuple[str, ...], said: str) -> None:
    for name in ("empty", "full/inside", "folder.safetensors"):
        Path(name).mkdir(parents=True)
    small = stripes(20, (8, 8))
    np.save("plain.npy", small.pixels)
    np.savez("small.npz", samples=small.pixels, labels=np.array(list("AB"))[small.labels])
    others = stripes(20, (20, 20))
    np.savez("others.npz", samples=others.pixels, labels=np.array(list("AE"))[others.labels])
    Path("uneven").mkdir()
    for name, images in (("train", stripes(20, (20, 20))), ("t10k", small)):
        write_idx(Path(f"uneven/{name}-images-idx3-ubyte.gz"), images.pixels)
        write_idx(Path(f"uneven/{name}-labels-idx1-ubyte.gz"), np.asarray(images.labels, np.uint8))
    Path("damaged.safetensors").write_bytes(b"nothing of the kind")
    right = read_classifier(Path("reader.safetensors"))
    numbered, double = replace(right, classes=(1, 2, 3, 4)), replace(right, network=deepcopy(right.network).double())
    for name, forged in (("numbered", numbered), ("double", double)):
        Path(f"{name}.safetensors").write_bytes(write_classifier(forged))
    ended = at_hand("classify", *words)
    assert ended.code == 2
    assert said in ended.err
    assert "Traceback" not in ended.err
    assert not Path("new").exists()
    assert not Path("f.safetensors").exists()
