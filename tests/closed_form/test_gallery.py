"""What the sweeps of a report go through: a generator that shows its latents as pixels tells."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from ganbench import api
from ganbench.data.digits import digits
from ganbench.figures.sheets import sweep
from ganbench.gallery import images
from ganbench.types import Latent
from ganbench.workbench import Workbench

NOISE, CATEGORIES, NUMBERS = 16, 10, 2
TINY = {
    "prior.noise.dimension": NOISE,
    "prior.noise.distribution": "uniform",
    "batch_size": 16,
    "rounds": 1,
    "measure.count": 32,
    "measure.final": 32,
    "features": "random-conv",
    "progress": False,
}

Sweeps = dict[str, tuple[np.ndarray, list[str]]]


def shown(bench: Workbench, latent: Latent) -> Tensor:
    """Images whose first pixels are the noise, in [-1, 1), and half the code."""
    assert latent.code is not None
    numbers = torch.cat([latent.z, latent.code / 2], dim=1)
    blank = -torch.ones(len(numbers), 28 * 28 - numbers.shape[1])
    return torch.cat([numbers, blank], dim=1).reshape(-1, 1, 28, 28)


@pytest.fixture(scope="module")
def sweeps(tmp_path_factory: pytest.TempPathFactory) -> Sweeps:
    """By their titles: the numbers that the images show, (rows, steps, noise and code), and the rows' names."""
    seen: Sweeps = {}

    def kept(pixels: np.ndarray, names: Any, title: str) -> Any:
        seen[title] = (
            pixels.reshape(*pixels.shape[:2], -1)[..., : NOISE + CATEGORIES + NUMBERS] / 127.5 - 1,
            list(names),
        )
        return sweep(pixels, names, title)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(images, "sweep", kept)
        patch.setattr(Workbench, "generate", shown)
        api.fit("infogan", digits(200), tmp_path_factory.mktemp("infogan") / "run", **TINY)
    return seen


def test_a_code_is_swept_part_by_part_and_all_else_held(sweeps: Sweeps) -> None:
    numbers, names = sweeps["the code, part by part"]
    assert names == ["choice"] * 3 + ["number 1"] * 3 + ["number 2"] * 3
    noise, choice, number = np.split(numbers, [NOISE, NOISE + CATEGORIES], axis=2)
    assert np.ptp(noise, axis=1).max() == 0
    assert np.array_equal(noise[:3], noise[3:6])
    assert np.ptp(noise[:3], axis=0).max() > 0.1
    assert np.allclose(2 * choice[:3], np.eye(10), atol=0.01)
    assert np.ptp(choice[3:], axis=1).max() == 0
    ramp = np.linspace(-2, 2, 10)
    for part in range(NUMBERS):
        swept = slice(3 + 3 * part, 6 + 3 * part)
        assert np.allclose(2 * number[swept, :, part], ramp, atol=0.01)
        assert np.ptp(number[swept, :, 1 - part], axis=1).max() == 0


def test_an_interpolation_through_uniform_noise_is_straight_and_the_code_held(sweeps: Sweeps) -> None:
    numbers, _ = sweeps["from one noise vector to another"]
    noise, code = np.split(numbers, [NOISE], axis=2)
    shares = np.linspace(0, 1, 10)[:, None]
    assert np.allclose(noise, noise[:, :1] * (1 - shares) + noise[:, -1:] * shares, atol=0.02)
    assert np.abs(noise[:, -1] - noise[:, 0]).max() > 0.5
    assert np.ptp(code, axis=1).max() == 0
