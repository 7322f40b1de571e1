"""Recognisers: the networks, what is counted of their readings, and the shares with their intervals."""

from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load_file
from scipy.stats import binomtest

from ganbench.data import ImageSet
from ganbench.data.cells import Cells
from ganbench.data.digits import digits
from ganbench.metrics import ImageRuler, features_for
from ganbench.metrics.classifier import Classifier, read_classifier, save_classifier, write_classifier
from ganbench.metrics.classifier_networks import NETWORKS, LeNet, Network
from ganbench.metrics.classifier_training import balanced, train_classifier
from ganbench.metrics.features import WEIGHTS, Trained
from ganbench.metrics.recognition import Recognition, Share, recognise
from ganbench.types import UsageError
from tests.closed_form.test_images_features import stripes


def parameters(network: Network) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def test_lenet_has_the_thesis_parameters() -> None:
    assert parameters(LeNet((1, 20, 20), 32)) == 20 * (25 + 1) + 50 * (20 * 25 + 1) + 500 * (200 + 1) + 32 * (500 + 1)


@pytest.mark.parametrize("shape", [(1, 28, 28), (3, 16, 23)])
def test_lenet_reads_images_of_other_sizes(shape: tuple[int, int, int]) -> None:
    assert LeNet(shape, 10)(torch.zeros(2, *shape)).shape == (2, 10)


def test_lenet_refuses_what_its_layers_leave_nothing_of() -> None:
    with pytest.raises(UsageError, match="16 x 16"):
        train_classifier(stripes(20, (15, 40)), network="lenet")


@pytest.mark.parametrize("name", ["mnist-cnn", "fashion-mnist-cnn", "digits-cnn"])
def test_shipped_weights_give_the_features_that_their_layers_say(name: str) -> None:
    """The layers written out once more, from the tensors alone."""
    path = WEIGHTS / f"{name}.safetensors"
    w, images = load_file(path), digits(50)
    x = torch.tensor(images.pixels[:, None]).float() / 127.5 - 1
    for i, halved in enumerate((True, True, False, False)):
        x = F.relu(F.conv2d(x, w[f"convolutions.{i}.weight"], w[f"convolutions.{i}.bias"], padding=1))
        x = F.max_pool2d(x, 2) if halved else x
    expected = F.relu(F.linear(F.adaptive_avg_pool2d(x, 2).flatten(1), w["hidden.weight"], w["hidden.bias"]))
    assert read_classifier(path)(images.pixels).features == pytest.approx(expected.numpy(), abs=1e-4)


@given(st.integers(1, 3000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), st.floats(0.5, 0.999))
def test_intervals_are_scipys_exact_ones(counts: tuple[int, int], level: float) -> None:
    expected = binomtest(*counts).proportion_ci(level, method="exact")
    assert Share(*counts).interval(level) == pytest.approx((expected.low, expected.high), abs=1e-9)


@pytest.mark.parametrize("n", [1, 50, 4000])
def test_intervals_of_none_wrong_are_known(n: int) -> None:
    assert Share(n, n).interval() == pytest.approx((0.025 ** (1 / n), 1))


def test_strings_are_right_where_all_of_their_characters_are() -> None:
    given_, read = np.array([0, 1, 2, 0, 1, 2]), np.array([0, 1, 2, 0, 2, 1])
    found = Recognition(given_, read, np.array([1, 1, 1, 1, 0.5, 0.9]), ("a", "b", "c"), characters=3)
    assert (found.accuracy, found.strings) == (Share(4, 6), Share(1, 2))
    assert [(i, j, rows.tolist()) for i, j, rows in found.pairs()] == [(1, 2, [4]), (2, 1, [5])]
    assert Recognition(given_, read, found.confidence, found.classes).strings is None


@pytest.fixture(scope="module")
def reader() -> Classifier:
    """Reads where the bright row is."""
    return train_classifier(stripes(120, classes=3), steps=60)


def test_a_network_that_knows_more_classes_in_another_order_reads_by_name(tmp_path: Path) -> None:
    """Of images named b, c and a by a network of a, b, c and d: labels, probabilities, and what the data lack."""
    data = stripes(160, classes=4)
    trained = train_classifier(ImageSet("four", data.pixels, data.labels, tuple("abcd")), steps=80)
    path = tmp_path / "four.safetensors"
    save_classifier(trained, path)
    seen = stripes(60, classes=4, seed=1)
    assert seen.labels is not None
    three = seen.take(np.flatnonzero(seen.labels < 3))
    named = ImageSet("three", three.pixels, (three.labels + 2) % 3, tuple("bca"))  # type: ignore[operator]
    features = features_for(named, str(path))
    assert isinstance(features, Trained)
    assert np.mean(features(named.pixels).labels == named.labels) == recognise(trained, named).accuracy.value > 0.9
    assert np.mean(features.probabilities(named.pixels).argmax(axis=1) == named.labels) > 0.9
    others = seen.pixels[seen.labels == 3]
    assert np.mean(features(others).labels == 3) > 0.9  # d, beyond the data's own
    found = ImageRuler(named, 20, features).measure(others[np.arange(22) % 15])
    assert found["modes"] <= 1
    assert found["label_kl"] > 2


def test_labels_without_names_are_numbers_of_classes(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    data = stripes(120, classes=3)
    trained = train_classifier(ImageSet("named", data.pixels, data.labels, tuple("abc")), steps=60)
    assert recognise(trained, data).accuracy.value > 0.9
    save_classifier(trained, tmp_path / "abc.safetensors")
    assert features_for(data, str(tmp_path / "abc.safetensors"))(data.pixels).labels is not None
    assert capsys.readouterr().err == ""
    named = ImageSet("named", data.pixels, data.labels, tuple("abc"))
    assert recognise(train_classifier(data, steps=60), named).accuracy.value > 0.9
    other = ImageSet("other", data.pixels, data.labels, tuple("xyz"))
    assert features_for(other, str(tmp_path / "abc.safetensors"))(data.pixels).labels is None
    assert "abc does not read the labels of other: what is read" in capsys.readouterr().err


def test_labels_are_compared_by_name(reader: Classifier) -> None:
    """The same images under other numbers are read as well."""
    data = stripes(60, classes=3, seed=1)
    turned = ImageSet("turned", data.pixels, 2 - data.labels, ("2", "1", "0"))  # type: ignore[operator]
    assert recognise(reader, data).accuracy == recognise(reader, turned).accuracy
    assert recognise(reader, data, 3).accuracy.value > 0.9


@pytest.mark.parametrize(
    ("data", "characters", "said"),
    [
        (ImageSet("plain", np.zeros((6, 12, 10), np.uint8)), 1, "no labels"),
        (stripes(6, classes=4), 1, "class '3'"),
        (stripes(8, classes=3), 3, "whole strings"),
        (stripes(6, (10, 12), classes=3), 1, "12 x 10 pixels, grey, where the classifier reads 10 x 12"),
    ],
)
def test_what_cannot_be_compared_is_refused(reader: Classifier, data: ImageSet, characters: int, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        recognise(reader, data, characters)


@pytest.mark.parametrize("network", NETWORKS)
def test_a_file_keeps_all_that_reading_needs(network: str, tmp_path: Path) -> None:
    data, cells = stripes(40, (20, 20)), Cells(cut="equal", threshold=99, characters=5)
    trained = train_classifier(data, network=network, steps=3)
    told = Classifier(trained.network, trained.shape, trained.classes, trained.data, cells=cells)
    (tmp_path / "f.safetensors").write_bytes(write_classifier(told))
    back = read_classifier(tmp_path / "f.safetensors")
    assert (back.network.name, back.cells) == (network, cells)
    assert np.array_equal(back.probabilities(data.pixels), trained.probabilities(data.pixels))
    assert back.probabilities(data.pixels).sum(axis=1) == pytest.approx(1)


@pytest.mark.parametrize("count", [2, 7, 30, 41, 60])
def test_draws_are_balanced_as_far_as_the_classes_go(count: int) -> None:
    labels = np.array([0] * 40 + [1] * 15 + [2] * 5)
    data = ImageSet("uneven", np.arange(60, dtype=np.uint8)[:, None, None] + np.zeros((1, 4, 4), np.uint8), labels)
    drawn = balanced(data, count, seed=1)
    counts = np.bincount(drawn.labels, minlength=3)  # type: ignore[arg-type]
    level = next(m for m in range(61) if np.minimum([40, 15, 5], m).sum() >= count)
    assert counts.sum() == count
    assert (counts <= np.minimum([40, 15, 5], level)).all()
    assert (counts >= np.minimum([40, 15, 5], level - 1)).all()
    assert len(np.unique(drawn.pixels[:, 0, 0])) == count
    assert drawn.fingerprint == balanced(data, count, seed=1).fingerprint != balanced(data, count, seed=2).fingerprint


@pytest.mark.parametrize("count", [1, 61, -3])
def test_impossible_draws_are_refused(count: int) -> None:
    with pytest.raises(UsageError, match="from 2 to 60"):
        balanced(stripes(60), count)


def test_steps_are_what_is_asked_for() -> None:
    shares: list[float] = []
    train_classifier(stripes(130), watch=shares.append, steps=7)  # 130 leave a batch of 2
    assert len(shares) == 7
    assert shares[-1] == 1
    train_classifier(stripes(129), watch=shares.append, steps=3)  # 129 one of 1, which is passed over
    assert len(shares) == 10


@pytest.mark.parametrize("steps", range(1, 13))
def test_few_steps_are_a_training_too(steps: int) -> None:
    data, shares = stripes(20, (20, 20)), list[float]()
    trained = train_classifier(data, watch=shares.append, network="lenet", steps=steps)
    assert (len(shares), shares[-1]) == (steps, 1)
    assert np.isfinite(trained.probabilities(data.pixels)).all()


def test_unknown_networks_are_refused() -> None:
    with pytest.raises(UsageError, match="did you mean 'lenet'"):
        train_classifier(stripes(20), network="lnet")
