"""Captchas, drawn and from files, made a set of labelled cells."""

import zipfile
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from ganbench.data import ImageSet, full_name, load, sources
from ganbench.data.captchas import Captcha, Captchas, Preparation, as_part, prepare_captchas, split, text_of
from ganbench.data.cells import Cells
from ganbench.data.drawn_captchas import ALPHABET, COUNT, captchas, draw_captchas
from ganbench.settings import from_tree
from ganbench.types import UsageError

IMAGES, TEXTS = draw_captchas(24, seed=5)


def write(folder: Path, images: np.ndarray = IMAGES, texts: list[str] = TEXTS) -> Path:
    folder.mkdir()
    for image, text in zip(images, texts, strict=True):
        Image.fromarray(image).save(folder / f"{text}.png")
    return folder


def told(found: Captchas) -> dict[str, str]:
    return {rejection.name: rejection.reason for rejection in found.rejected}


def test_drawn_captchas_follow_from_their_seed() -> None:
    again, texts = draw_captchas(30, seed=5)
    np.testing.assert_array_equal(again[:24], IMAGES)
    assert texts[:24] == TEXTS
    assert (again.shape, again.dtype) == ((30, 24, 72), np.uint8)
    assert draw_captchas(24, seed=6)[1] != TEXTS
    assert len({image.tobytes() for image in again}) == 30


def test_drawn_characters_are_uniform() -> None:
    counts = Counter("".join(draw_captchas(800)[1]))
    assert set(counts) <= set(ALPHABET)
    assert sum((counts[c] - 100) ** 2 / 100 for c in ALPHABET) < 61.1  # chi-squared of 31 degrees of freedom at 0.001


def test_the_built_in_set_is_labelled_cells_of_32_classes() -> None:
    found = captchas(300)
    assert (found.shape, len(found), found.classes) == ((1, 20, 20), 1200, tuple(ALPHABET))
    assert found.fingerprint == captchas(300).fingerprint != captchas(300, seed=1).fingerprint
    assert (found.pixels.max(axis=(1, 2)) > 127).all()
    assert 0.15 < found.pixels.mean() / 255 < 0.5
    assert full_name("captcha") == "captcha"


def test_drawn_cells_can_be_told_apart() -> None:
    """The nearest of other cells has the same label far more often than by chance (0.03)."""
    known, asked = captchas(700, seed=1), captchas(100, seed=2)
    a, b = (images.pixels.reshape(len(images), -1) / 255.0 for images in (asked, known))
    nearest = ((a**2).sum(1)[:, None] - 2 * a @ b.T + (b**2).sum(1)).argmin(axis=1)
    assert known.labels is not None
    assert (known.labels[nearest] == asked.labels).mean() > 0.8


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("2A2X.png", "2A2X"),
        ("some/where/2A2X.PNG", "2A2X"),
        ("2a2x.jpg", "2A2X"),
        ("2A2X_3.png", "2A2X"),
        ("2A2X-12.png", "2A2X"),
        ("2A2X (1).png", "2A2X"),
    ],
)
def test_names_are_texts(name: str, text: str) -> None:
    assert text_of(name, ALPHABET, 4) == text


@pytest.mark.parametrize(
    ("name", "fragment"),
    [
        ("2A2.png", "'2A2' is of 3 characters, not 4"),
        ("2A2XX.png", "5 characters"),
        ("2A2_3.png", "3 characters"),
        ("2A2X_b.png", "6 characters"),
        ("2A0X.png", "'0', which is not in the alphabet"),
        ("2A2ß.png", "'ß', which is not in the alphabet"),
        ("2A X.png", "' ', which is not"),
    ],
)
def test_wrong_names_get_their_reason(name: str, fragment: str) -> None:
    with pytest.raises(UsageError, match=fragment):
        text_of(name, ALPHABET, 4)


def test_the_alphabet_decides_on_case() -> None:
    assert text_of("AbC.png", "abc", 3) == "abc"
    assert text_of("AbC.png", "abcABC", 3) == "AbC"


def packed(folder: Path) -> Path:
    path = folder.with_suffix(".zip")
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(folder.iterdir()):
            archive.write(file, f"inside/{file.name}")
    return path


@pytest.mark.parametrize("zipped", [False, True])
def test_what_is_wrong_is_told_of_each_and_the_rest_goes_on(zipped: bool, tmp_path: Path) -> None:
    folder = write(tmp_path / "raw")
    (folder / "README.md").write_text("captchas")
    (folder / "AAAA.png").write_bytes(b"no image")
    (folder / "BBBB.png").write_bytes((folder / f"{TEXTS[0]}.png").read_bytes()[:200])
    Image.fromarray(IMAGES[0][:, :71]).save(folder / "CCCC.png")
    Image.fromarray(np.full((24, 72), 255, np.uint8)).save(folder / "DDDD.png")
    Image.fromarray(IMAGES[1]).save(folder / f"{TEXTS[1]}_2.png")
    other, third = draw_captchas(2, seed=9)[0]
    Image.fromarray(other).save(folder / "EEEE.png")
    Image.fromarray(other).save(folder / "FFFF.png")
    Image.fromarray(other).save(folder / "HELLO.png")
    Image.fromarray(other).save(folder / "O0O0.png")
    Image.fromarray(third).convert("RGB").save(folder / "gggg.png")
    found = prepare_captchas(str(packed(folder) if zipped else folder), Preparation())
    inside = "inside/" if zipped else ""
    assert told(found) == {
        f"{inside}AAAA.png": "the image cannot be read",
        f"{inside}BBBB.png": "the image cannot be read",
        f"{inside}CCCC.png": "the image is 71 x 24, where most are 72 x 24",
        f"{inside}DDDD.png": "the image cannot be cut: all of the image is of one shade",
        f"{inside}EEEE.png": f"the same picture as {inside}FFFF.png, with another text",
        f"{inside}FFFF.png": f"the same picture as {inside}EEEE.png, with another text",
        f"{inside}HELLO.png": "the name 'HELLO' is of 5 characters, not 4",
        f"{inside}O0O0.png": "the name has 'O', which is not in the alphabet",
        f"{inside}{TEXTS[1]}_2.png": f"the same picture as {inside}{TEXTS[1]}.png",
    }
    assert sorted(c.text for c in (*found.train, *found.test)) == sorted([*TEXTS, "GGGG"])
    grey = next(c for c in (*found.train, *found.test) if c.text == "GGGG")
    np.testing.assert_array_equal(grey.image, third)
    assert len(found.test) == 5


def test_cells_belong_to_their_captchas_and_labels_to_their_cells(tmp_path: Path) -> None:
    found = prepare_captchas(str(write(tmp_path / "raw")), from_tree(Preparation, {"cells": {"cut": "equal"}}))
    part = as_part(found.train, ALPHABET)
    assert part.labels is not None
    for i, (name, text) in enumerate(part.captchas):
        assert name == f"{text}.png"
        own = slice(4 * i, 4 * i + 4)
        np.testing.assert_array_equal(part.pixels[own], Cells(cut="equal").of(IMAGES[TEXTS.index(text)]))
        assert "".join(ALPHABET[label] for label in part.labels[own]) == text


CELLS = np.zeros((4, 20, 20), np.uint8)


def test_cells_that_occur_in_both_parts_are_counted() -> None:
    def captcha(*shades: int) -> Captcha:
        return Captcha("", "", CELLS[0], np.stack([np.full((20, 20), shade, np.uint8) for shade in shades]))

    train, test = [captcha(1, 2, 3, 1), captcha(4, 4, 4, 4)], [captcha(1, 1, 9, 4), captcha(8, 9, 7, 6)]
    found = Captchas(train, test, [])
    assert (found.distinct, found.known) == (8, 3 / 8)
    assert Captchas(train, [], []).known is None


@given(st.lists(st.sampled_from("ABCDEFGH"), min_size=2, max_size=40), st.floats(0, 0.9), st.integers(0, 9))
def test_no_text_is_on_both_sides_of_a_split(letters: list[str], share: float, seed: int) -> None:
    usable = [Captcha(f"{i}.png", 4 * letter, CELLS[0], CELLS) for i, letter in enumerate(letters)]
    how = Preparation(test=share, seed=seed)
    if round(share * len(usable)) >= len(usable):
        return
    train, test = split(usable, how)
    assert sorted([*train, *test], key=lambda c: c.name) == sorted(usable, key=lambda c: c.name)
    assert not {c.text for c in train} & {c.text for c in test}
    assert len(test) <= round(share * len(usable))
    if len(set(letters)) == len(letters):
        assert len(test) == round(share * len(usable))
    assert split(usable, how) == (train, test)


def test_a_split_follows_from_its_seed_and_takes_a_count() -> None:
    usable = [Captcha(f"{text}.png", text, CELLS[0], CELLS) for text in TEXTS]
    first, other = (split(usable, Preparation(test=7, seed=seed))[1] for seed in (0, 1))
    assert (len(first), len(other)) == (7, 7)
    assert [c.text for c in first] != [c.text for c in other]
    assert split(usable, Preparation(test=0)) == (usable, [])
    with pytest.raises(UsageError, match="a test part of 24 leaves nothing to train on of 24 captchas"):
        split(usable, Preparation(test=24))


@pytest.mark.parametrize(
    ("settings", "fragment"),
    [
        ({"alphabet": "AAB"}, "each once, not 'AAB'"),
        ({"alphabet": ""}, "no characters"),
        ({"alphabet": "A B"}, "can be seen"),
        ({"test": -0.1}, "test: "),
        ({"test": 1.5}, "a share below 1 or a whole number of captchas, not 1.5"),
        ({"cells": {"size": 0}}, r"cells\.size: "),
    ],
)
def test_settings_are_checked(settings: dict[str, object], fragment: str) -> None:
    with pytest.raises(UsageError, match=fragment):
        from_tree(Preparation, settings)


def test_nothing_usable_is_one_sentence(tmp_path: Path) -> None:
    folder = tmp_path / "raw"
    write(folder, IMAGES[:3], ["one", "two", "O0O0"])
    (folder / "AAAA.png").write_bytes(b"no image")
    with pytest.raises(UsageError) as told_of:
        prepare_captchas(str(folder), Preparation())
    assert str(told_of.value) == (
        f"{folder}: none of its 4 captchas can be used; 1 unreadable, as AAAA.png: the image cannot be read; "
        "3 wrongly named, as O0O0.png: the name has 'O', which is not in the alphabet"
    )
    with pytest.raises(UsageError, match="2 captchas are left to train on, of 3 that can be used and 0 that cannot"):
        prepare_captchas(str(write(tmp_path / "few", IMAGES[:3], TEXTS[:3])), Preparation())
    with pytest.raises(UsageError, match=r"is no folder and no \.zip file of captchas"):
        prepare_captchas(str(tmp_path / "nothing"), Preparation())
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match="has no images"):
        prepare_captchas(str(tmp_path / "empty"), Preparation())
    (tmp_path / "bad.zip").write_bytes(b"PK nonsense")
    with pytest.raises(UsageError, match=r"no readable \.zip file"):
        prepare_captchas(str(tmp_path / "bad.zip"), Preparation())
    with pytest.raises(UsageError, match="drawn captchas have 4 characters"):
        prepare_captchas("captcha", from_tree(Preparation, {"cells": {"characters": 5}}))


def test_a_folder_with_one_zip_file_and_no_images_stands_for_that(tmp_path: Path) -> None:
    folder = write(tmp_path / "raw")
    (tmp_path / "held").mkdir()
    with zipfile.ZipFile(tmp_path / "held" / "all.zip", "w") as archive:
        for file in sorted(folder.iterdir()):
            archive.write(file, file.name)
    (tmp_path / "held" / "README.md").write_text("what these are")
    found = prepare_captchas(str(tmp_path / "held"), Preparation())
    assert {c.text for c in (*found.train, *found.test)} == set(TEXTS)
    (tmp_path / "held" / "more.zip").write_bytes((tmp_path / "held" / "all.zip").read_bytes())
    with pytest.raises(UsageError, match=r"it holds README\.md, all\.zip, more\.zip"):
        prepare_captchas(str(tmp_path / "held"), Preparation())


def test_the_real_captchas_can_all_be_used(shared_data: Path) -> None:
    source = shared_data / "captcha4" / "captcha4_train.zip"
    found = prepare_captchas(str(source), Preparation())
    assert (len(found.train), len(found.test), found.rejected) == (4000, 1000, [])
    assert not {c.text for c in found.train} & {c.text for c in found.test}
    assert 0.8 < (found.known or 0) < 0.9  # its characters come from a small stock
    assert {"F3PF", "HUCR", "NLXC", "PYZ2"} <= {c.text for c in (*found.train, *found.test)}  # the four in RGB
    a, b = (np.concatenate([c.cells for c in part]).reshape(-1, 400) / 255.0 for part in (found.train[::8], found.test))
    known, asked = ("".join(c.text for c in part) for part in (found.train[::8], found.test))
    nearest = ((b**2).sum(1)[:, None] - 2 * b @ a.T + (a**2).sum(1)).argmin(axis=1)
    assert np.mean([known[i] == c for i, c in zip(nearest, asked, strict=True)]) > 0.95


def test_built_in_captchas_are_loaded_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "captchas", lambda: captchas(50))
    found = load("captcha")
    assert isinstance(found, ImageSet)
    assert (len(found), found.name, found.title) == (200, "captcha", "captcha")
    assert 4 * COUNT == 10_000  # as the list of names says
