"""Features that a GPU computes are those of the processor. Skipped where there is none."""

import numpy as np
import pytest
import torch

from ganbench.metrics.classifier import read_classifier
from ganbench.metrics.embedding import Features
from ganbench.metrics.features import WEIGHTS
from ganbench.metrics.random_conv import RandomConv

RNG = np.random.default_rng(0)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here")
@pytest.mark.parametrize("shape", [(500, 28, 28), (300, 64, 64, 3)])
def test_features_are_those_of_the_processor(shape: tuple[int, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    torch.cuda.init()
    pixels = RNG.integers(0, 256, shape, dtype=np.uint8)
    networks: list[Features] = [RandomConv()]
    if pixels.ndim == 3:
        networks.append(read_classifier(WEIGHTS / "mnist-cnn.safetensors"))  # type: ignore[arg-type]
    for network in networks:
        there = network(pixels).features
        with monkeypatch.context() as hidden:
            hidden.setattr(torch.cuda, "is_initialized", lambda: False)
            here = network(pixels).features
        assert there == pytest.approx(here, rel=1e-3, abs=1e-4)
