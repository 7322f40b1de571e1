"""Networks by name and size, as either player."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Protocol, TypeAlias, runtime_checkable

import torch
from pydantic import BeforeValidator
from torch import nn

from ganbench.networks.augment import Augment
from ganbench.networks.autoencoder import Autoencoder
from ganbench.networks.dcgan import DCGAN
from ganbench.networks.layers import Hidden, InParts, keep_copies
from ganbench.networks.mlp import MLP, Fourier
from ganbench.networks.mlp_conv import MLPConv
from ganbench.networks.residual import Residual
from ganbench.networks.style import Style
from ganbench.networks.wrappers import WRAPPERS, Pack, Plain, Wrapper, WrapperSetting
from ganbench.settings import OneOf
from ganbench.types import Sizes


@runtime_checkable
class Network(Protocol):
    """A size and kind of network, from which either player's is built."""

    def generator(self, sizes: Sizes) -> nn.Module:
        """A module from a Latent to a batch of things."""

    def critic(self, sizes: Sizes) -> nn.Module:
        """A module from a batch of things and its labels to a Verdict."""


def _own_module(value: Any) -> Any:
    return Plain(value) if isinstance(value, nn.Module) else value


def set_precision(network: nn.Module, by_width: Callable[[int], torch.dtype]) -> None:
    """Has every part of the network that allows it compute its hidden layers in the type that suits their width."""
    for module in network.modules():
        if isinstance(module, Hidden):
            module.inner = by_width(module.hidden_width)


NETWORKS: dict[str, type] = {
    "mlp": MLP,
    "mlp-conv": MLPConv,
    "dcgan": DCGAN,
    "residual": Residual,
    "style": Style,
    "autoencoder": Autoencoder,
}
NetworkSetting: TypeAlias = Annotated[Network, OneOf(NETWORKS, Network), BeforeValidator(_own_module)]

__all__ = [
    "Augment",
    "Autoencoder",
    "DCGAN",
    "Fourier",
    "InParts",
    "MLP",
    "MLPConv",
    "NETWORKS",
    "Network",
    "NetworkSetting",
    "Pack",
    "Plain",
    "Residual",
    "Style",
    "WRAPPERS",
    "Wrapper",
    "WrapperSetting",
    "keep_copies",
    "set_precision",
]
