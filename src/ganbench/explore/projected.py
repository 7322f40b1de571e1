"""Image files that are looked for in a generator's noise, and the folder's files of what was found."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path, PurePath
from typing import NamedTuple

import numpy as np
from jaxtyping import Int

from ganbench.checkpoints import write_atomically
from ganbench.data.folders import pictures_at
from ganbench.data.images import Images
from ganbench.data.pictures import fitted, read_picture
from ganbench.explore.attributes import Attributes
from ganbench.explore.projection import Projection
from ganbench.explore.subject import Subject
from ganbench.figures.animation import save_image
from ganbench.figures.sheets import labelled_sheet
from ganbench.metrics.embedding import Pixels
from ganbench.types import UsageError

SHOWN = 24
"""Images in the picture, at most."""


class Targets(NamedTuple):
    """Images to be looked for: what they are called, and the labels that the generator is asked for, if any."""

    names: list[str]
    pixels: Pixels
    labels: Int[np.ndarray, " n"] | None


def targets_at(path: Path, subject: Subject, attributes: Attributes) -> Targets:
    """An image file or a folder's, made like the generator's images. Raises UsageError as the parts of this do."""
    names, pixels = images_at(path, subject)
    return Targets(names, pixels, labels_for(names, pixels, subject, attributes))


def images_at(path: Path, subject: Subject) -> tuple[list[str], Pixels]:
    """The names and pixels of an image file or a folder's, in the size and colours of what the generator makes.

    Raises UsageError where one cannot be read, or is of another size and the generator's images are no squares.
    """
    height, width, *colours = subject.images(subject.latents(1, seed=0)).shape[1:]
    mode, names, made = "RGB" if colours else "L", [], []
    for name, opener in pictures_at(path):
        picture = read_picture(opener, Images(colour="rgb" if colours else "grey"))
        if picture is None:
            raise UsageError(f"{name}: there is no such image, or it cannot be read")
        if picture.size != (width, height):
            if width != height:
                raise UsageError(f"{name} is of another size than the {width} x {height} that {subject.name} makes")
            picture = fitted(picture, width)
        names.append(name)
        made.append(np.asarray(picture.convert(mode)))
    return names, np.stack(made)


def labels_for(
    names: Sequence[str], pixels: Pixels, subject: Subject, attributes: Attributes
) -> Int[np.ndarray, " n"] | None:
    """What a generator is asked for to make such images: of each the class that its folder is called, or else is read.

    None where it takes no labels. Raises UsageError where nothing tells them.
    """
    if subject.labels is None:
        return None
    numbers = {name: number for number, name in enumerate(subject.classes)}
    told = [numbers.get(PurePath(name).parent.name) for name in names]
    if None not in told:
        return np.array(told)
    if attributes.reader is None or attributes.classes != subject.classes:
        raise UsageError(
            f"{names[told.index(None)]}: {subject.name} is asked for labels, and nothing here reads them: put the "
            f"image in a folder that is called as its class, such as {subject.classes[0]}"
        )
    read = attributes.reader.probabilities(pixels).argmax(axis=1)
    return np.array([seen if label is None else label for label, seen in zip(told, read, strict=True)])


def write_projection(targets: Targets, found: Projection, title: str, out: Path) -> Path:
    """`projection.png`, in which each image stands beside what was found, and `projection.json` with its noise."""
    names, pixels, _ = targets
    shown = min(len(names), SHOWN)
    pairs = np.stack([pixels[:shown], found.images[:shown]], axis=1)
    rows = [f"{PurePath(name).name}: {error:.3f}" for name, error in zip(names[:shown], found.error, strict=False)]
    sheet = labelled_sheet(pairs.reshape(-1, *pixels.shape[1:]), rows, ("image", "found"), title)
    save_image(sheet, out / "projection.png")
    entries = [
        {"image": name, "error": float(error), "noise": z.tolist()}
        for name, error, z in zip(names, found.error, found.z, strict=True)
    ]
    write_atomically(out / "projection.json", json.dumps(entries, indent=1).encode())
    return out / "projection.png"
