"""Doubted labels: confident learning on tables with known answers, and planted errors."""

import csv
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ganbench.data import ImageSet
from ganbench.data.digits import digits
from ganbench.data.relabelling import relabelled, write_labels
from ganbench.metrics.audit import folds_of, out_of_fold, suspects
from ganbench.types import UsageError
from tests.closed_form.test_images_features import stripes

TABLE = np.array([
    [0.9, 0.1, 0.0],
    [0.7, 0.2, 0.1],
    [0.2, 0.8, 0.0],  # of class 0; sharpened 0.94 of class 1, whose threshold is 0.71: doubted
    [0.1, 0.9, 0.0],
    [0.3, 0.7, 0.0],
    [0.6, 0.4, 0.0],  # of class 1; sharpened 0.69 of class 0, whose threshold is 0.65: doubted
    [0.55, 0.45, 0.0],  # of class 2; sharpened 0.60 and 0.40, which reach neither threshold
    [0.05, 0.05, 0.9],
])  # fmt: skip
LABELS = np.array([0, 0, 0, 1, 1, 1, 2, 2])


def test_a_table_with_known_answers() -> None:
    found = suspects(TABLE, LABELS)
    assert found.rows.tolist() == [2, 5]  # by how much the probable class is likelier: 0.6 and 0.2
    assert found.given.tolist() == [0, 1]
    assert found.probable.tolist() == [1, 0]
    assert found.given_confidence.tolist() == [0.2, 0.4]
    assert found.probable_confidence.tolist() == [0.8, 0.6]
    assert found.corrected(LABELS).tolist() == [0, 0, 1, 1, 1, 0, 2, 2]


def test_of_two_classes_that_pass_the_likelier_is_probable() -> None:
    table = np.array([[0.1, 0.4, 0.5, 0.0], [0.7, 0.1, 0.1, 0.1], [0.2, 0.4, 0.3, 0.1], [0.2, 0.3, 0.4, 0.1]])
    found = suspects(table, np.array([0, 0, 1, 2]))
    assert found.rows.tolist() == [0]
    assert found.probable.tolist() == [2]


def test_a_class_without_images_is_never_probable() -> None:
    assert len(suspects(np.array([[0.1, 0.9], [0.2, 0.8]]), np.array([0, 0]))) == 0


@given(arrays(np.float64, (12, 4), elements=st.floats(0.01, 1)), arrays(np.int64, 12, elements=st.integers(0, 3)))
def test_the_rule_holds_for_each_image(raw: np.ndarray, labels: np.ndarray) -> None:
    table = raw / raw.sum(axis=1, keepdims=True)
    found = dict(
        zip(*(x.tolist() for x in (suspects(table, labels).rows, suspects(table, labels).probable)), strict=True)
    )
    sharp = np.array([[p**2 / sum(q**2 for q in row) for p in row] for row in table.tolist()])
    means = {j: np.mean([sharp[i, j] for i in range(12) if labels[i] == j]) for j in set(labels.tolist())}
    assume(all(abs(sharp[i, j] - means[j]) > 1e-9 for i in range(12) for j in means))  # rounding decides no case
    for i in range(12):
        passing = [j for j in means if sharp[i, j] > means[j] and table[i, j] > table[i, labels[i]]]
        assert (i in found) == bool(passing)
        if passing:
            assert table[i, found[i]] == max(table[i, j] for j in passing)


@pytest.mark.parametrize("characters", [1, 4])
def test_folds_are_even_and_keep_strings_together(characters: int) -> None:
    data = stripes(240, classes=5)
    folds = folds_of(data, 3, seed=0, characters=characters)
    assert np.bincount(folds).tolist() == [80, 80, 80]
    assert (folds.reshape(-1, characters) == folds[::characters, None]).all()
    if characters == 1:
        assert (np.bincount(folds * 5 + data.labels) == 16).all()
    assert not np.array_equal(folds, folds_of(data, 3, seed=1, characters=characters))


@pytest.mark.parametrize(("folds", "characters"), [(1, 1), (0, 1), (61, 1), (16, 4)])
def test_impossible_folds_are_refused(folds: int, characters: int) -> None:
    with pytest.raises(UsageError, match="folds"):
        folds_of(stripes(60), folds, 0, characters)
    with pytest.raises(UsageError, match="no labels"):
        folds_of(ImageSet("plain", np.zeros((60, 8, 8), np.uint8)), 2, 0)


def audited(count: int, network: str) -> tuple[float, float, float]:
    """Of digits with 2 % wrong labels: the shares of these and of the right ones that are doubted, and of those found
    the share whose right label is probable."""
    drawn, rng, wrong = digits(count), np.random.default_rng(0), count // 50
    right = drawn.labels
    assert right is not None
    planted = rng.permutation(count)[:wrong]
    labels = right.copy()
    labels[planted] = (labels[planted] + rng.integers(1, 10, wrong)) % 10
    data = ImageSet("planted", drawn.pixels[:, 4:24, 4:24], labels)
    found = suspects(out_of_fold(data, 3, network=network), labels)
    hit = np.isin(found.rows, planted)
    restored = (found.probable == right[found.rows])[hit].mean()
    return hit.sum() / wrong, (~hit).sum() / (count - wrong), float(restored)


def test_planted_errors_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Most of them, by the faster network after few steps."""
    monkeypatch.setattr("ganbench.metrics.classifier_training.LEAST", 100)
    found, flagged, restored = audited(900, "lenet")
    assert found >= 15 / 18
    assert flagged <= 0.01
    assert restored > 0.9


@pytest.mark.slow
def test_an_audit_finds_95_of_100_errors_and_flags_at_most_2_in_1000_right_labels() -> None:
    found, flagged, restored = audited(1500, "small")
    assert found >= 0.95
    assert flagged <= 0.002
    assert restored > 0.9


def test_corrected_labels_come_back_from_their_file(tmp_path: Path) -> None:
    data, path = stripes(20, classes=3), tmp_path / "labels.csv"
    data = ImageSet("named", data.pixels, data.labels, ('a,"b', "ü", "NA"))
    better = np.roll(data.labels, 1)  # type: ignore[arg-type]
    files = [f"{i},.png" for i in range(20)]
    write_labels(path, data, better, files)
    with open(path, encoding="utf-8") as file:  # a spreadsheet writes anew what looks like a number
        assert all(re.fullmatch("x[0-9a-f]{12}", line["image"]) for line in csv.DictReader(file))
    back = relabelled(data, path, files)
    assert np.array_equal(back.labels, better)  # type: ignore[arg-type]
    assert back.classes == data.classes
    path.write_text("row,file,image,label\n3,,,NA\n", encoding="utf-8-sig")
    assert np.flatnonzero(relabelled(data, path).labels != data.labels).tolist() == [3]


def test_a_list_of_other_data_is_refused_with_the_line_that_differs(tmp_path: Path) -> None:
    data, path = stripes(20, classes=3), tmp_path / "labels.csv"
    assert data.labels is not None
    files = [f"{i:02}.png" for i in range(20)]
    write_labels(path, data, data.labels, files)
    order = np.insert(np.arange(20), 7, 19)  # a file was added before the eighth
    grown = data.take(order)
    with pytest.raises(UsageError, match=r"line 9: row 7 is another image in stripes; the list is of other data"):
        relabelled(grown, path)
    with pytest.raises(UsageError, match=r"line 9: row 7 is 07\.png, and in stripes it is 06b\.png"):
        relabelled(data.take(order), path, [*files[:7], "06b.png", *files[7:]])
    with pytest.raises(UsageError, match="line 2: row 0 is another image"):
        relabelled(stripes(20, classes=3, seed=1), path)
    assert np.array_equal(relabelled(data.take(np.append(np.arange(20), 0)), path).labels[:20], data.labels)  # type: ignore[index]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "no rows"),
        (b"row,file,image,label\n", "no rows"),
        (b"row,file,label\n1,,1\n", "'image' is missing"),
        (b"image,name\n1,2\n", "'row' is missing"),
        (b"row,file,image,label\n0,,,1\n20,,,1\n", "line 3: row '20'"),
        (b"row,file,image,label\n-1,,,1\n", "row '-1'"),
        ("row,file,image,label\n²,,,1\n".encode(), "row '²'"),
        (b"row,file,image,label\n" + 5000 * b"1" + b",,,1\n", "line 2: row '1111"),
        (b"row,file,image,label\n1\n", "line 2"),
        (b"row,file,image,label\n1,,,7\n", "unknown class '7'"),
        (b"row,file,image,label\n1,,,\xff\n", "UTF-8"),
    ],
)
def test_damaged_lists_of_labels_are_refused(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "labels.csv"
    path.write_bytes(content)
    with pytest.raises(UsageError, match=said.replace("²", ".")):
        relabelled(stripes(20), path)
