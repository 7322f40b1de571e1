"""`ganbench classify`: recognisers of labelled images, what they read, and labels that they doubt."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from ganbench.data import ImageSet
    from ganbench.data.pictures import Picture
    from ganbench.metrics.audit import Suspects
    from ganbench.metrics.classifier import Classifier
    from ganbench.metrics.recognition import Recognition, Share

app = typer.Typer(help="Train a recogniser of images, test it, read with it, find wrong labels.", no_args_is_help=True)

_ROWS, _EXAMPLES = 16, 12  # of a confusion sheet
_SHOWN = 200  # doubted labels on a sheet

Data = Annotated[str, typer.Argument(help="Labelled images: a name, a folder, an array file, a prepared folder.")]
File = Annotated[Path, typer.Argument(help="A file of `ganbench classify train`.")]
Network = Annotated[str, typer.Option(help="small: the better reader; lenet: that of the 2017 thesis, faster.")]
Seed = Annotated[int, typer.Option(min=0, help="Decides every draw.")]
Threads = Annotated[int, typer.Option(min=1, help="Threads to compute with.")]


@app.command()
def train(
    data: Data,
    out: Annotated[Path, typer.Option(help="The .safetensors file to write.")],
    network: Network = "small",
    epochs: Annotated[int | None, typer.Option(min=1, help="Times that each image is seen.")] = None,
    count: Annotated[int | None, typer.Option(help="Train on so many images, drawn equally from the classes.")] = None,
    labels: Annotated[Path | None, typer.Option(help="corrected.csv of `ganbench classify audit DATA`.")] = None,
    seed: Seed = 0,
    threads: Threads = 1,
) -> None:
    """Train a recogniser of labelled images and test it on images that it was not trained on.

    These are the test part of prepared folders, IDX files and downloads, a fresh draw of built-in sets, and else a
    tenth of the images. Its file also serves as --set features=FILE.safetensors.
    """
    import math
    import time
    from dataclasses import replace

    import torch

    from ganbench.data.parts import cells_of, test_part, train_part
    from ganbench.data.relabelling import relabelled
    from ganbench.errors import UsageError
    from ganbench.metrics.classifier import write_classifier
    from ganbench.metrics.classifier_training import BATCH, balanced, train_classifier, usual_steps
    from ganbench.metrics.features import held_out, telling
    from ganbench.metrics.recognition import recognise

    if out.suffix != ".safetensors":
        raise UsageError(f"--out {out}: a classifier is a .safetensors file")
    images, cells = train_part(data), cells_of(data)
    if labels is not None:
        images = relabelled(images, labels)
    torch.set_num_threads(threads)
    test = test_part(data)
    if test is None:
        images, test = held_out(images)
    if count is not None:
        images = balanced(images, count, seed)
    steps = usual_steps(images) if epochs is None else epochs * math.ceil(len(images) / BATCH)
    out.parent.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    watch = telling(f"training on {len(images):,} images of {images.title}")
    classifier = train_classifier(images, seed, watch, network=network, steps=steps)
    seconds = time.monotonic() - began
    out.write_bytes(write_classifier(replace(classifier.tested(test), cells=cells)))
    print(f"{out}: {network}, {len(images):,} images, {steps:,} steps, {seconds:.0f} s of training")
    _say_shares(recognise(classifier, test, cells.characters if cells else 1))


@app.command()
def evaluate(
    file: File,
    data: Data,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    out: Annotated[Path | None, typer.Option(help="A .png of what was misread, by pairs of classes.")] = None,
) -> None:
    """Test a recogniser: characters and whole strings read right, and what it takes for what.

    Of prepared folders, IDX files, downloads and built-in sets the test part is read, of other data all of it.
    """
    import json as encoder

    from ganbench.data.parts import cells_of, test_part, train_part
    from ganbench.metrics.classifier import read_classifier
    from ganbench.metrics.recognition import recognise

    _require_png(out)
    classifier = read_classifier(file)
    images, cells = test_part(data), cells_of(data)
    if images is None:
        images = train_part(data)
    found = recognise(classifier, images, cells.characters if cells else 1)
    if json:
        names = found.classes
        confused = [{"given": names[i], "read": names[j], "count": len(rows)} for i, j, rows in found.pairs()]
        figures = {"images": _figures(found.accuracy), "strings": _figures(found.strings), "confused": confused}
        print(encoder.dumps({"classifier": str(file), "data": data, **figures}, indent=1))
    else:
        _say_shares(found)
        for i, j, rows in found.pairs()[:_ROWS]:
            print(f"{found.classes[i]} read as {found.classes[j]}: {len(rows):,}")
    if out is not None:
        _draw_confusion(found, images, out)


@app.command()
def predict(
    file: File,
    images: Annotated[list[Path], typer.Argument(help="Image files, or folders of them.")],
    threads: Threads = 1,
) -> None:
    """Read images: a line each of name, text and confidence, separated by tabs.

    An image of the size that the recogniser was trained on is one character. Others are whole captchas, which a
    recogniser trained on a prepared folder cuts as that was cut; the confidence is the product of those of all
    characters. What cannot be read is told of on stderr: the exit code is then 1, and 2 if nothing was read.
    """
    import torch

    from ganbench.errors import UsageError, WorkError
    from ganbench.metrics.classifier import read_classifier

    classifier = read_classifier(file)
    torch.set_num_threads(threads)
    pictures = [picture for path in images for picture in _pictures(path)]
    read = [_predict(classifier, picture) for picture in pictures]
    if not any(read):
        raise UsageError(f"none of {len(read):,} images could be read" if len(read) > 1 else "the image was not read")
    if not all(read):
        raise WorkError(f"{read.count(False):,} of {len(read):,} images could not be read")


@app.command()
def audit(
    data: Data,
    out: Annotated[Path, typer.Option(help="A new folder for audit.csv, corrected.csv and sheet.png.")],
    folds: Annotated[int, typer.Option(help="Parts, each judged by a recogniser trained on the others.")] = 5,
    network: Network = "small",
    seed: Seed = 0,
    threads: Threads = 1,
) -> None:
    """Find probable label errors: labels that recognisers trained on the other images do not believe.

    Confident learning (Northcutt et al. 2021): a label is doubted where another class is likelier and as likely as it
    is, on average, for the images that have it as their label. corrected.csv holds all labels, the probable ones in
    place of the doubted; a person looks at sheet.png, undoes there what is wrong, and trains with it.
    """
    import shlex

    import torch

    from ganbench.data.parts import cells_of, train_part
    from ganbench.data.relabelling import write_labels
    from ganbench.errors import UsageError
    from ganbench.metrics.audit import out_of_fold, suspects
    from ganbench.metrics.features import telling

    if out.exists() and not (out.is_dir() and not any(out.iterdir())):
        raise UsageError(f"--out {out} {'is not empty' if out.is_dir() else 'is a file'}; name a new folder")
    images, cells = train_part(data), cells_of(data)
    characters = cells.characters if cells else 1
    torch.set_num_threads(threads)
    probabilities = out_of_fold(
        images, folds, seed, lambda i: telling(f"fold {i + 1} of {folds}"), network=network, characters=characters
    )
    assert images.labels is not None
    found = suspects(probabilities, images.labels)
    out.mkdir(parents=True, exist_ok=True)
    files = _file_names(Path(data), images, characters)
    _write_suspects(found, images, files, out / "audit.csv")
    write_labels(out / "corrected.csv", found.corrected(images.labels), images.classes, files)
    print(f"{data}: {len(found):,} of {len(images):,} labels are doubted ({len(found) / len(images):.2%})")
    print(f"{out / 'audit.csv'}: which they are, the surest first")
    if len(found):
        _draw_suspects(found, images, out / "sheet.png")
        print(f"{out / 'sheet.png'}: what they look like")
    print(f"{out / 'corrected.csv'}: all labels with the probable ones; undo there what is wrong, and then")
    print(f"ganbench classify train {shlex.quote(data)} --labels {shlex.quote(str(out / 'corrected.csv'))} --out FILE")


def _pictures(path: Path) -> list[Picture]:
    """The images in a folder, in the order of their names; a file is itself."""
    from PIL import Image

    from ganbench.data.folders import pictures_in
    from ganbench.data.pictures import Picture

    if not path.is_dir():
        return [Picture(str(path), partial(Image.open, path))]
    with pictures_in(path) as found:
        return [Picture(str(path / name), opener) for name, opener in found]


def _predict(classifier: Classifier, picture: Picture) -> bool:
    """Prints what an image says, or on stderr why it cannot be read; whether it could."""
    import sys

    from ganbench.errors import UsageError
    from ganbench.metrics.reading import read_image

    try:
        text, confidence = read_image(classifier, picture)
    except UsageError as error:
        print(f"ganbench: {error}", file=sys.stderr)
        return False
    print(f"{picture.name}\t{text}\t{confidence:.4f}")
    return True


def _figures(share: Share | None) -> dict[str, float] | None:
    if share is None:
        return None
    low, high = share.interval()
    return {"right": share.right, "total": share.total, "share": share.value, "low": low, "high": high}


def _say_shares(found: Recognition) -> None:
    for name, share in (("images", found.accuracy), ("whole strings", found.strings)):
        if share is not None:
            low, high = share.interval()
            print(
                f"{share.value:.2%} of {share.total:,} {name} read right "
                f"(95 % interval {low:.2%} to {high:.2%}, {share.total - share.right:,} wrong)"
            )


def _draw_confusion(found: Recognition, images: ImageSet, out: Path) -> None:
    """A row a pair of classes, the most confused first; the surest of its misread images first."""
    from ganbench.figures.captioned import Row, captioned_rows

    pairs = found.pairs()
    if not pairs:
        print("nothing was misread, so there is no sheet to draw")
        return
    names, rows = found.classes, []
    for i, j, misread in pairs[:_ROWS]:
        shown = misread[:_EXAMPLES]
        captions = [f"given {names[i]}\nread {names[j]}\n{found.confidence[row]:.3f}" for row in shown]
        rows.append(Row(f"{names[i]} as {names[j]}: {len(misread):,}", images.pixels[shown], captions))
    share = found.accuracy
    left = f"; {len(pairs) - _ROWS} rarer pairs are not shown" if len(pairs) > _ROWS else ""
    title = f"{images.title}: {share.total - share.right:,} of {share.total:,} misread{left}"
    out.parent.mkdir(parents=True, exist_ok=True)
    captioned_rows(rows, title).save(out, "PNG")
    print(f"picture: {out}")


def _write_suspects(found: Suspects, images: ImageSet, files: list[str], out: Path) -> None:
    import csv

    names = images.classes
    with open(out, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("row", "file", "given", "probable", "given_confidence", "probable_confidence"))
        for row, i, j, p, q in zip(
            found.rows, found.given, found.probable, found.given_confidence, found.probable_confidence, strict=True
        ):
            writer.writerow((row, files[row] if files else "", names[i], names[j], f"{p:.6f}", f"{q:.6f}"))


def _draw_suspects(found: Suspects, images: ImageSet, out: Path) -> None:
    from ganbench.figures.captioned import captioned_sheet

    names, pixels = images.classes, images.pixels[found.rows[:_SHOWN]]
    captions = [
        f"given {names[i]}\nread {names[j]}\n{q:.3f}"
        for i, j, q in zip(found.given, found.probable, found.probable_confidence, strict=True)
    ]
    first = f", the surest {_SHOWN} of them" if len(found) > _SHOWN else ""
    title = f"{images.title}: {len(found):,} of {len(images):,} labels doubted{first}"
    captioned_sheet(pixels, captions[:_SHOWN], title).save(out, "PNG")


def _file_names(path: Path, images: ImageSet, characters: int) -> list[str]:
    """The name of each image's file, of cells that of their captcha; none where they are not known."""
    from ganbench.data.folders import pictures_in
    from ganbench.data.idx import is_idx_folder
    from ganbench.data.prepared import captchas_of, is_prepared

    if is_prepared(path):
        return [name for name, _ in captchas_of(path) for _ in range(characters)] if characters > 1 else []
    if not (path.is_dir() or path.suffix.lower() == ".zip") or is_idx_folder(path):
        return []
    with pictures_in(path) as found:
        names = [picture.name for picture in found]
    return names if len(names) == len(images) else []  # of those that could not be read it is open which they were


def _require_png(out: Path | None) -> None:
    from ganbench.errors import UsageError

    if out is not None and out.suffix != ".png":
        raise UsageError(f"--out {out}: the sheet is a .png file")
