"""A generator made by hand, of which is known what each number of its noise does."""

import numpy as np
import torch
from torch import Tensor, nn

from ganbench.explore import Attributes, Subject
from ganbench.metrics.random_conv import RandomConv

NOISE = 6
SIDE = 20
ATTRIBUTES = Attributes(RandomConv())


def turned(seed: int, size: int = NOISE) -> np.ndarray:
    """A random rotation or reflection."""
    return np.linalg.qr(np.random.default_rng(seed).normal(size=(size, size)))[0]


class Stroke(nn.Module):
    """A stroke on black: along the first axis of the noise its brightness alone changes, along the second its slant.

    Of the layer's nine outputs four see the first axis, and one each of the others, so that A A^T of the unit columns
    has the eigenvalues 4, 1, ..., 1. The axes are the columns of `axes`.
    """

    def __init__(self, axes: np.ndarray | None = None) -> None:
        super().__init__()
        self.first = nn.Linear(NOISE, NOISE + 3, bias=False)
        weight = torch.zeros(NOISE, NOISE + 3)
        weight[0, :4] = torch.tensor([1.0, -2.0, 3.0, 0.5])
        weight[1:, 4:] = torch.eye(NOISE - 1)
        if axes is not None:
            weight = torch.from_numpy(axes).float() @ weight
        self.first.weight.data = weight.T.contiguous()

    def forward(self, z: Tensor) -> Tensor:
        h = self.first(z)
        level, lean = (0.6 + 0.3 * (h[:, column] / 3).tanh()[:, None, None] for column in (0, 4))
        y, x = torch.meshgrid(*[torch.arange(SIDE) - SIDE / 2 + 0.5] * 2, indexing="ij")
        stroke = (-(((x + (lean - 0.6) * y) / 2) ** 2)).exp() * (y.abs() < 7)
        return 2 * (level * stroke)[:, None] - 1


def stroke(axes: np.ndarray | None = None) -> Subject:
    return Subject.of_module("stroke", Stroke(axes), NOISE)
