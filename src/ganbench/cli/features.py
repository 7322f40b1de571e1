"""`ganbench features`: the classifier whose features the image metrics rest on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from ganbench.data.images import ImageSet


def command(
    data: Annotated[str, typer.Argument(help="Labelled images: a name, a folder, an array file.")],
    out: Annotated[Path, typer.Option(help="The .safetensors file to write.")],
    seed: Annotated[int, typer.Option(help="Decides every draw.")] = 0,
    threads: Annotated[int, typer.Option(min=1, help="Threads to compute with.")] = 1,
) -> None:
    """Train a small classifier of labelled images, whose features image metrics can rest on, and test it.

    It is tested on the test part of IDX files and downloads, on a fresh draw of digits, and else on a tenth of the
    images, which it is then not trained on.
    """
    import torch

    from ganbench.data import PointSet, load
    from ganbench.errors import UsageError
    from ganbench.metrics.classifier import train_classifier, write_classifier
    from ganbench.metrics.features import held_out, telling

    if out.suffix != ".safetensors":
        raise UsageError(f"--out {out}: a feature network is a .safetensors file")
    images = load(data)
    if isinstance(images, PointSet):
        raise UsageError(f"{data} is a set of points; feature networks are trained on labelled images")
    torch.set_num_threads(threads)
    test = _test_part(data)
    if test is None:
        images, test = held_out(images)
    out.parent.mkdir(parents=True, exist_ok=True)
    classifier = train_classifier(images, seed, telling(f"training on {len(images):,} images of {images.title}"))
    classifier = classifier.tested(test)
    out.write_bytes(write_classifier(classifier))
    print(f"{out}: {classifier.accuracy:.2%} of {len(test):,} test images read right")


def _test_part(data: str) -> ImageSet | None:
    """Images that belong to a set and are no part of it."""
    from ganbench.data.digits import digits
    from ganbench.data.downloads import DOWNLOADS, fetch
    from ganbench.data.idx import is_idx_folder, read_idx_folder
    from ganbench.errors import UsageError

    if data == "digits":
        return digits(seed=1)
    folder = fetch(data) if data in DOWNLOADS else Path(data)
    if not (folder.is_dir() and is_idx_folder(folder)):
        return None
    try:
        return read_idx_folder(folder, "test")
    except UsageError:  # only the train part is there
        return None
