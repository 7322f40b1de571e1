"""Inception v3 as FID knows it: TensorFlow's network of 2015, up to its 2,048 features, ready for ported weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import NamedTuple, TypeAlias

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn


class Layer(NamedTuple):
    """A convolution with batch norm and ReLU; its sides are kept where the stride is 1 and it is `padded`."""

    width: int
    kernel: tuple[int, int] = (1, 1)
    stride: int = 1
    padded: bool = True


class Fork(NamedTuple):
    """Two layers that see the same, side by side in what they give."""

    a: Layer
    b: Layer


Branch: TypeAlias = Sequence[Layer | Fork]

ROW, COLUMN, LONG_ROW, LONG_COLUMN = (1, 3), (3, 1), (1, 7), (7, 1)
halving = partial(Layer, stride=2, padded=False)


def _at_35(pooled: int) -> dict[str, Branch]:
    """Of maps with 35 x 35 places."""
    return {
        "branch1x1": [Layer(64)],
        "branch5x5": [Layer(48), Layer(64, (5, 5))],
        "branch3x3dbl": [Layer(64), Layer(96, (3, 3)), Layer(96, (3, 3))],
        "branch_pool": [Layer(pooled)],
    }


def _at_17(inner: int) -> dict[str, Branch]:
    """Of maps with 17 x 17 places: 7 x 7 is done as 1 x 7 and 7 x 1."""
    across = [Layer(inner, LONG_COLUMN), Layer(inner, LONG_ROW), Layer(inner, LONG_COLUMN)]
    return {
        "branch1x1": [Layer(192)],
        "branch7x7": [Layer(inner), Layer(inner, LONG_ROW), Layer(192, LONG_COLUMN)],
        "branch7x7dbl": [Layer(inner), *across, Layer(192, LONG_ROW)],
        "branch_pool": [Layer(192)],
    }


def _at_8() -> dict[str, Branch]:
    """Of maps with 8 x 8 places."""
    fork = Fork(Layer(384, ROW), Layer(384, COLUMN))
    return {
        "branch1x1": [Layer(320)],
        "branch3x3": [Layer(384), fork],
        "branch3x3dbl": [Layer(448), Layer(384, (3, 3)), fork],
        "branch_pool": [Layer(192)],
    }


STEM = {
    "Conv2d_1a_3x3": halving(32, (3, 3)),
    "Conv2d_2a_3x3": Layer(32, (3, 3), padded=False),
    "Conv2d_2b_3x3": Layer(64, (3, 3)),
    "Conv2d_3b_1x1": Layer(80),
    "Conv2d_4a_3x3": Layer(192, (3, 3), padded=False),
}
POOLED_AFTER = ("Conv2d_2b_3x3", "Conv2d_4a_3x3")
"""Layers of the stem whose maps are halved by their maxima."""

BLOCKS: dict[str, Mapping[str, Branch]] = {
    "Mixed_5b": _at_35(32),
    "Mixed_5c": _at_35(64),
    "Mixed_5d": _at_35(64),
    "Mixed_6a": {
        "branch3x3": [halving(384, (3, 3))],
        "branch3x3dbl": [Layer(64), Layer(96, (3, 3)), halving(96, (3, 3))],
        "branch_pool": [],
    },
    "Mixed_6b": _at_17(128),
    "Mixed_6c": _at_17(160),
    "Mixed_6d": _at_17(160),
    "Mixed_6e": _at_17(192),
    "Mixed_7a": {
        "branch3x3": [Layer(192), halving(320, (3, 3))],
        "branch7x7x3": [Layer(192), Layer(192, LONG_ROW), Layer(192, LONG_COLUMN), halving(192, (3, 3))],
        "branch_pool": [],
    },
    "Mixed_7b": _at_8(),
    "Mixed_7c": _at_8(),
}
"""Branches by the names that ported weights have; the last, `branch_pool`, pools first."""

CLASSES = 1008


class InceptionV3(nn.Module):
    """Images (n, 3, 299, 299) in [0, 255] to features (n, 2048): the means of the last maps (arXiv:1512.00567).

    The names of its parameters are those of the usual port of the weights (a state dict, `pt_inception-2015-12-05-
    6726825d.pth`), whose last layer, `fc`, is kept only for them. Two things set it apart from networks of that name
    which were trained later: means leave out what was padded, and the last block pools by maxima.
    """

    def __init__(self) -> None:
        super().__init__()
        maps = 3
        for name, layer in STEM.items():
            self.add_module(name, Convolution(maps, layer))
            maps = layer.width
        for name, branches in BLOCKS.items():
            block = Block(maps, branches, largest=name == "Mixed_7c")
            self.add_module(name, block)
            maps = block.width
        self.fc = nn.Linear(maps, CLASSES)

    def forward(self, x: Float[Tensor, "n 3 299 299"]) -> Float[Tensor, "n 2048"]:
        x = (x - 128) / 128
        for name in STEM:
            x = self.get_submodule(name)(x)
            if name in POOLED_AFTER:
                x = F.max_pool2d(x, 3, stride=2)
        for name in BLOCKS:
            x = self.get_submodule(name)(x)
        return x.mean(dim=(2, 3))


class Convolution(nn.Module):
    """One `Layer` of so many maps."""

    def __init__(self, maps: int, layer: Layer) -> None:
        super().__init__()
        height, width = layer.kernel
        padding = (height // 2, width // 2) if layer.padded else 0
        self.conv = nn.Conv2d(maps, layer.width, layer.kernel, layer.stride, padding, bias=False)
        self.bn = nn.BatchNorm2d(layer.width, eps=0.001)

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n d i j"]:
        return F.relu(self.bn(self.conv(x)))


class Block(nn.Module):
    """Branches that see the same maps, side by side in what they give.

    The layers of a branch are numbered from 1 where there are several, those of a fork `a` and `b` beside. The pooled
    maps are halved by their maxima where no layer follows; else they keep their sides, and are means of 3 x 3 or their
    `largest`.
    """

    def __init__(self, maps: int, branches: Mapping[str, Branch], largest: bool) -> None:
        super().__init__()
        self.largest = largest
        self.paths: dict[str, list[tuple[str, ...]]] = {}
        self.width = 0
        for branch, layers in branches.items():
            inner = maps
            self.paths[branch] = []
            for number, layer in enumerate(layers, start=1):
                name = branch if len(layers) == 1 else f"{branch}_{number}"
                sides = {"": layer} if isinstance(layer, Layer) else layer._asdict()
                named = {name + side: one for side, one in sides.items()}
                for each, one in named.items():
                    self.add_module(each, Convolution(inner, one))
                self.paths[branch].append(tuple(named))
                inner = sum(one.width for one in named.values())
            self.width += inner

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n d i j"]:
        return torch.cat([self._along(branch, x) for branch in self.paths], dim=1)

    def _along(self, branch: str, x: Tensor) -> Tensor:
        if branch == "branch_pool":
            x = self._pooled(x)
        for names in self.paths[branch]:
            x = torch.cat([self.get_submodule(name)(x) for name in names], dim=1)
        return x

    def _pooled(self, x: Tensor) -> Tensor:
        if not self.paths["branch_pool"]:
            return F.max_pool2d(x, 3, stride=2)
        if self.largest:
            return F.max_pool2d(x, 3, stride=1, padding=1)
        return F.avg_pool2d(x, 3, stride=1, padding=1, count_include_pad=False)
