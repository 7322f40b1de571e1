"""The features of the usual FID, from a file of Inception that the user has."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from ganbench.metrics.embedding import Embedded, Pixels, in_batches
from ganbench.metrics.inception_network import InceptionV3
from ganbench.types import UsageError

SIDE = 299

AT_ONCE = 32
"""Images that go through the network together: about half a gigabyte of maps."""

NEEDED = (
    "needed is what public FID code loads: the weights pt_inception-2015-12-05-6726825d.pth of pytorch-fid, or the "
    "whole network inception-2015-12-05.pt of StyleGAN's code"
)


class Inception:
    """Inception v3 in a file of the user's: ported weights, or a whole network that `torch.jit.save` wrote.

    Weights are a state dict for `InceptionV3`, as `pt_inception-2015-12-05-6726825d.pth` is. A whole network, such as
    `inception-2015-12-05.pt`, maps (n, 3, 299, 299) values in [0, 255] to (n, f) features; an argument
    `return_features` of it is set. The two files that are named here hold the same network.

    Grey images are repeated in three channels, and all images are resized here, by bilinear interpolation with
    antialiasing, to 299 x 299. Other scripts resize in other ways (without antialiasing, or in 8 bits), so that figures
    may differ a little from theirs.

    Raises UsageError where the file is not there or is neither.
    """

    name, slow = "inception", True

    def __init__(self, path: Path) -> None:
        if not path.is_file():
            raise UsageError(f"{path}: there is no such file of Inception; {NEEDED}")
        self.network = _scripted(path) or _ported(path)

    def __call__(self, pixels: Pixels) -> Embedded:
        (features,) = in_batches(self._features, pixels, self.network, AT_ONCE)
        return Embedded(features)

    def _features(self, x: Float[Tensor, "n c h w"]) -> tuple[Tensor]:
        x = (x.expand(-1, 3, -1, -1) + 1) * 127.5
        return (self.network(F.interpolate(x, (SIDE, SIDE), mode="bilinear", antialias=True)).float(),)


class Scripted(nn.Module):
    """A TorchScript network, asked for features where it can give something else."""

    def __init__(self, network: Any) -> None:
        super().__init__()
        self.network = network
        asked = {argument.name for argument in network.forward.schema.arguments}
        self.options = {"return_features": True} if "return_features" in asked else {}

    def forward(self, x: Float[Tensor, "n 3 299 299"]) -> Tensor:
        return self.network(x, **self.options)


def _scripted(path: Path) -> Scripted | None:
    """The whole network of a file, tried on two images; None where it holds none."""
    try:
        network = Scripted(torch.jit.load(str(path), map_location="cpu").eval())
    except RuntimeError:
        return None
    try:
        with torch.inference_mode():
            features = network(torch.zeros(2, 3, SIDE, SIDE))
    except RuntimeError:
        raise UsageError(f"{path} does not take (n, 3, {SIDE}, {SIDE}) values in [0, 255]") from None
    if not isinstance(features, Tensor) or features.ndim != 2 or len(features) != 2:
        raise UsageError(f"{path} does not give a row of features for each image")
    return network


def _ported(path: Path) -> InceptionV3:
    """The network with the weights of a state dict."""
    try:
        weights = torch.load(path, map_location="cpu", weights_only=True)
    except Exception:  # bytes that are no state dict lead the unpickler into errors of every kind
        raise UsageError(f"{path} is neither weights nor a network of Inception; {NEEDED}") from None
    with torch.device("meta"):  # the file has all weights: none are drawn, so that no random stream moves
        network = InceptionV3()
    wanted = network.state_dict()
    counts = {name: torch.zeros((), dtype=torch.long) for name in wanted if name.endswith("num_batches_tracked")}
    given = counts | (weights if isinstance(weights, dict) else {})
    for name, value in wanted.items():
        if getattr(given.get(name), "shape", None) != value.shape:
            raise UsageError(
                f"{path} holds weights of another network (no {name} of shape {tuple(value.shape)}); {NEEDED}"
            )
    network.load_state_dict({name: given[name] for name in wanted}, assign=True)
    return network.float().eval()
