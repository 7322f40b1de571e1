"""Layers whose products are computed in a type of their own, and what is put between them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Annotated, Literal, NamedTuple, TypeAlias

import torch
import torch.nn.functional as F
from pydantic import Field, NonNegativeFloat
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from ganbench.sharing import sharers, summed

Activation: TypeAlias = Literal["relu", "leaky-relu", "elu", "gelu", "silu", "softplus", "tanh"]
ACTIVATIONS: dict[str, Callable[[float], nn.Module]] = {
    "relu": lambda slope: nn.ReLU(),
    "leaky-relu": nn.LeakyReLU,
    "elu": lambda slope: nn.ELU(),
    "gelu": lambda slope: nn.GELU(),
    "silu": lambda slope: nn.SiLU(),
    "softplus": lambda slope: nn.Softplus(),
    "tanh": lambda slope: nn.Tanh(),
}

Width: TypeAlias = Annotated[int, Field(ge=1, le=65_536)]
"""Numbers, or maps, that a layer gives."""

Init: TypeAlias = Literal["default", "he"] | NonNegativeFloat
"""How weights start: as torch has it (uniform, scaled by the fan in); N(0, 2 / fan in); or a standard deviation."""

Norm: TypeAlias = Literal["batch", "layer", "none"]
"""Batch statistics; statistics over all maps of one thing (arXiv:1607.06450); none."""


class Hidden(nn.Module):
    """What computes its hidden layers in `inner`: fp32, or bf16 where the machine is faster at it.

    The layers next to data and scores stay in fp32, since their precision is that of the result. `hidden_width` is
    about how many products a number of a hidden layer is the sum of, where they are fewest.
    """

    hidden_width: int
    inner: torch.dtype = torch.float32

    def hidden_products(self) -> list[nn.Module]:
        """The layers whose products are computed in `inner`."""
        raise NotImplementedError


class FeatureBody(Hidden):
    """A critic up to its score: features, and the layer that makes the score of them."""

    last: nn.Linear

    def hidden(self, x: Tensor) -> Tensor:
        """What the last layer is given: (batch, features).

        Bodies that take labels inside have a second argument: the label, beside the input of each linear layer.
        """
        raise NotImplementedError


def pass_through(layers: Iterable[nn.Module], h: Tensor, label: Tensor | None = None) -> Tensor:
    """Applies layers in turn; products are computed in the type of `h`, whatever the weights are kept in.

    A `label` (batch, classes) goes beside the input of each linear layer.
    """
    for layer in layers:
        if isinstance(layer, nn.Linear):
            h = with_label(h, label)
        h = product(layer, h) if isinstance(layer, PRODUCTS) else layer(h)
    return h


def with_label(h: Tensor, label: Tensor | None) -> Tensor:
    """Vectors (batch, width) with the label (batch, classes), where there is one, beside each."""
    return h if label is None else torch.cat((h, label.to(h.dtype)), dim=1)


PRODUCTS = (nn.Linear, nn.Conv2d, nn.ConvTranspose2d)


def products_of(*networks: nn.Module) -> list[nn.Module]:
    """All linear and convolutional layers, however deep."""
    return [module for network in networks for module in network.modules() if isinstance(module, PRODUCTS)]


def product(layer: nn.Linear | nn.Conv2d | nn.ConvTranspose2d, h: Tensor) -> Tensor:
    """One linear or convolutional layer, in the type of `h`."""
    if h.dtype == torch.float32:
        return layer(h)  # which is heard by hooks
    weight = weight_in(layer, h.dtype)
    bias = None if layer.bias is None else layer.bias.to(h.dtype)
    if isinstance(layer, nn.Linear):
        return F.linear(h, weight, bias)
    stride, padding = tuple(layer.stride), layer.padding
    if isinstance(layer, nn.Conv2d):
        return F.conv2d(h, weight, bias, stride, padding, layer.dilation, layer.groups)
    return F.conv_transpose2d(h, weight, bias, stride, padding, layer.output_padding, layer.groups)  # type: ignore[arg-type]


def weight_in(layer: nn.Linear | nn.Conv2d | nn.ConvTranspose2d, dtype: torch.dtype) -> Tensor:
    """A layer's weight in the type in which it computes: its copy, where it has one, which then takes the gradient."""
    kept = getattr(layer, KEPT, None)
    return kept if kept is not None and kept.dtype == dtype else layer.weight.to(dtype)


KEPT = "kept_weight"
"""Where a layer has a copy of its weight in the type in which it computes."""


def keep_copies(network: nn.Module) -> dict[nn.Parameter, Tensor]:
    """Gives hidden layers that compute in another type than their weights' a copy to compute with, by parameter.

    Casting a large weight for every pass takes as long as the products of a small batch. The copies take gradients in
    the weights' place, and must be refreshed when the weights have moved.
    """
    copies: dict[nn.Parameter, Tensor] = {}
    for part in network.modules():
        if not isinstance(part, Hidden) or part.inner == torch.float32:
            continue
        for layer in part.hidden_products():
            weight = layer._parameters.get("weight")  # none where a parametrisation computes it anew each time
            if weight is not None and weight.requires_grad:
                copies[weight] = weight.detach().to(part.inner).requires_grad_()
                setattr(layer, KEPT, copies[weight])
    return copies


class InParts(_BatchNorm):
    """Batch norm of each part of a batch by its own statistics, parts being at most `most` things long.

    Real and generated things can then go through a critic in one pass, which gives the verdicts (and the running
    statistics) of two: with common statistics a critic could tell the generator's batch from the data's.
    """

    most: int | None = None

    def forward(self, x: Tensor) -> Tensor:
        own = None if self.most is None else self.most // sharers()
        if not self.training or own is None or len(x) <= own:
            return self._normed(x)
        return torch.cat([self._normed(part) for part in x.split(own)])

    def _normed(self, x: Tensor) -> Tensor:
        return shared_norm(self, x) if self.training and sharers() > 1 else super().forward(x)


def shared_norm(norm: _BatchNorm, x: Tensor) -> Tensor:
    """Batch norm by the statistics of what all processes have of a batch; `x` is this process's part."""
    others = [place for place in range(x.dim()) if place != 1]
    along = (1, -1, *(1,) * (x.dim() - 2))
    count = x.numel() // x.shape[1] * sharers()
    wide = x.float()
    mean = summed(wide.sum(others)) / count
    centred = wide - mean.view(along)
    variance = summed(centred.square().sum(others)) / count
    made = centred * (variance + norm.eps).rsqrt().view(along)
    if norm.weight is not None:
        made = made * norm.weight.view(along) + norm.bias.view(along)
    if norm.running_mean is not None and norm.running_var is not None and norm.num_batches_tracked is not None:
        with torch.no_grad():
            norm.running_mean.lerp_(mean, norm.momentum or 0.0)
            norm.running_var.lerp_(variance * count / (count - 1), norm.momentum or 0.0)
            norm.num_batches_tracked.add_(1)
    return made.to(x.dtype)


class BatchNorm1d(InParts, nn.BatchNorm1d):
    """See InParts."""


class BatchNorm2d(InParts, nn.BatchNorm2d):
    """See InParts."""


def norm_of_maps(norm: Norm, channels: int) -> list[nn.Module]:
    match norm:
        case "batch":
            return [BatchNorm2d(channels)]
        case "layer":
            return [nn.GroupNorm(1, channels)]
        case "none":
            return []


def norm_of_vectors(norm: Norm, width: int) -> list[nn.Module]:
    match norm:
        case "batch":
            return [BatchNorm1d(width)]
        case "layer":
            return [nn.LayerNorm(width)]
        case "none":
            return []


@torch.no_grad()
def initialise(network: nn.Module, init: Literal["default", "he"] | float) -> None:
    """Draws the weights of all products anew; biases become 0. Norms start as the identity."""
    if init == "default":
        return
    for layer in network.modules():
        if isinstance(layer, PRODUCTS):
            fan_in = layer.weight[0].numel() if not isinstance(layer, nn.ConvTranspose2d) else _fan_in(layer)
            nn.init.normal_(layer.weight, std=init if isinstance(init, float) else (2 / fan_in) ** 0.5)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)


def _fan_in(layer: nn.ConvTranspose2d) -> float:
    """How many inputs reach an output: those of all channels, through the share of the kernel that a stride leaves."""
    return layer.in_channels * layer.kernel_size[0] * layer.kernel_size[1] / (layer.stride[0] * layer.stride[1])


class Row(NamedTuple):
    """One layer with weights of its own."""

    name: str
    kind: str
    weight: str
    parameters: int


def layer_table(network: nn.Module) -> list[Row]:
    """Every layer that has parameters of its own: its name, kind, the shape of its weight, and how many they are."""
    layers: dict[str, dict[str, Tensor]] = {}
    for path, parameter in network.named_parameters():
        name, _, field = path.replace("parametrizations.", "").removesuffix(".original").rpartition(".")
        layers.setdefault(name, {})[field] = parameter
    rows = []
    for name, own in layers.items():
        kind = type(network.get_submodule(name)).__name__.removeprefix("Parametrized")
        shape = max(own.values(), key=torch.Tensor.dim).shape
        rows.append(Row(name, kind, " x ".join(map(str, shape)), sum(p.numel() for p in own.values())))
    return rows
