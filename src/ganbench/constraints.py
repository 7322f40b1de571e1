"""What is done to a player's weights."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal, TypeAlias

import torch
from pydantic import PositiveFloat, PositiveInt
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.conv import _ConvNd, _ConvTransposeNd
from torch.nn.utils.parametrizations import spectral_norm

from ganbench.settings import OneOf, settings, unknown
from ganbench.types import Constraint, UsageError

_KINDS: dict[str, tuple[type[nn.Module], ...]] = {
    "linear": (nn.Linear,),
    "convolution": (nn.Conv1d, nn.Conv2d, nn.Conv3d),
    "transposed": (_ConvTransposeNd,),
    "norm": (_BatchNorm, nn.LayerNorm, nn.GroupNorm),
}


@settings
class Clip:
    """Keeps each weight and bias within [-bound, bound] after every step. arXiv:1701.07875, algorithm 1.

    `layers` is `all`, or a list of layer kinds (linear, convolution, transposed, norm) and names of modules. Without
    `biases` what is called so is left alone, in norms too.

    Raises:
        UsageError: a name in `layers` that is neither a kind nor a module of the network.
    """

    bound: PositiveFloat = 0.01
    layers: Literal["all"] | tuple[str, ...] = "all"
    biases: bool = True

    def attach(self, network: nn.Module) -> None:
        names = [name for name, module in network.named_modules() if name and _own_parameters(module)]
        for asked in () if self.layers == "all" else self.layers:
            if asked not in _KINDS and asked not in names:
                raise UsageError(f"clip.layers: {unknown('layer', asked, [*_KINDS, *names])}")

    @torch.no_grad()
    def project(self, network: nn.Module) -> None:
        for parameter in self._parameters(network):
            parameter.clamp_(-self.bound, self.bound)

    def _parameters(self, network: nn.Module) -> Iterator[nn.Parameter]:
        for name, module in network.named_modules():
            if self._chosen(name, module):
                yield from (p for field, p in module.named_parameters(recurse=False) if self.biases or field != "bias")

    def _chosen(self, name: str, module: nn.Module) -> bool:
        if self.layers == "all":
            return True
        return any(asked == name or isinstance(module, _KINDS.get(asked, ())) for asked in self.layers)


@settings
class SpectralNorm:
    """Divides each linear and convolutional weight, and those of labels, by its largest singular value.

    arXiv:1802.05957.

    The value is followed by power iteration, `iterations` steps each time the network is used in training. Weights that
    the network starts at 0, as residual blocks do, are drawn, after He et al.
    """

    iterations: PositiveInt = 1

    def attach(self, network: nn.Module) -> None:
        for module in list(network.modules()):
            if isinstance(module, (nn.Linear, _ConvNd, nn.Embedding)):
                if not module.weight.any():  # 0 has no direction
                    nn.init.kaiming_normal_(module.weight)
                spectral_norm(module, n_power_iterations=self.iterations)

    def project(self, network: nn.Module) -> None:
        """Nothing to do: the network divides by the norm itself."""


def _own_parameters(module: nn.Module) -> bool:
    return next(module.parameters(recurse=False), None) is not None


CONSTRAINTS: dict[str, type] = {"clip": Clip, "spectral-norm": SpectralNorm}
ConstraintSetting: TypeAlias = Annotated[Constraint, OneOf(CONSTRAINTS, Constraint)]
