"""A small classifier of images, trained here, whose last hidden layer is the feature space of the image metrics."""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from ganbench.data.images import ImageSet
from ganbench.metrics.embedding import Embedded, Pixels, in_batches
from ganbench.seeds import derive
from ganbench.types import UsageError

WIDTH = 64
"""Numbers of the feature: the last hidden layer, after its ReLU."""

HALVING = (16, 32, 64, 64, 64, 64, 64)
"""Channels of the convolutions that are followed by a halving of the image, from the first; the last two see a grid
of 5 to 9 places a side."""

LAST = (96, 128)

BATCH, RATE, DECAY = 128, 5e-3, 1e-2
SEEN = 600_000
"""Images of 28 x 28 that a training sees in all: ten epochs of MNIST. Larger images are seen less often."""

EPOCHS = range(3, 41)
SCALED = 10_000
"""Training images, at most, by which the features are scaled."""

SHIFT = 14
"""Images are shifted by up to a 14th of their side: two places of 28."""


class Network(nn.Module):
    """3 x 3 convolutions with ReLU, halved by maxima to 5 to 9 places a side; 2 x 2 means; 64 features; classes.

    About 180,000 parameters for 28 x 28 grey images. Batch norm follows each convolution while it is trained
    (`trained=False`) and is a part of the convolution afterwards.
    """

    def __init__(self, shape: tuple[int, int, int], classes: int, *, trained: bool) -> None:
        super().__init__()
        channels, height, width = shape
        halvings = min(max(0, round(math.log2(min(height, width) / 7))), len(HALVING))
        widths = (channels, *HALVING[:halvings], *LAST)
        self.convolutions = nn.ModuleList(
            nn.Conv2d(a, b, 3, padding=1, bias=trained) for a, b in itertools.pairwise(widths)
        )
        self.norms = nn.ModuleList(nn.Identity() if trained else nn.BatchNorm2d(w) for w in widths[1:])
        self.halvings = halvings
        self.hidden = nn.Linear(4 * widths[-1], WIDTH)
        self.classes = nn.Linear(WIDTH, classes)

    def features(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n f"]:
        x = x.contiguous(memory_format=torch.channels_last)
        for depth, (convolution, norm) in enumerate(zip(self.convolutions, self.norms, strict=True)):
            x = F.relu(norm(convolution(x)))
            if depth < self.halvings:
                x = F.max_pool2d(x, 2)
        return F.relu(self.hidden(F.adaptive_avg_pool2d(x, 2).flatten(1)))

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n k"]:
        return self.classes(self.features(x))

    def folded(self, shape: tuple[int, int, int]) -> Network:
        """The same function with each batch norm, its averages fixed, inside its convolution."""
        network = _unfilled(shape, self.classes.out_features)
        self.eval()
        pairs = zip(self.convolutions, self.norms, strict=True)
        fused = [fuse_conv_bn_eval(cast("nn.Conv2d", c), cast("nn.BatchNorm2d", n)) for c, n in pairs]
        network.convolutions = nn.ModuleList(fused)
        network.hidden, network.classes = self.hidden, self.classes
        return network.eval().requires_grad_(False)

    def scale_features(self, pixels: Pixels) -> None:
        """Divides the features by their root mean square over images; what is read stays the same."""
        (features,) = in_batches(lambda x: (self.features(x),), pixels)
        unit = max(float(np.sqrt(np.square(features, dtype=np.float64).mean())), 1e-12)
        for inward in self.hidden.parameters():
            inward.div_(unit)
        self.classes.weight.mul_(unit)


def _unfilled(shape: tuple[int, int, int], classes: int) -> Network:
    """A trained network without its weights; unlike a fresh one, it draws no numbers from torch's global stream."""
    with torch.device("meta"):
        return Network(shape, classes, trained=True)


@dataclass(frozen=True, slots=True, eq=False)
class Classifier:
    """A trained network and what it was trained on; called with pixels it gives features, labels and confidence.

    `shape` is (channels, height, width), `data` the fingerprint of the training images, `accuracy` the share of
    images read right that it was not trained on, where it was tried on any.
    """

    network: Network
    shape: tuple[int, int, int]
    classes: tuple[str, ...]
    data: str
    accuracy: float | None = None

    def __call__(self, pixels: Pixels) -> Embedded:
        """Raises UsageError where the images are not of the shape that the network was trained on."""
        shape = (3 if pixels.ndim == 4 else 1, *pixels.shape[1:3])
        if shape != self.shape:
            raise UsageError(f"this feature network sees images of {_said(self.shape)}; these are {_said(shape)}")
        features, logits = in_batches(self._both, pixels)
        probabilities = torch.from_numpy(logits).softmax(dim=1).max(dim=1)
        return Embedded(features, probabilities.indices.numpy(), probabilities.values.numpy())

    def _both(self, x: Float[Tensor, "n c h w"]) -> tuple[Tensor, Tensor]:
        features = self.network.features(x)
        return features, self.network.classes(features)

    def tested(self, images: ImageSet) -> Classifier:
        """This classifier with its accuracy on labelled images."""
        return replace(self, accuracy=float(np.mean(self(images.pixels).labels == images.labels)))


def _said(shape: tuple[int, ...]) -> str:
    return f"{shape[1]} x {shape[2]} pixels, {'grey' if shape[0] == 1 else 'rgb'}"


def train_classifier(
    images: ImageSet, seed: int = 0, watch: Callable[[float], None] = lambda share: None
) -> Classifier:
    """A classifier of labelled images: cross-entropy, AdamW with one cycle of the rate, batches of 128, small shifts.

    It sees about 600,000 images of 28 x 28 (at most 40 epochs; fewer images where they are larger), which takes
    about three minutes on one core. Its features have a mean square of 1 over the training images, so that figures over
    two networks are of one order. `watch` is told the share that is done. Every draw follows from `seed`.

    Raises:
        UsageError: the images have no labels.
    """
    if images.labels is None:
        raise UsageError(f"{images.name}: a feature network is trained on labelled images; these have no labels")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(derive(seed, "classifier", "weights"))
        network = Network(images.shape, len(images.classes), trained=False)
    network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    epochs = _epochs(images)
    steps = epochs * math.ceil(len(images) / BATCH)
    optimizer = torch.optim.AdamW(network.parameters(), lr=RATE, weight_decay=DECAY, fused=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=steps, pct_start=0.2)
    for step, (x, y) in enumerate(_batches(images, epochs, derive(seed, "classifier", "order"))):
        optimizer.zero_grad()
        F.cross_entropy(network(x), y).backward()
        optimizer.step()
        schedule.step()
        watch((step + 1) / steps)
    network = network.folded(images.shape)
    network.scale_features(images.pixels[:SCALED])
    return Classifier(network, images.shape, images.classes, images.fingerprint)


def _epochs(images: ImageSet) -> int:
    _, height, width = images.shape
    seen = SEEN * 28 * 28 / max(28 * 28, height * width)
    return min(max(EPOCHS.start, round(seen / len(images))), EPOCHS.stop - 1)


def _batches(images: ImageSet, epochs: int, seed: int) -> Iterator[tuple[Float[Tensor, "b c h w"], Int[Tensor, " b"]]]:
    """Shuffled batches of scaled, shifted images; what a shift uncovers repeats the edge."""
    rng = torch.Generator().manual_seed(seed)
    things, labels = images.things(), torch.from_numpy(np.array(images.labels))
    for _ in range(epochs):
        for rows in torch.randperm(len(things), generator=rng).split(BATCH):
            if len(rows) > 1:  # batch norm has no variance of one
                yield _shifted(things[rows].float() / 127.5 - 1, rng), labels[rows]


def _shifted(x: Float[Tensor, "b c h w"], rng: torch.Generator) -> Float[Tensor, "b c h w"]:
    _, _, height, width = x.shape
    reach = max(1, min(height, width) // SHIFT)
    windows = F.pad(x, (reach,) * 4, mode="replicate").unfold(2, height, 1).unfold(3, width, 1)
    down, right = torch.randint(0, 2 * reach + 1, (2, len(x)), generator=rng)
    return windows[torch.arange(len(x)), :, down, right]


def write_classifier(classifier: Classifier) -> bytes:
    """A classifier as the content of a safetensors file: weights in fp32, the rest in its metadata."""
    facts = {
        "shape": classifier.shape,
        "classes": classifier.classes,
        "data_sha256": classifier.data,
        "accuracy": classifier.accuracy,
    }
    tensors = {name: tensor.contiguous() for name, tensor in classifier.network.state_dict().items()}
    return save(tensors, {"ganbench": json.dumps(facts)})


def read_classifier(path: Path) -> Classifier:
    """The classifier that `write_classifier` wrote.

    Raises:
        UsageError: the file is not there, is damaged, or holds something else.
    """
    try:
        with safe_open(path, "pt") as file:
            facts = json.loads((file.metadata() or {})["ganbench"])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118, it is no mapping
        shape, classes = tuple(facts["shape"]), tuple(facts["classes"])
        network = _unfilled(shape, len(classes))
        network.load_state_dict(tensors, assign=True)
    except FileNotFoundError:
        raise UsageError(f"{path}: there is no such file of a feature network") from None
    except (SafetensorError, KeyError, ValueError, TypeError, RuntimeError):
        raise UsageError(f"{path} is no feature network; `ganbench features DATA --out FILE` writes one") from None
    network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return Classifier(network.eval().requires_grad_(False), shape, classes, facts["data_sha256"], facts["accuracy"])
