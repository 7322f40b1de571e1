"""A classifier of images: a trained network, what it was trained on, and the file that holds both."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from ganbench.data.cells import Cells
from ganbench.data.images import ImageSet
from ganbench.metrics.classifier_networks import Network, unfilled
from ganbench.metrics.embedding import Embedded, Pixels, in_batches
from ganbench.settings import from_tree, to_tree
from ganbench.types import UsageError


@dataclass(frozen=True, slots=True, eq=False)
class Classifier:
    """A trained network and what it was trained on; called with pixels it gives features, labels and confidence.

    `shape` is (channels, height, width), `data` the fingerprint of the training images, `accuracy` the share of
    images read right that it was not trained on, where it was tried on any, `cells` how whole captchas are cut into
    such images, where they were cut from captchas.
    """

    network: Network
    shape: tuple[int, int, int]
    classes: tuple[str, ...]
    data: str
    accuracy: float | None = None
    cells: Cells | None = None

    def __call__(self, pixels: Pixels) -> Embedded:
        """Raises UsageError where the images are not of the shape that the network was trained on."""
        features, logits = self._seen(pixels)
        probabilities = torch.from_numpy(logits).softmax(dim=1).max(dim=1)
        return Embedded(features, probabilities.indices.numpy(), probabilities.values.numpy())

    def probabilities(self, pixels: Pixels) -> Float[np.ndarray, "n k"]:
        """Of each class, in float64. Raises UsageError as a call does."""
        _, logits = self._seen(pixels)
        return torch.from_numpy(logits).double().softmax(dim=1).numpy()

    def _seen(self, pixels: Pixels) -> tuple[np.ndarray, ...]:
        shape = (3 if pixels.ndim == 4 else 1, *pixels.shape[1:3])
        if shape != self.shape:
            raise UsageError(f"this feature network sees images of {said(self.shape)}; these are {said(shape)}")
        return in_batches(self._both, pixels, self.network)

    def _both(self, x: Float[Tensor, "n c h w"]) -> tuple[Tensor, Tensor]:
        features = self.network.features(x)
        return features, self.network.classes(features)

    def tested(self, images: ImageSet) -> Classifier:
        """This classifier with its accuracy on labelled images."""
        return replace(self, accuracy=float(np.mean(self(images.pixels).labels == images.labels)))


def places_of(names: Sequence[str], classes: Sequence[str]) -> Int[np.ndarray, " k"]:
    """Where each of a data set's classes stands among those of a classifier: by its name; -1 where it is not there.

    Where one side has no names, its classes being called by their numbers, these count through as many of the other's.

    >>> places_of(("b", "z", "a"), ("a", "b", "c")).tolist(), places_of(("0", "1"), ("shirt", "coat")).tolist()
    ([1, -1, 0], [0, 1])
    """
    known = {name: place for place, name in enumerate(classes)}
    places = np.array([known.get(name, -1) for name in names], dtype=np.int64)
    numbers = tuple(map(str, range(len(classes))))
    numbered = len(names) == len(classes) and numbers in (tuple(names), tuple(classes))
    return np.arange(len(names)) if numbered and (places < 0).all() else places


def said(shape: tuple[int, ...]) -> str:
    """A shape (channels, height, width) in words.

    >>> said((1, 20, 30))
    '30 x 20 pixels, grey'
    """
    return f"{shape[2]} x {shape[1]} pixels, {'grey' if shape[0] == 1 else 'rgb'}"


def write_classifier(classifier: Classifier) -> bytes:
    """A classifier as the content of a safetensors file: weights in fp32, the rest in its metadata."""
    facts: dict[str, Any] = {
        "shape": classifier.shape,
        "classes": classifier.classes,
        "data_sha256": classifier.data,
        "accuracy": classifier.accuracy,
    }
    if classifier.network.name != "small":
        facts["network"] = classifier.network.name
    if classifier.cells is not None:
        facts["cells"] = to_tree(classifier.cells, for_file=True)
    tensors = {name: tensor.contiguous() for name, tensor in classifier.network.state_dict().items()}
    return save(tensors, {"ganbench": json.dumps(facts)})


def save_classifier(classifier: Classifier, path: Path) -> None:
    """Writes its file, which is there whole or not at all. Raises OSError where it cannot be written."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = _beside(path)
    try:
        temporary.write_bytes(write_classifier(classifier))
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def require_writable(path: Path) -> None:
    """Makes the folder of a file and tries to write there: before long work, so that it is not done in vain.

    Raises:
        UsageError: it is a folder, or cannot be written.
    """
    if path.is_dir():
        raise UsageError(f"{path} is a folder, where a file is to be written")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = _beside(path)
        temporary.touch()
        temporary.unlink()
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}") from None


def _beside(path: Path) -> Path:
    return path.with_name(f".{path.name}.{os.getpid()}")


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
        if not all(isinstance(name, str) for name in classes) or {t.dtype for t in tensors.values()} != {torch.float32}:
            raise TypeError
        network = unfilled(facts.get("network", "small"), shape, len(classes))
        network.load_state_dict(tensors, assign=True)
        cells = from_tree(Cells, facts["cells"]) if "cells" in facts else None
        data, accuracy = facts["data_sha256"], facts["accuracy"]
    except FileNotFoundError:
        raise UsageError(f"{path}: there is no such file of a classifier") from None
    except (SafetensorError, OSError, KeyError, ValueError, TypeError, RuntimeError, UsageError):
        raise UsageError(
            f"{path} is no classifier of ganbench; `ganbench classify train DATA --out FILE` writes one"
        ) from None
    network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return Classifier(network.eval().requires_grad_(False), shape, classes, data, accuracy, cells)
