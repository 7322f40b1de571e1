"""The features of the usual FID, from a file of Inception that the user has."""

from __future__ import annotations

from pathlib import Path
from pickle import UnpicklingError

import torch
import torch.nn.functional as F
from jaxtyping import Float
from safetensors import SafetensorError
from torch import Tensor, nn

from ganbench.metrics.embedding import Embedded, Pixels, in_batches
from ganbench.metrics.inception_network import InceptionV3
from ganbench.types import UsageError

SIDE = 299

AT_ONCE = 32
"""Images that go through the network together: about half a gigabyte of maps."""

NEEDED = (
    "needed is what public FID code loads: the weights pt_inception-2015-12-05-6726825d.pth, or the whole network "
    "inception-2015-12-05.pt"
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

    name = "inception"

    def __init__(self, path: Path) -> None:
        self.path = path
        if not path.is_file():
            raise UsageError(f"{path}: there is no such file of Inception; {NEEDED}")
        try:
            self.network: nn.Module = torch.jit.load(str(path), map_location="cpu").eval()
        except RuntimeError:
            self.network = _ported(path)
        schema = getattr(self.network.forward, "schema", None)
        asked = {argument.name for argument in schema.arguments} if schema else set()
        self.options = {"return_features": True} if "return_features" in asked else {}

    def __call__(self, pixels: Pixels) -> Embedded:
        (features,) = in_batches(self._features, pixels, self.network, AT_ONCE)
        return Embedded(features)

    def _features(self, x: Float[Tensor, "n c h w"]) -> tuple[Tensor]:
        x = (x.expand(-1, 3, -1, -1) + 1) * 127.5
        x = F.interpolate(x, (SIDE, SIDE), mode="bilinear", antialias=True)
        try:
            features = self.network(x, **self.options)
        except torch.OutOfMemoryError:
            raise
        except RuntimeError:
            raise UsageError(f"{self.path} does not take (n, 3, {SIDE}, {SIDE}) values in [0, 255]") from None
        if not isinstance(features, Tensor) or features.ndim != 2 or len(features) != len(x):
            raise UsageError(f"{self.path} does not give a row of features for each image")
        return (features.float(),)


def _ported(path: Path) -> InceptionV3:
    """The network with the weights of a state dict."""
    try:
        weights = torch.load(path, map_location="cpu", weights_only=True)
    except (RuntimeError, UnpicklingError, EOFError, SafetensorError):
        raise UsageError(f"{path} is neither weights nor a network of Inception; {NEEDED}") from None
    with torch.device("meta"):  # the file has all weights: none are drawn, so that no random stream moves
        network = InceptionV3()
    wanted = network.state_dict()
    counts = {name: torch.zeros((), dtype=torch.long) for name in wanted if name.endswith("num_batches_tracked")}
    given = counts | (weights if isinstance(weights, dict) else {})
    for name, value in wanted.items():
        if getattr(given.get(name), "shape", None) != value.shape:
            raise UsageError(f"{path} holds no {name} of shape {tuple(value.shape)}; {NEEDED}")
    network.load_state_dict({name: given[name] for name in wanted}, assign=True)
    return network.float().eval()
