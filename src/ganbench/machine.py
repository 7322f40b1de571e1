"""What the machine offers, by the names that the configuration uses."""

from __future__ import annotations

import ctypes
import sys

import torch

from ganbench.types import UsageError


def resolve_device(name: str) -> torch.device:
    """The device of that name; `auto` is a GPU where there is one.

    Raises:
        UsageError: a GPU was asked for and there is none.
    """
    if name == "cuda" and not torch.cuda.is_available():
        raise UsageError("device: cuda was asked for, but this machine or this build of torch has no GPU")
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    return torch.device(name)


def settle(threads: int) -> None:
    """Readies this process for trainings: torch's number of threads, and memory that is kept."""
    torch.set_num_threads(threads)
    _keep_freed_memory()


def _keep_freed_memory() -> None:
    """Has the C library keep what is freed for the next allocation, where it can be told so (glibc).

    By default it gives large blocks back to the system and asks for fresh pages a moment later. A round of training
    frees and allocates the same blocks again and again: on a virtual machine the pages took two thirds of its time.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt:
        mallopt(_M_MMAP_MAX, 0)
        mallopt(_M_TRIM_THRESHOLD, -1)


_M_TRIM_THRESHOLD, _M_MMAP_MAX = -1, -4
"""The names that malloc.h gives to what is set."""

WIDE = 128
"""Hidden layers whose numbers sum fewer products gain nothing by bf16: the conversions cost what the products save."""


def hidden_dtype(precision: str, device: torch.device, width: int) -> torch.dtype:
    """The type in which hidden layers of a width are computed; `auto` is bf16 where that is faster.

    Measured on a core with AVX-512 BF16, products of 500 x 256 by 256 x 256 are four times as fast in bf16 as in fp32.
    """
    if precision == "auto":
        precision = "bf16" if width >= WIDE and _multiplies_bf16(device) else "fp32"
    return torch.bfloat16 if precision == "bf16" else torch.float32


def _multiplies_bf16(device: torch.device) -> bool:
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported()
    asks = (getattr(torch.cpu, name, None) for name in ("_is_amx_tile_supported", "_is_avx512_bf16_supported"))
    return any(ask() for ask in asks if ask)
