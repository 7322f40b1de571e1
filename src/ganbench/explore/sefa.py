"""SeFa: directions in closed form from the weights of a generator's first layer. arXiv:2007.06600."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from ganbench.explore.directions import Directions, oriented
from ganbench.explore.layers import noise_weight
from ganbench.explore.subject import Subject


def factorise(weight: Float[Tensor, "noise out"]) -> tuple[Float[np.ndarray, " noise"], Float[np.ndarray, "noise k"]]:
    """Eigenvalues of A A^T in descending order, and its eigenvectors as rows; A is the weight with unit columns.

    The first row is the unit vector d for which |A^T d| is greatest: the step that moves the layer's outputs most, each
    measured by the length of its own weights. Columns of zeros stay.

    >>> values, vectors = factorise(torch.tensor([[3.0, 1.0, 0.0], [0.0, 0.0, 2.0]]))
    >>> values.tolist(), vectors.tolist()
    ([2.0, 1.0], [[1.0, 0.0], [0.0, 1.0]])
    """
    columns = weight.double()
    lengths = columns.norm(dim=0)
    a = columns / torch.where(lengths > 0, lengths, 1)
    values, vectors = torch.linalg.eigh(a @ a.T)
    return values.flip(0).clamp(min=0).numpy(), oriented(vectors.T.flip(0).numpy())


def sefa(subject: Subject, count: int, layer: str | None = None) -> Directions:
    """The first `count` directions of the layer's weight. Raises UsageError as `noise_weight` does."""
    name, weight = noise_weight(subject, layer)
    values, vectors = factorise(weight)
    return Directions("sefa", name, vectors[:count], values[:count], "eigenvalue")
