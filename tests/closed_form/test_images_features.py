"""Feature networks: those that are shipped, those trained on a user's data, and those that are no classifiers."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from ganbench.data import ImageSet, stored
from ganbench.data.digits import digits
from ganbench.data.idx import read_idx_folder
from ganbench.data.stacked import stacked
from ganbench.metrics import features as choosing
from ganbench.metrics import features_for, fid
from ganbench.metrics.classifier import read_classifier, write_classifier
from ganbench.metrics.classifier_training import train_classifier
from ganbench.types import UsageError


def stripes(count: int, shape: tuple[int, ...] = (12, 10), classes: int = 2, seed: int = 0) -> ImageSet:
    """Noise on which class k has a bright row k."""
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % classes
    pixels = rng.integers(0, 120, (count, *shape), dtype=np.uint8)
    pixels[np.arange(count), 2 * labels + 1] = 250
    return ImageSet("stripes", pixels, labels)


@pytest.fixture
def briefly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Trainings of a few epochs, for what does not depend on how well a network reads."""
    monkeypatch.setattr("ganbench.metrics.classifier_training.LEAST", 4)
    monkeypatch.setattr("ganbench.metrics.classifier_training.EPOCHS", range(3, 5))


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GANBENCH_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.mark.parametrize(
    ("folder", "name", "least"), [("mnist", "mnist-cnn", 0.99), ("fashion_mnist", "fashion-mnist-cnn", 0.91)]
)
def test_shipped_networks_read_the_test_files(shared_data: Path, folder: str, name: str, least: float) -> None:
    test = read_idx_folder(shared_data / folder, "test")
    features = features_for(test)
    assert features.name == name
    accuracy = np.mean(features(test.pixels).labels == test.labels)
    assert accuracy >= least
    told = read_classifier(choosing.WEIGHTS / f"{name}.safetensors")
    assert told.accuracy == pytest.approx(accuracy, abs=5e-4)
    assert told.data == read_idx_folder(shared_data / folder).fingerprint


def test_digits_are_read_by_their_own_network_in_a_fresh_draw() -> None:
    fresh = digits(1000, seed=7)
    features = features_for(fresh)
    assert features.name == "digits-cnn"
    assert np.mean(features(fresh.pixels).labels == fresh.labels) >= 0.99


@pytest.mark.parametrize("name", choosing.SHIPPED)
def test_shipped_files_are_small_and_as_they_are_written_now(name: str) -> None:
    path = choosing.WEIGHTS / f"{name}.safetensors"
    assert path.stat().st_size <= 2**20
    assert write_classifier(read_classifier(path)) == path.read_bytes()


def test_features_are_of_one_scale() -> None:
    images = digits(2000)
    assert np.square(features_for(images)(images.pixels).features).mean() == pytest.approx(1, abs=0.1)


def test_labels_that_mean_something_else_have_no_shipped_network(cache: Path) -> None:
    data = digits(100)
    shuffled = ImageSet("others", data.pixels, (data.labels + 1) % 10)  # type: ignore[operator]
    assert features_for(shuffled).name == "random-conv"  # and too few to train one


@pytest.mark.parametrize("shape", [(12, 10), (12, 10, 3), (7, 7), (28, 33)])
def test_a_classifier_learns_images_of_any_shape(shape: tuple[int, ...]) -> None:
    classifier = train_classifier(stripes(200, shape, classes=3), steps=80)
    classifier = classifier.tested(stripes(100, shape, classes=3, seed=1))
    assert classifier.accuracy is not None
    assert classifier.accuracy > 0.95
    seen = classifier(stripes(6, shape).pixels)
    assert seen.features.shape == (6, 64)
    assert seen.features.dtype == np.float32
    assert seen.confidence is not None
    assert ((seen.confidence > 1 / 3) & (seen.confidence <= 1)).all()


@pytest.mark.usefixtures("briefly")
def test_training_follows_from_its_seed_and_leaves_other_randomness_alone() -> None:
    data = stripes(129, (8, 8))
    torch.manual_seed(0)
    before = torch.get_rng_state()
    first, again, other = (write_classifier(train_classifier(data, seed)) for seed in (0, 0, 1))
    assert first == again != other
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.usefixtures("briefly")
def test_a_classifier_comes_back_from_its_file(tmp_path: Path) -> None:
    data = stripes(64)
    classifier = train_classifier(data).tested(data)
    path = tmp_path / "mine.safetensors"
    path.write_bytes(write_classifier(classifier))
    back = read_classifier(path)
    assert (back.shape, back.classes, back.data, back.accuracy) == (
        (1, 12, 10),
        ("0", "1"),
        data.fingerprint,
        classifier.accuracy,
    )
    assert np.array_equal(back(data.pixels).features, classifier(data.pixels).features)
    named = features_for(data, str(path))
    assert named.name == "mine"
    assert np.array_equal(named(data.pixels).features, classifier(data.pixels).features)


@pytest.mark.usefixtures("briefly")
def test_own_data_train_a_network_once(cache: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = stripes(60)
    first = features_for(data)
    assert first.name == "own-cnn"
    told = capsys.readouterr()
    assert "training a feature network on stripes" in told.err
    assert "images held out" in told.err
    assert told.out == ""
    again = features_for(stripes(60))  # equal data, another object
    assert capsys.readouterr().err == ""
    assert np.array_equal(first(data.pixels).features, again(data.pixels).features)
    (kept,) = (cache / "features").iterdir()
    kept.write_bytes(b"cut short")
    assert features_for(stripes(60)).name == "own-cnn"
    assert "training" in capsys.readouterr().err


@pytest.mark.usefixtures("briefly")
def test_a_cache_that_cannot_be_written_does_no_harm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("GANBENCH_CACHE", str(tmp_path / "file" / "cache"))
    assert features_for(stripes(60)).name == "own-cnn"


@pytest.mark.parametrize("shape", [(40, 8, 8), (40, 28, 28, 3), (40, 100, 70), (40, 5, 5)])
def test_images_without_labels_have_random_features(shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(0)
    data = ImageSet("plain", rng.integers(0, 256, shape, dtype=np.uint8))
    features = features_for(data)
    assert features.name == "random-conv"
    seen = features(data.pixels)
    assert seen.labels is None
    assert np.isfinite(seen.features).all()
    assert np.array_equal(seen.features, features_for(data.take(slice(0, 39)), "random-conv")(data.pixels).features)
    assert fid(seen.features[:20], seen.features[20:]) < fid(seen.features, features(data.pixels // 2).features)


def test_random_features_order_degrees_of_damage() -> None:
    data = digits(600)
    features = features_for(data, "random-conv")
    real, rng = features(data.pixels[:300]).features, np.random.default_rng(0)
    held_out = data.pixels[300:].astype(int)
    damaged = [np.clip(held_out + rng.normal(0, level, held_out.shape), 0, 255) for level in (0, 10, 30, 90)]
    distances = [fid(real, features(pixels.astype(np.uint8)).features) for pixels in damaged]
    assert distances == sorted(distances)


def test_stacked_sets_read_three_digits() -> None:
    data = stacked(digits(2000), count=500)
    features = features_for(data)
    assert features.name == "stacked:digits-cnn"
    seen = features(data.pixels)
    assert np.mean(seen.labels == data.labels) > 0.98
    base = features_for(digits(2000))
    green = base(np.ascontiguousarray(data.pixels[..., 1]))
    assert np.array_equal(seen.features[:, 64:128], green.features)
    assert seen.labels is not None
    assert np.array_equal(seen.labels // 10 % 10, green.labels)
    assert seen.confidence is not None
    assert (seen.confidence <= green.confidence).all()


class Scripted(nn.Module):
    """Stands in for Inception: eight numbers an image."""

    def forward(self, x: Tensor, return_features: bool = False) -> Tensor:
        assert x.shape[1:] == (3, 299, 299)
        features = x.mean(dim=2)[:, :, :8].flatten(1)
        return features if return_features else features[:, :1]


def test_a_scripted_inception_can_be_named(tmp_path: Path) -> None:
    torch.jit.script(Scripted()).save(str(tmp_path / "inception.pt"))
    data = ImageSet("flat", np.full((20, 9, 9), 51, dtype=np.uint8))
    features = features_for(data, f"inception:{tmp_path / 'inception.pt'}")
    assert features.name == "inception"
    seen = features(data.pixels)
    assert seen.features.shape == (20, 24)
    assert seen.features == pytest.approx(51, abs=1e-3)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("mnist-cn", "did you mean mnist-cnn"),
        ("", "there are no features"),
        ("mnist-cnn", "28 x 28"),
        ("missing.safetensors", "no such file"),
        ("damaged.safetensors", "is no classifier"),
        ("other.safetensors", "is no classifier"),
        ("inception:missing.pt", "no such file of Inception"),
        ("inception:damaged.safetensors", "neither weights nor a network of Inception"),
        ("inception:words.pth", "neither weights nor a network of Inception"),
        ("inception:cut.pth", "neither weights nor a network of Inception"),
        ("inception:weights.pth", "another network .no Conv2d_1a_3x3.conv.weight of shape"),
        ("inception:tensor.pth", "another network"),
        ("inception:old.pth", "another network .no Conv2d_1a_3x3.conv.weight of shape"),
    ],
)
def test_wrong_features_are_refused_in_a_sentence(
    asked: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from safetensors.torch import save_file

    monkeypatch.chdir(tmp_path)
    Path("damaged.safetensors").write_bytes(b"nothing of the kind")
    save_file({"weight": torch.zeros(2)}, "other.safetensors")
    torch.save(nn.Linear(2, 2).state_dict(), "weights.pth")
    torch.save(torch.zeros(2), "tensor.pth")
    Path("words.pth").write_text("hello world", encoding="utf-8")
    torch.save(nn.Linear(2, 2).state_dict(), "old.pth", _use_new_zipfile_serialization=False)
    Path("cut.pth").write_bytes(Path("old.pth").read_bytes()[:200])
    with pytest.raises(UsageError, match=said):
        features_for(stripes(40), asked)


@pytest.mark.usefixtures("briefly", "cache")
@pytest.mark.parametrize("name", ["digits", "mnist", "fashion-mnist"])
def test_a_set_of_ones_own_has_no_test_part_by_its_name(name: str) -> None:
    assert features_for(replace(stripes(60), name=name)).name == "own-cnn"


def test_own_features_need_labels() -> None:
    with pytest.raises(UsageError, match="no labels"):
        features_for(ImageSet("plain", np.zeros((30, 8, 8), dtype=np.uint8)), "own-cnn")


def test_a_network_refuses_images_of_another_shape() -> None:
    features = features_for(digits(64), "digits-cnn")
    with pytest.raises(UsageError, match="28 x 28"):
        features(np.zeros((3, 32, 32), dtype=np.uint8))


@pytest.mark.parametrize("name", ["mnist-cnn", "fashion-mnist-cnn"])
def test_a_network_of_other_classes_gives_features_alone(name: str) -> None:
    images = digits(200)
    two = ImageSet("two", images.pixels, np.arange(200) % 2)
    assert features_for(two, name)(two.pixels).labels is None
    read = features_for(images, name)(images.pixels).labels
    assert (read is not None) == (name == "mnist-cnn")  # digits are digits, and no clothes


def test_of_a_set_that_stays_on_the_disk_no_more_is_held_than_fits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A classifier learns from a random sample of it, the same every time, and is tested on others."""
    pixels = np.repeat(np.arange(200, dtype=np.uint8), 64).reshape(200, 8, 8)
    np.save(tmp_path / "pixels.npy", pixels)
    data = ImageSet("large", np.load(tmp_path / "pixels.npy", mmap_mode="r"), np.arange(200) % 2)
    whole = [len(part) for part in choosing.held_out(data)]
    assert whole == [180, 20]
    monkeypatch.setattr(stored, "SHARE", 0.0)
    monkeypatch.setattr(choosing, "HELD", 100 * 64 + 63)
    train, test = choosing.held_out(data)
    assert (len(train), len(test)) == (90, 10)
    seen = [*train.pixels[:, 0, 0], *test.pixels[:, 0, 0]]
    assert len(set(seen)) == 100
    assert max(seen) >= 150
    assert seen == [image[0, 0] for part in choosing.held_out(data) for image in part.pixels]


@pytest.mark.parametrize("large", [False, True])
def test_what_is_held_out_are_whole_strings(large: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of 50 strings of 4 images, each of its own shade; of a set too large a part of them."""
    pixels = np.repeat(np.arange(50, dtype=np.uint8), 4 * 64).reshape(200, 8, 8)
    np.save(tmp_path / "pixels.npy", pixels)
    if large:
        monkeypatch.setattr(stored, "SHARE", 0.0)
        monkeypatch.setattr(choosing, "HELD", 100 * 64 + 63)
    data = ImageSet("strings", np.load(tmp_path / "pixels.npy", mmap_mode="r"), np.arange(200) % 4)
    train, test = choosing.held_out(data, 4)
    assert (len(train), len(test)) == ((92, 8) if large else (180, 20))
    shades = [part.pixels[:, 0, 0].reshape(-1, 4) for part in (train, test)]
    assert all((strings == strings[:, :1]).all() for strings in shades)
    assert all((part.labels.reshape(-1, 4) == range(4)).all() for part in (train, test))  # type: ignore[union-attr]
    assert not set(shades[0].ravel()) & set(shades[1].ravel())
