"""From bodies to players: noise, code and label go in, scores and what else is asked for come out."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from ganbench.networks.layers import FeatureBody
from ganbench.types import Latent, Sizes, UsageError, Verdict

EMBEDDING = 32
"""The length of the learnt vector that stands for a label in a generator."""


def latent_width(sizes: Sizes) -> int:
    """The length of the vector that a generator's body starts from."""
    for_label = {"none": 0, "concat": sizes.classes, "embedding": EMBEDDING, "inside": 0}
    if sizes.labels not in for_label:
        raise UsageError(f"generator.labels: {sizes.labels} is for critics; a generator takes {', '.join(for_label)}")
    return sizes.noise + sizes.code + for_label[sizes.labels]


def seen_shape(sizes: Sizes) -> tuple[int, ...]:
    """The shape that a critic's body sees: that of a thing, with channels (or numbers) for its label."""
    for_label = {"concat": sizes.classes, "embedding": 1 if len(sizes.shape) > 1 else EMBEDDING}
    return (sizes.shape[0] + for_label.get(sizes.labels, 0), *sizes.shape[1:])


def inner_width(sizes: Sizes) -> int:
    """The length of the label beside the input of each fully connected layer of a body."""
    return sizes.classes if sizes.labels == "inside" else 0


def refuse_inside(sizes: Sizes, kind: str) -> None:
    """Raises UsageError where a body of this kind is asked to take labels inside."""
    if sizes.labels == "inside":
        raise UsageError(f"labels: inside is for the networks mlp and dcgan; {kind} takes labels at its ends alone")


class Generator(nn.Module):
    """A body that makes things of vectors, fed with noise, code and label. Images end in tanh: they live in [-1, 1]."""

    def __init__(self, body: nn.Module, sizes: Sizes) -> None:
        super().__init__()
        self.body, self.sizes = body, sizes
        self.label = nn.Embedding(sizes.classes, EMBEDDING) if sizes.labels == "embedding" else None

    def vector(self, latent: Latent) -> Float[Tensor, "batch vector"]:
        """What the body starts from: the noise, and code and label beside it."""
        parts = [latent.z]
        if self.sizes.code:
            assert latent.code is not None
            parts.append(latent.code)
        if self.label:
            parts.append(self.label(latent.y))
        elif self.sizes.labels == "concat":
            parts.append(_one_hot(latent.y, self.sizes.classes))
        return parts[0] if len(parts) == 1 else torch.cat(parts, dim=1)

    def forward(self, latent: Latent) -> Float[Tensor, "batch ..."]:
        return self.finished(self.body(self.vector(latent), *_inside(latent.y, self.sizes)))

    def finished(self, made: Tensor) -> Float[Tensor, "batch ..."]:
        """Things of what the body makes."""
        x = made.view(-1, *self.sizes.shape)
        return x.tanh() if len(self.sizes.shape) > 1 else x


class Critic(nn.Module):
    """A body that makes features of things, with a score, and a head for each other thing that is asked for.

    Projection adds <v_y, features> to the score. arXiv:1802.05637.
    """

    def __init__(self, body: FeatureBody, sizes: Sizes) -> None:
        super().__init__()
        self.body, self.sizes = body, sizes
        features = body.last.in_features
        self.class_head = nn.Linear(features, sizes.classes) if "class" in sizes.heads else None
        self.code_head = nn.Linear(features, sizes.code) if "code" in sizes.heads else None
        width = {"embedding": _plane(sizes.shape), "projection": features}.get(sizes.labels)
        self.label = nn.Embedding(sizes.classes, width) if width else None
        if self.label and sizes.labels == "projection":
            # The product with all features is then of the order of one of them, as the score is.
            nn.init.normal_(self.label.weight, std=features**-0.5)

    def forward(self, x: Float[Tensor, "batch ..."], y: Int[Tensor, " batch"] | None = None) -> Verdict:
        features = self.body.hidden(self._with_label(x, y), *_inside(y, self.sizes))
        score = self.body.last(features).squeeze(1)
        if self.sizes.labels == "projection":
            assert self.label
            score = score + (self.label(y) * features).sum(1)
        return Verdict(
            score,
            self.class_head(features) if self.class_head else None,
            self.code_head(features) if self.code_head else None,
            features,
        )

    def _with_label(self, x: Tensor, y: Tensor | None) -> Tensor:
        """The thing with its label beside it, where labels are part of the input."""
        if self.sizes.labels == "concat":
            label = _one_hot(y, self.sizes.classes)
        elif self.sizes.labels == "embedding":
            assert self.label
            label = self.label(y)
        else:
            return x
        if x.dim() == 2:
            return torch.cat((x, label), dim=1)
        size = x.shape[2:]
        planes = label[:, :, None, None].expand(-1, -1, *size) if self.label is None else label.view(-1, 1, *size)
        return torch.cat((x, planes), dim=1)


def _inside(y: Tensor | None, sizes: Sizes) -> list[Tensor]:
    """What a body is given beside its input: the label, where it takes one inside."""
    return [_one_hot(y, sizes.classes)] if sizes.labels == "inside" else []


def _one_hot(y: Tensor | None, classes: int) -> Tensor:
    assert y is not None
    return F.one_hot(y, classes).float()


def _plane(shape: tuple[int, ...]) -> int:
    """How many numbers the label's plane beside an image has; beside points it is a vector."""
    return shape[1] * shape[2] if len(shape) > 1 else EMBEDDING
