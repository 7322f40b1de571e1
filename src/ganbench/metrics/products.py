"""Matrix products and decompositions of NumPy arrays by torch, in the arrays' own precision.

NumPy's BLAS takes a thread for each core whatever torch was told, and its threads wait actively: beside another busy
process a small eigenproblem then takes a hundred times as long. torch keeps to `torch.set_num_threads`.
"""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float


def product(a: Float[np.ndarray, "n f"], b: Float[np.ndarray, "f m"]) -> Float[np.ndarray, "n m"]:
    """`a b`. The arrays must be writable, since torch cannot promise not to write."""
    return (torch.from_numpy(a) @ torch.from_numpy(b)).numpy()


def symmetric_root(a: Float[np.ndarray, "f f"]) -> Float[np.ndarray, "f f"]:
    """The symmetric square root of a covariance of any rank; eigenvalues that rounding made negative count as 0."""
    values, vectors = torch.linalg.eigh(torch.from_numpy(a))
    return ((vectors * values.clamp(min=0).sqrt()) @ vectors.T).numpy()


def nuclear_norm(a: Float[np.ndarray, "f f"]) -> float:
    """The sum of the singular values."""
    return float(torch.linalg.svdvals(torch.from_numpy(a)).sum())
