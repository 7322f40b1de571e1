"""What tests of networks share: weights from one seed, and a batch of images."""

from collections.abc import Iterator

import pytest
import torch
from torch import Tensor

GREY, COUNT = (1, 28, 28), 3


@pytest.fixture(autouse=True)
def seeded() -> Iterator[None]:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield


def things(shape: tuple[int, ...]) -> Tensor:
    return torch.rand(COUNT, *shape) * 2 - 1
