"""Clusters of images as labels: planted ones are found, and a generator is told them."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ganbench.configuration import configure
from ganbench.data import ImageSet, load_points
from ganbench.data.clusters import clustered, require_clusters
from ganbench.types import UsageError
from ganbench.workbench import Workbench
from tests.cli.conftest import ganbench  # noqa: F401  the fixture


def planted(sizes: list[int], noise: int = 8, seed: int = 0) -> tuple[ImageSet, np.ndarray]:
    """So many images around each of some random ones, in random order, and which each is around."""
    rng = np.random.default_rng(seed)
    centres = rng.integers(0, 256, (len(sizes), 12, 12))
    kinds = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))
    pixels = centres[kinds] + rng.integers(-noise, noise + 1, (len(kinds), 12, 12))
    return ImageSet("planted", pixels.clip(0, 255).astype(np.uint8)), kinds


@settings(deadline=None, max_examples=20)
@given(st.lists(st.integers(10, 40), min_size=2, max_size=6, unique=True), st.integers(0, 99))
def test_planted_clusters_are_found_the_largest_first(sizes: list[int], seed: int) -> None:
    images, kinds = planted(sizes, seed=seed)
    found = clustered(images, len(sizes))
    by_size = sorted(range(len(sizes)), key=lambda kind: -sizes[kind])
    assert found.classes == tuple(f"cluster {i}" for i in range(len(sizes)))
    assert found.labels is not None
    assert np.array_equal(np.array(by_size)[found.labels], kinds)
    assert np.array_equal(found.pixels, images.pixels)


def test_they_follow_from_the_images_alone() -> None:
    images, kinds = planted([30, 20, 25], noise=60)
    labelled = ImageSet("planted", images.pixels, kinds)
    a, b = (clustered(each, 7) for each in (images, labelled))
    assert np.array_equal(a.labels, b.labels)  # type: ignore[arg-type]


def test_copies_make_no_clusters_of_their_own() -> None:
    images = ImageSet("copies", np.repeat(planted([1, 1, 1], noise=0)[0].pixels, 20, axis=0))
    assert len(clustered(images, 10).classes) == 3


def test_too_many_clusters_and_points_are_refused() -> None:
    with pytest.raises(UsageError, match="clusters: 20 of them, where planted has 30 images, need two each"):
        require_clusters(planted([15, 15])[0], 20)
    with pytest.raises(UsageError, match="clusters: they stand for labels of images, and moons holds points"):
        Workbench(configure("gan", "moons", changes=[("clusters", 4)]), load_points("moons"))


def test_a_generator_is_told_clusters_and_measured_by_what_the_images_are() -> None:
    """Also of images that have labels, which it does not see; those that are read are then no answer to a label."""
    images, kinds = planted([40, 30, 50], noise=60)
    changes = [("clusters", 6), ("rounds", 2), ("features", "own-cnn"), ("measure.count", 32), ("measure.final", 32)]
    for data in (images, ImageSet("planted", images.pixels, kinds)):
        chosen = [each for each in changes if data.labels is not None or each[0] != "features"]
        bench = Workbench(configure("best", "planted", changes=chosen, medium="images"), data)
        assert [report.round for report in bench.play()] == [1, 2]
        asked = bench.labels(1000)
        assert bench.conditional
        assert asked is not None
        shares = np.bincount(asked, minlength=6) / 1000
        told = np.bincount(clustered(data, 6).labels, minlength=6) / 120  # type: ignore[arg-type]
        assert shares == pytest.approx(told, abs=0.06)
        assert bench.sample(6, labels=np.arange(6)).shape == (6, 12, 12)
        assert "label_accuracy" not in bench.measure()


def test_a_run_with_clusters_is_sampled_by_cluster(ganbench: Callable, tmp_path: Path) -> None:  # noqa: F811
    np.save(tmp_path / "images.npy", planted([40, 30, 50], noise=60)[0].pixels)
    words = ["train", "best", "--data", "images.npy", "--set", "clusters=5", "--set", "measure.count=32"]
    words += ["--set", "measure.final=32", "--out", "run"]
    assert ganbench(*words, "--rounds", "4").code == 0
    assert ganbench("sample", "run", "--labels", "0,4", "--count", "4", "--out", "some.npz").code == 0
    refused = ganbench("sample", "run", "--labels", "5", "--out", "other.npz")
    assert refused.code == 2
    assert "unknown label '5'" in refused.err
