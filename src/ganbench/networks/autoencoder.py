"""Critics that rebuild what they see: the better they can, the more real it is."""

from __future__ import annotations

from typing import Literal

import torch
from jaxtyping import Float
from pydantic import PositiveInt
from torch import Tensor, nn

from ganbench.networks.dcgan import DCGAN, Downward, Upward
from ganbench.networks.layers import Init, Norm, Width, initialise
from ganbench.settings import settings
from ganbench.types import Sizes, UsageError, Verdict


@settings
class Autoencoder:
    """Convolutions of stride 2 down to a code of a few numbers and back. EBGAN, arXiv:1609.03126; BEGAN,
    arXiv:1703.10717.

    The score is minus the error between an image x and its copy x': `norm` is |x - x'|, the Euclidean norm over all
    pixels; `absolute` the mean of |x - x'| over them, `squared` that of (x - x')^2. The embedding is the code; sides
    are halved `halvings` times. With the `target` held, no gradient passes through x itself, only through its copy:
    so has much code, and it is here to be compared with.
    """

    channels: Width = 64
    halvings: PositiveInt = 1
    code: Width = 32
    error: Literal["norm", "absolute", "squared"] = "norm"
    target: Literal["moving", "held"] = "moving"
    norm: Norm = "none"
    init: Init = "default"

    def generator(self, sizes: Sizes) -> nn.Module:
        raise UsageError("generator.network: an autoencoder is a critic; use dcgan, residual or mlp")

    def critic(self, sizes: Sizes) -> nn.Module:
        if sizes.labels != "none" or sizes.heads:
            raise UsageError("critic.network: an autoencoder's score is its error; it has no heads and takes no labels")
        return AutoencoderCritic(self, sizes.shape)


class AutoencoderCritic(nn.Module):
    """See Autoencoder."""

    def __init__(self, settings: Autoencoder, shape: tuple[int, ...]) -> None:
        super().__init__()
        pair = DCGAN(settings.channels, settings.halvings, norm=settings.norm, init=settings.init)
        self.encoder = Downward(pair, shape)
        self.encoder.last = nn.Linear(self.encoder.last.in_features, settings.code)
        initialise(self.encoder.last, settings.init)
        self.decoder = Upward(settings.code, pair, shape)
        self.error: Literal["norm", "absolute", "squared"] = settings.error
        self.held = settings.target == "held"

    def code(self, x: Float[Tensor, "batch ..."]) -> Float[Tensor, "batch code"]:
        return self.encoder.last(self.encoder.hidden(x))

    def rebuilt(self, code: Float[Tensor, "batch code"]) -> Float[Tensor, "batch ..."]:
        """The copies. They are not squashed: a tanh can settle on all black, where it has no gradient."""
        return self.decoder(code)

    def forward(self, x: Float[Tensor, "batch ..."], y: Tensor | None = None) -> Verdict:
        code = self.code(x)
        difference = ((x.detach() if self.held else x) - self.rebuilt(code)).flatten(1)
        match self.error:
            case "norm":
                error = torch.linalg.vector_norm(difference, dim=1)
            case "absolute":
                error = difference.abs().mean(1)
            case "squared":
                error = difference.square().mean(1)
        return Verdict(-error, embedding=code)
