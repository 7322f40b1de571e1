"""Linear probes: what they read, and that directions are judged by them."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import mannwhitneyu

from ganbench.data.images import Annotations, ImageSet
from ganbench.explore import Attributes, Subject, explore
from ganbench.explore.probes import area_under_curve, fit_probes
from ganbench.metrics.random_conv import RandomConv
from tests.explore.made import NOISE, Stroke

SIDE, COUNT = 16, 400


def squares(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Images of a square in noise; whether it is large, whether it is on the left, and a coin that nothing shows."""
    rng = np.random.default_rng(seed)
    has = rng.random((COUNT, 3)) < (0.5, 0.2, 0.5)
    pixels = rng.integers(0, 60, (COUNT, SIDE, SIDE)).astype(np.uint8)
    for image, (large, left, _) in zip(pixels, has, strict=True):
        side, start = (6, 1 if left else 9) if large else (3, 2 if left else 11)
        image[5 : 5 + side, start : start + side] = 200
    return pixels, has


def annotated(seed: int = 0) -> ImageSet:
    pixels, has = squares(seed)
    return ImageSet("squares", pixels, annotations=Annotations(("large", "left", "coin"), has))


def test_what_can_be_seen_is_read_and_what_cannot_is_left_out() -> None:
    probes = fit_probes(annotated(), RandomConv())
    assert probes is not None
    assert probes.names == ("large", "left")
    assert (probes.areas > 0.95).all()
    pixels, has = squares(seed=1)  # images that the probes were not fitted on
    scores = probes(RandomConv()(pixels).features)
    for place in range(2):
        assert area_under_curve(scores[:, place], has[:, place]) > 0.95


def test_there_are_no_probes_where_nothing_can_be_read() -> None:
    data = annotated()
    assert data.annotations is not None
    coin = Annotations(("coin", "all"), np.stack([data.annotations.present[:, 2], np.ones(COUNT, bool)], axis=1))
    for annotations in (None, coin):
        assert fit_probes(replace(data, annotations=annotations), RandomConv()) is None


@given(st.lists(st.tuples(st.integers(-3, 3), st.booleans()), min_size=1, max_size=40))
def test_the_area_under_the_curve_is_the_rank_sum_of_scipy(pairs: list[tuple[int, bool]]) -> None:
    scores, has = np.array([float(score) for score, _ in pairs]), np.array([each for _, each in pairs])
    found = area_under_curve(scores, has)
    if has.all() or not has.any():
        assert found == 0
    else:
        assert found == pytest.approx(mannwhitneyu(scores[has], scores[~has]).statistic / has.sum() / (~has).sum())


def test_a_direction_is_named_by_an_attribute_of_the_data() -> None:
    subject = Subject.of_module("stroke", Stroke(), NOISE)
    latent = subject.latents(COUNT, 5)
    pixels, z = subject.images(latent), latent.z.numpy()
    has = np.stack([z[:, 1] > 0, np.random.default_rng(0).random(COUNT) < 0.5], axis=1)
    data = ImageSet("strokes", pixels, annotations=Annotations(("leans", "coin"), has))
    attributes = Attributes.of_data(data, "random-conv")
    assert "coin" not in attributes.names(colour=False)
    found = explore(subject, attributes, "supervised", 2)
    place = found.judgement.attributes.index("leans")
    along = np.abs(found.directions.vectors[:, 1]).argmax()  # the direction of the leaning axis
    assert abs(found.directions.vectors[along, 1]) > 0.95
    assert found.judgement.names[along] in ("leans", "slant")
    assert found.judgement.found.steadiness[along, place] == 1
