"""Inception's features by ported weights, against those of an independent implementation."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from ganbench.data.images import ImageSet
from ganbench.metrics.features import features_for
from ganbench.metrics.inception_network import InceptionV3
from ganbench.types import UsageError


def drawn_weights(rng: torch.Generator) -> dict[str, Tensor]:
    """A state dict of the usual port's names and shapes: convolutions by He, the rest uniform around 0 or 1."""

    def drawn(name: str, like: Tensor) -> Tensor:
        if not like.is_floating_point():
            return like
        if like.ndim == 4:
            return torch.randn(like.shape, generator=rng) * (2 / like[0].numel()) ** 0.5
        return torch.rand(like.shape, generator=rng) / 2 + (0.75 if name.endswith(("bn.weight", "var")) else -0.25)

    return {name: drawn(name, value) for name, value in InceptionV3().state_dict().items()}


def test_features_are_those_of_torch_fidelity() -> None:
    """The figures are those of torch-fidelity 0.4.0, with the same weights in a file and the same images as uint8:

    `FeatureExtractorInceptionV3("inception-v3-compat", ["2048"], feature_extractor_weights_path=FILE)(images)`.
    """
    rng = torch.Generator().manual_seed(0)
    network = InceptionV3()
    network.load_state_dict(drawn_weights(rng))
    images = torch.randint(0, 256, (2, 3, 299, 299), generator=rng).float()
    with torch.no_grad():
        seen = network.eval()(images)
    assert seen.shape == (2, 2048)
    assert seen.square().mean(dim=1).tolist() == pytest.approx([1.526796, 1.517959], rel=1e-5)
    columns = seen[:, [0, 500, 1000, 1500, 2047]]
    assert columns[0].tolist() == pytest.approx([0.079156, 0.0, 0.020000, 0.206097, 2.018884], abs=2e-5)
    assert columns[1].tolist() == pytest.approx([0.073899, 0.0, 0.021608, 0.187864, 1.985875], abs=2e-5)


def test_a_file_of_ported_weights_can_be_named_and_draws_nothing(tmp_path: Path) -> None:
    weights = drawn_weights(torch.Generator().manual_seed(1))
    torch.save({name: value for name, value in weights.items() if "num_batches" not in name}, tmp_path / "old.pth")
    data = ImageSet("grey", np.random.default_rng(0).integers(0, 256, (3, 28, 28), dtype=np.uint8))
    before = torch.get_rng_state()
    features = features_for(data, f"inception:{tmp_path / 'old.pth'}")
    assert features.name == "inception"
    seen = features(data.pixels).features
    assert seen.shape == (3, 2048)
    assert np.isfinite(seen).all()
    assert torch.equal(before, torch.get_rng_state())
    coloured = np.repeat(data.pixels[..., None], 3, axis=-1)
    assert features(coloured).features == pytest.approx(seen, abs=1e-5)


def test_weights_of_another_inception_are_refused(tmp_path: Path) -> None:
    """Such as torchvision's own, which were trained on 1,000 classes."""
    weights = drawn_weights(torch.Generator().manual_seed(1)) | {"fc.weight": torch.zeros(1000, 2048)}
    torch.save(weights, tmp_path / "imagenet.pth")
    data = ImageSet("grey", np.zeros((3, 28, 28), dtype=np.uint8))
    with pytest.raises(
        UsageError, match=r"another network \(no fc.weight of shape \(1008, 2048\)\); needed is .* pt_inception"
    ):
        features_for(data, f"inception:{tmp_path / 'imagenet.pth'}")
