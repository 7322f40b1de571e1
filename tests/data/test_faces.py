"""Photographs made a prepared set: what is taken of each, what is refused, and going on after an interruption."""

import json
import os
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from ganbench.data import faces, load
from ganbench.data.batches import Batches
from ganbench.data.faces import Faces, prepare_faces
from ganbench.data.images import Images
from ganbench.data.prepared import read_prepared, verify
from ganbench.data.stored import Stored
from ganbench.types import UsageError

RNG = np.random.default_rng(0)


@pytest.fixture
def photographs(tmp_path: Path) -> Path:
    """Twenty of two sizes in two folders, one damaged, one in grey."""
    folder = tmp_path / "photographs"
    for i in range(20):
        size = (178, 218) if i % 2 else (60, 40)
        picture = Image.fromarray(RNG.integers(0, 256, (*size[::-1], 3)).astype(np.uint8))
        path = folder / ("ann" if i < 10 else "bob") / f"{i:06d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        (picture.convert("L") if i == 4 else picture).save(path)
    (folder / "bob" / "000013.png").write_bytes(b"no picture")
    return folder


@given(st.integers(1, 400), st.integers(1, 400))
def test_the_largest_square_from_the_middle(width: int, height: int) -> None:
    left, top, right, bottom = Faces(crop="none").box(width, height)
    assert right - left == bottom - top == min(width, height)
    assert (left + right, top + bottom) == (width, height)


@pytest.mark.parametrize("crop", ["", "12", "0x5", "axb", "5x5+1", "5x5-1-1", "5 x 5"])
def test_crops_that_are_none(crop: str) -> None:
    with pytest.raises(UsageError, match="WIDTHxHEIGHT"):
        Faces(crop=crop)


def test_what_is_taken_is_what_pillow_takes(photographs: Path, tmp_path: Path) -> None:
    made = prepare_faces(photographs, Faces(size=16), tmp_path / "set", jobs=1)
    assert (made.images, [each.name for each in made.rejected], made.made) == (19, ["bob/000013.png"], True)
    found = load(tmp_path / "set")
    assert found.shape == (3, 16, 16)
    assert found.labels is None  # folders of persons are no classes
    celebas = Image.open(photographs / "ann" / "000001.png").crop((15, 35, 163, 183))
    expected = np.asarray(celebas.resize((16, 16), Image.Resampling.LANCZOS))
    inner = (slice(1, -1), slice(1, -1))  # at the edges the filter also sees what lies beyond the crop
    assert abs(found.pixels[1][inner].astype(int) - expected[inner]).max() <= 3  # type: ignore[union-attr]
    assert (found.pixels[4] == found.pixels[4][..., :1]).all()  # type: ignore[union-attr]
    assert (tmp_path / "set" / "images.csv").read_text().splitlines()[2] == "ann/000001.png"
    assert "bob/000013.png" in (tmp_path / "set" / "rejected.csv").read_text()
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_a_zip_file_gives_the_same(photographs: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        for path in photographs.rglob("*.png"):
            archive.write(path, path.relative_to(photographs))
    prepare_faces(photographs, Faces(size=8), tmp_path / "one", jobs=1)
    prepare_faces(tmp_path / "all.zip", Faces(size=8), tmp_path / "other", jobs=1)
    assert read_prepared(tmp_path / "one").fingerprint == read_prepared(tmp_path / "other").fingerprint


def test_names_in_a_zip_file_may_begin_with_a_dot(photographs: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        for path in photographs.rglob("*.png"):
            member = zipfile.ZipInfo(f"./{path.relative_to(photographs)}")
            archive.writestr(member, path.read_bytes())
    assert prepare_faces(tmp_path / "all.zip", Faces(size=8), tmp_path / "set", jobs=1).images == 19
    assert load(tmp_path / "all.zip", Images(size=8)).shape == (3, 8, 8)


@pytest.mark.skipif(sys.platform != "linux", reason="names of files are text elsewhere")
def test_a_name_that_is_no_text_is_kept_as_an_escape(photographs: Path, tmp_path: Path) -> None:
    first = photographs / "ann" / "000000.png"
    os.rename(os.fsencode(first), os.fsencode(first.parent) + b"/\xe9.png")
    os.rename(os.fsencode(photographs / "bob" / "000013.png"), os.fsencode(photographs / "bob") + b"/\xe8.png")
    made = prepare_faces(photographs, Faces(size=8), tmp_path / "set", jobs=1)
    assert (made.images, [each.name for each in made.rejected]) == (19, ["bob/\\udce8.png"])
    assert "ann/\\udce9.png" in (tmp_path / "set" / "images.csv").read_text()
    assert not prepare_faces(photographs, Faces(size=8), tmp_path / "set", jobs=1).made


@pytest.mark.parametrize("change", ["more", "fewer", "unlisted"])
def test_a_set_of_other_files_is_not_taken_for_this_one(change: str, photographs: Path, tmp_path: Path) -> None:
    prepare_faces(photographs, Faces(size=8), tmp_path / "set", jobs=1)
    assert not prepare_faces(photographs, Faces(size=8), tmp_path / "set", jobs=1).made
    first = photographs / "ann" / "000000.png"
    if change == "more":
        first.with_name("new.png").write_bytes(first.read_bytes())
    elif change == "fewer":
        first.unlink()
    else:
        (tmp_path / "set" / "images.csv").unlink()
    with pytest.raises(UsageError, match=r"(name|into) a new folder"):
        prepare_faces(photographs, Faces(size=8), tmp_path / "set", jobs=1)


@pytest.mark.parametrize("after", [1, 2, 4])
def test_it_goes_on_after_an_interruption(
    after: int, photographs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The files that were done are not opened again, and the set is the same."""
    prepare_faces(photographs, Faces(size=8), tmp_path / "whole", jobs=1)
    monkeypatch.setattr(faces, "SHARD", 4)
    monkeypatch.setattr(faces, "PIECE", 4)
    noted, original = 0, faces._note

    def interrupted(*words: object) -> None:
        nonlocal noted
        original(*words)  # type: ignore[arg-type]
        noted += 1
        if noted == after:
            raise KeyboardInterrupt

    monkeypatch.setattr(faces, "_note", interrupted)
    with pytest.raises(KeyboardInterrupt):
        prepare_faces(photographs, Faces(size=8), tmp_path / "set", jobs=1)
    assert not (tmp_path / "set").exists()
    for path in sorted(photographs.rglob("*.png"))[: 4 * after]:
        path.write_bytes(b"gone meanwhile")
    prepare_faces(photographs, Faces(size=8), tmp_path / "set", jobs=1)
    whole, again = (json.loads((tmp_path / name / "prepared.json").read_text()) for name in ("whole", "set"))
    assert again["parts"] == whole["parts"]


@pytest.mark.parametrize("left", [0, 128, 700])
def test_pixels_that_were_lost_are_made_again(
    left: int, photographs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after a power cut; they would be black images that no hash tells from right ones."""
    prepare_faces(photographs, Faces(size=8), tmp_path / "whole", jobs=1)
    monkeypatch.setattr(faces, "SHARD", 4)
    monkeypatch.setattr(faces, "PIECE", 4)
    with monkeypatch.context() as patched:
        patched.setattr(faces, "_as_array", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            prepare_faces(photographs, Faces(size=8), tmp_path / "set", jobs=1)
    os.truncate(tmp_path / ".set.partial" / "train-images.npy", left)
    prepare_faces(photographs, Faces(size=8), tmp_path / "set", jobs=1)
    found, whole = (read_prepared(tmp_path / name).pixels for name in ("set", "whole"))
    np.testing.assert_array_equal(found, whole)


def test_an_attribute_of_celebas_list_is_the_label(photographs: Path, tmp_path: Path) -> None:
    rows = [f"{i:06d}.png {'1' if i % 3 else '-1'} -1" for i in range(20)]
    attributes = photographs / "list_attr_celeba.txt"
    attributes.write_text("\n".join(["20", "Smiling Male", *rows]))
    prepare_faces(photographs, Faces(size=8, attribute="Smiling"), tmp_path / "set", jobs=1)
    found = load(tmp_path / "set")
    assert found.classes == ("not Smiling", "Smiling")
    np.testing.assert_array_equal(found.labels, [int(i % 3 > 0) for i in range(20) if i != 13])
    with pytest.raises(UsageError, match="'Male'"):
        prepare_faces(photographs, Faces(attribute="Mael"), tmp_path / "other", jobs=1)
    attributes.write_text("\n".join(["20", "Smiling Male", *rows[:5]]))
    with pytest.raises(UsageError, match="are not in list_attr_celeba"):
        prepare_faces(photographs, Faces(attribute="Male"), tmp_path / "other", jobs=1)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["photographs", "set"]
    made = prepare_faces(photographs, Faces(size=8), tmp_path / "none", jobs=1)
    assert made.attributes == 0
    assert made.unusable.startswith("15 files are not in")
    assert load(tmp_path / "none").annotations is None


@pytest.mark.parametrize("kind", ["in", "beside", "zip", "table"])
def test_all_attributes_of_celebas_list_are_kept(photographs: Path, tmp_path: Path, kind: str) -> None:
    has = np.random.default_rng(1).random((20, 3)) < 0.5
    rows = [[f"{i:06d}.png", *("1" if each else "-1" for each in has[i])] for i in range(20)]
    if kind == "table":
        text = "\n".join(map(",".join, [["image_id", "Smiling", "Male", "Young"], *rows]))
        (photographs / "list_attr_celeba.csv").write_text(text)
    else:
        place = tmp_path if kind == "beside" else photographs
        (place / "list_attr_celeba.txt").write_text("\n".join(["20", "Smiling Male Young", *map(" ".join, rows)]))
    source = photographs
    if kind == "zip":
        source = tmp_path / "photographs.zip"
        with zipfile.ZipFile(source, "w") as archive:
            for path in photographs.rglob("*.*"):
                archive.write(path, Path("celeba") / path.relative_to(photographs))
    for made in (True, False):
        done = prepare_faces(source, Faces(size=8), tmp_path / "set", jobs=1)
        assert (done.attributes, done.unusable, done.made) == (3, "", made)
    found = load(tmp_path / "set")
    assert found.labels is None
    order = np.array([18, 2, 5])
    for images, rows_of in ((found, [i for i in range(20) if i != 13]), (found.take(order), [19, 2, 5])):
        assert images.annotations is not None
        assert images.annotations.names == ("Smiling", "Male", "Young")
        np.testing.assert_array_equal(images.annotations.present, has[rows_of])


def test_the_list_beside_the_folder_at_hand_is_found(
    photographs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [f"{i:06d}.png 1" for i in range(20)]
    (tmp_path / "list_attr_celeba.txt").write_text("\n".join(["20", "Smiling", *rows]))
    monkeypatch.chdir(photographs)
    assert prepare_faces(Path("."), Faces(size=8), tmp_path / "set", jobs=1).attributes == 1


@pytest.mark.parametrize("kind", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_list_that_cannot_be_taken_out_of_a_zip_file_is_told(photographs: Path, tmp_path: Path, kind: int) -> None:
    source = tmp_path / "all.zip"
    with zipfile.ZipFile(source, "w") as archive:
        archive.writestr("list_attr_celeba.txt", "1\nSmiling\n" + "000000.png 1\n" * 200, kind)
        for path in photographs.rglob("*.png"):
            archive.write(path, path.relative_to(photographs))
        start = archive.getinfo("list_attr_celeba.txt").header_offset + 30 + len("list_attr_celeba.txt")
    content = bytearray(source.read_bytes())
    content[start + 4 : start + 20] = bytes(each ^ 0xFF for each in content[start + 4 : start + 20])
    source.write_bytes(content)
    assert "cannot be read: " in prepare_faces(source, Faces(size=8), tmp_path / "set", jobs=1).unusable


def test_two_files_of_a_zip_file_that_are_called_the_same_are_refused(photographs: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        for path in photographs.rglob("*.png"):
            archive.write(path, path.relative_to(photographs))
        archive.writestr("./ann/000003.png", b"another")
    with pytest.raises(UsageError, match=r"holds ann/000003\.png twice"):
        prepare_faces(tmp_path / "all.zip", Faces(size=8), tmp_path / "set", jobs=1)


@pytest.mark.parametrize("row", ["000000.png 1", "000000.png 1 0", "000000.png 1 -1 1"])
def test_a_damaged_list_of_attributes_is_told_before_the_work(photographs: Path, tmp_path: Path, row: str) -> None:
    (photographs / "list_attr_celeba.txt").write_text(f"1\nSmiling Male\n{row}\n")
    with pytest.raises(UsageError, match="is damaged"):
        prepare_faces(photographs, Faces(size=8, attribute="Male"), tmp_path / "set", jobs=1)
    assert "is damaged" in prepare_faces(photographs, Faces(size=8), tmp_path / "set", jobs=1).unusable


def test_attributes_that_came_later_are_told(photographs: Path, tmp_path: Path) -> None:
    prepare_faces(photographs, Faces(size=8), tmp_path / "set", jobs=1)
    rows = [f"{i:06d}.png 1" for i in range(20)]
    (photographs / "list_attr_celeba.txt").write_text("\n".join(["20", "Smiling", *rows]))
    with pytest.raises(UsageError, match="without the attributes"):
        prepare_faces(photographs, Faces(size=8), tmp_path / "set", jobs=1)


def test_two_do_not_prepare_the_same(photographs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Until the folder has its name."""
    original = faces.publish

    def second(*words: object) -> bool:
        with pytest.raises(UsageError, match="another process is at work"):
            prepare_faces(photographs, Faces(size=8), tmp_path / "set", jobs=1)
        return original(*words)  # type: ignore[arg-type]

    monkeypatch.setattr(faces, "publish", second)
    assert prepare_faces(photographs, Faces(size=8), tmp_path / "set", jobs=1).made


def test_a_map_gives_the_very_batches_that_memory_does(photographs: Path, tmp_path: Path) -> None:
    prepare_faces(photographs, Faces(size=8), tmp_path / "set", jobs=1)
    found = read_prepared(tmp_path / "set")
    assert isinstance(found.pixels, np.memmap)
    in_memory = Batches(found.things(), size=7, seed=3)  # type: ignore[arg-type]
    on_disk = Batches(Stored(found.pixels), size=7, seed=3)
    for index in (0, 1, 5, 2):
        assert (in_memory[index].x == on_disk[index].x).all()
    grey = np.load(_grey(tmp_path), mmap_mode="r")
    assert Stored(grey)[in_memory._permutation(0)[:3]].shape == (3, 1, 8, 8)


def _grey(folder: Path) -> Path:
    np.save(folder / "grey.npy", RNG.integers(0, 256, (19, 8, 8)).astype(np.uint8))
    return folder / "grey.npy"


def test_a_set_that_is_too_large_stays_on_the_disk(
    photographs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare_faces(photographs, Faces(size=8), tmp_path / "set", jobs=1)
    monkeypatch.setattr("ganbench.data.stored.memory", lambda: 4 * 19 * 8 * 8 * 3 - 1)
    found = load(tmp_path / "set")
    assert isinstance(found.things(), Stored)  # type: ignore[union-attr]
    with pytest.raises(UsageError, match="prepare them again"):
        load(tmp_path / "set", Images(size=16))
    assert verify(tmp_path / "set") > 19 * 8 * 8 * 3


@pytest.mark.skipif(sys.platform == "win32", reason="there are no process groups")
def test_ctrl_c_ends_it_with_a_sentence_and_it_goes_on(tmp_path: Path) -> None:
    """Sent to all processes, as a terminal does, while those that cut are being started."""
    source, out = tmp_path / "photographs", tmp_path / "set"
    source.mkdir()
    for i in range(2000):
        Image.new("RGB", (40, 40), (i % 256, 0, 0)).save(source / f"{i:06d}.png")
    words = [sys.executable, "-m", "ganbench", "data", "prepare", "faces", str(source), "--out", str(out)]
    words += ["--size", "16", "--jobs", "2"]
    with subprocess.Popen(words, stderr=subprocess.PIPE, text=True, start_new_session=True) as preparing:
        deadline = time.monotonic() + 60
        while not (tmp_path / ".set.partial" / "train-images.npy").exists():
            assert time.monotonic() < deadline
            time.sleep(0.05)
        time.sleep(0.5)
        os.killpg(preparing.pid, signal.SIGINT)
        _, said = preparing.communicate(timeout=60)
    assert preparing.returncode == 1
    assert said.strip().endswith("ganbench: interrupted: the same command goes on")
    assert "Traceback" not in said
    assert subprocess.run(words, capture_output=True, check=False).returncode == 0
    red = load(out).pixels[:, 8, 8, 0]  # type: ignore[union-attr]
    np.testing.assert_array_equal(red, np.arange(2000) % 256)  # in the order of the names, whichever process cut it
