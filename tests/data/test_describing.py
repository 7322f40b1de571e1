"""`ganbench data list` and `describe` on images."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ganbench.cli.data import describe, list_
from ganbench.data import BUILT_IN, IMAGE_NAMES
from tests.data.hostile_images import IMAGES, write_pictures


def test_every_name_is_listed(capsys: pytest.CaptureFixture[str]) -> None:
    list_()
    listed = capsys.readouterr().out
    assert {line.split()[0] for line in listed.splitlines()} > {*BUILT_IN, *IMAGE_NAMES, "stacked:DATA", "hub:NAME"}


def test_classes_duplicates_and_losses_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder, pixels = tmp_path / "pets", IMAGES.copy()
    pixels[7] = pixels[8] = pixels[0]
    write_pictures(folder, *(f"{'cat' if i < 15 else 'dog'}/{i:02}.png" for i in range(20)), pixels=pixels)
    (folder / "cat" / "x.png").write_bytes(b"no image")
    describe(str(folder), tmp_path / "new" / "sheet.png")
    told = " ".join(capsys.readouterr().out.split())
    assert f"{folder}: 20 images, 5 x 6, grey" in told
    assert "1 of 21 image files cannot be read: cat/x.png" in told
    assert "duplicates: 2 fingerprint:" in told
    assert "classes: 2, of 5 to 15 images cat 15 dog 5" in told
    with Image.open(tmp_path / "new" / "sheet.png") as sheet:
        assert sheet.mode == "L"
        assert sheet.height > sheet.width > 100  # ten rows of two columns, enlarged


@pytest.mark.parametrize("colours", [(), (3,)])
def test_a_sheet_of_what_has_no_labels(
    colours: tuple[int, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (30, 8, 8, *colours)).astype(np.uint8)
    np.save(tmp_path / "some.npy", pixels)
    describe(str(tmp_path / "some.npy"), tmp_path / "sheet.png")
    told = capsys.readouterr().out
    assert ("RGB" if colours else "grey") in told
    assert "classes" not in told
    assert (tmp_path / "sheet.png").stat().st_size > 500
