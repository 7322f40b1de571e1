"""Exported generators, run by onnxruntime, make what `sample` makes."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from onnx import TensorProto
from torch import nn

import ganbench.export
from ganbench.api import Run, fit, load, prepare
from ganbench.configuration import configure
from ganbench.networks import DCGAN, MLP, Network, Residual
from ganbench.networks.mlp import Fourier
from tests.undrawn import draw_nothing

ROUNDS = 3
SMALL: dict[str, Any] = {"rounds": ROUNDS, "batch_size": 16, "measure": {"count": 32, "final": 32}}
OF_POINTS = {f"{side}.network.widths": [16, 16] for side in ("critic", "generator")}
OF_IMAGES = {f"{side}.network.channels": 4 for side in ("critic", "generator")} | {"features": "random-conv"}
DENSE = {f"{side}.network.dense": 16 for side in ("critic", "generator")}
CASES: dict[str, tuple[str, str, dict[str, Any]]] = {
    "points": ("best", "far", OF_POINTS),
    "points in bf16": ("gan", "far", OF_POINTS | {"precision": "bf16"}),
    "images": ("gan", "digits", OF_IMAGES | DENSE),
    "colours": ("r3gan", "colours", OF_IMAGES),
    "labels": ("cgan", "digits", OF_IMAGES | DENSE),
    "codes": ("infogan", "digits", OF_IMAGES | DENSE),
    "labels learnt": ("r3gan-conditional", "digits", OF_IMAGES),
}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Run]:
    """A run a case: few rounds of small networks, without pictures."""
    rng = np.random.default_rng(0)
    data = {
        "far": rng.normal(size=(200, 2)) * [1, 10] + [1000, -50],
        "colours": rng.integers(0, 256, (64, 16, 24, 3), dtype=np.uint8),
        "digits": "digits",
    }
    folder = tmp_path_factory.mktemp("runs")
    with pytest.MonkeyPatch.context() as patch:
        draw_nothing(patch)
        return {
            case: fit(recipe, data[source], folder / case, progress=False, **SMALL, **changes)
            for case, (recipe, source, changes) in CASES.items()
        }


def made(path: Path, run: Run, count: int) -> np.ndarray:
    """What the file makes of the noise, labels and codes that `sample` starts from."""
    latent = run.workbench().latents(count, seed=3)
    parts = {"z": latent.z, "label": latent.y, "code": latent.code}
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    (x,) = session.run(None, {name: part.numpy() for name, part in parts.items() if part is not None})
    return x


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("count", [1, 7])
def test_an_exported_generator_makes_what_is_sampled(
    ganbench: Callable, tmp_path: Path, runs: dict[str, Run], case: str, count: int
) -> None:
    run = runs[case]
    ended = ganbench("export", run.path, "--out", "new/g.onnx")
    assert (ended.code, ended.err) == (0, "")
    x, sampled = made(tmp_path / "new" / "g.onnx", run, count), run.sample(count, seed=3)
    if sampled.dtype == np.uint8:
        channels_last = x[:, 0] if sampled.ndim == 3 else x.transpose(0, 2, 3, 1)
        assert np.abs(channels_last * 255 - sampled).max() < 0.51  # pixels are rounded
    else:
        close = 0.05 if run.configuration.precision == "bf16" else 2e-4
        assert np.abs((x - sampled) / [1, 10]).max() < close
