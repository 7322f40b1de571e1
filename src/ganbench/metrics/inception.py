"""The features of the usual FID, from a TorchScript file of the user's own."""

from __future__ import annotations

from pathlib import Path

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from ganbench.metrics.embedding import Embedded, Pixels, in_batches
from ganbench.types import UsageError

SIDE = 299

NEEDED = (
    "needed is a whole network that torch.jit.save wrote, such as inception-2015-12-05.pt, and not weights alone (a "
    "state dict, as a rule .pth)"
)


class Inception:
    """A whole network in a TorchScript file (`torch.jit.save`), as `inception-2015-12-05.pt` of public FID code is one.

    It maps (n, 3, 299, 299) values in [0, 255] to (n, f) features, f being 2,048 as a rule; an argument
    `return_features` of it is set. Weights alone (a state dict, as a rule .pth) are not enough.

    Grey images are repeated in three channels, and all images are resized here, by bilinear interpolation with
    antialiasing, to 299 x 299. Other scripts resize in other ways (without antialiasing, or in 8 bits), so that figures
    may differ a little from theirs.

    Raises UsageError where the file is not there or is no such network.
    """

    name = "inception"

    def __init__(self, path: Path) -> None:
        self.path = path
        if not path.is_file():
            raise UsageError(f"{path}: there is no such TorchScript file of Inception; {NEEDED}")
        try:
            self.network = torch.jit.load(str(path), map_location="cpu").eval()
        except RuntimeError:
            raise UsageError(f"{path} is no TorchScript file; {NEEDED}") from None
        asked = {argument.name for argument in self.network.forward.schema.arguments}
        self.options = {"return_features": True} if "return_features" in asked else {}

    def __call__(self, pixels: Pixels) -> Embedded:
        (features,) = in_batches(self._features, pixels, self.network)
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
