"""`ganbench classify`: recognisers of labelled images, what they read, and labels that they doubt."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from ganbench.data import ImageSet
    from ganbench.data.pictures import Picture
    from ganbench.metrics.classifier import Classifier
    from ganbench.metrics.recognition import Recognition, Share

app = typer.Typer(help="Train a recogniser of images, test it, read with it, find wrong labels.", no_args_is_help=True)

_PAIRS = 16  # of classes that are named

Data = Annotated[str, typer.Argument(help="Labelled images: a name, a folder, an array file, a prepared folder.")]
File = Annotated[Path, typer.Argument(help="A file of `ganbench classify train`.")]
Network = Annotated[str, typer.Option(help="small: better with few images; lenet: that of the 2017 thesis, faster.")]
Seed = Annotated[int, typer.Option(min=0, help="Decides every draw.")]
Threads = Annotated[int, typer.Option(min=1, max=1024, help="Threads to compute with.")]


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
    tenth of the images, of captchas whole ones. Its file also serves as --set features=FILE.safetensors.
    """
    import math
    import time
    from dataclasses import replace

    import torch

    from ganbench.data.parts import cells_of, characters_of, files_of, test_part, train_part
    from ganbench.data.relabelling import relabelled
    from ganbench.errors import UsageError
    from ganbench.metrics.classifier import require_writable, save_classifier
    from ganbench.metrics.classifier_training import BATCH, balanced, require_trainable, train_classifier, usual_steps
    from ganbench.metrics.features import held_out, telling
    from ganbench.metrics.recognition import labels_for, recognise

    if out.suffix != ".safetensors":
        raise UsageError(f"--out {out}: a classifier is a .safetensors file")
    images, characters = train_part(data), characters_of(data)
    if labels is not None:
        images = relabelled(images, labels, files_of(data, images))
    require_trainable(images, network)
    test = test_part(data)
    if test is None:
        images, test = held_out(images, characters)
    labels_for(test, images.shape, images.classes)
    if count is not None:
        images = balanced(images, count, seed)
    require_writable(out)
    torch.set_num_threads(threads)
    steps = usual_steps(images) if epochs is None else epochs * math.ceil(len(images) / BATCH)
    began = time.monotonic()
    watch = telling(f"training on {len(images):,} images of {images.title}")
    classifier = train_classifier(images, seed, watch, network=network, steps=steps)
    seconds = time.monotonic() - began
    found = recognise(classifier, test, characters)
    save_classifier(replace(classifier, accuracy=found.accuracy.value, cells=cells_of(data)), out)
    print(f"{out}: {network}, {len(images):,} images, {steps:,} steps, {seconds:.0f} s of training")
    _say_shares(found)


@app.command()
def evaluate(
    file: File,
    data: Data,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    out: Annotated[Path | None, typer.Option(help="A .png of what was misread, by pairs of classes.")] = None,
    threads: Threads = 1,
) -> None:
    """Test a recogniser: characters and whole strings read right, and what it takes for what.

    Of prepared folders, IDX files, downloads and built-in sets the test part is read. Of other data all images are,
    which it may have been trained on; a warning says so where it was trained on all of them, with these labels.
    """
    import json as encoder
    import sys

    import torch

    from ganbench.data.parts import characters_of, test_part, train_part
    from ganbench.errors import UsageError
    from ganbench.metrics.classifier import read_classifier, require_writable
    from ganbench.metrics.recognition import recognise

    if out is not None:
        if out.suffix != ".png":
            raise UsageError(f"--out {out}: the sheet is a .png file")
        require_writable(out)
    classifier = read_classifier(file)
    torch.set_num_threads(threads)
    test, characters = test_part(data), characters_of(data)
    images = train_part(data) if test is None else test
    found = recognise(classifier, images, characters)
    _warn_of_known(classifier, images, characters)
    if json:
        names = found.classes
        confused = [{"given": names[i], "read": names[j], "count": len(rows)} for i, j, rows in found.pairs()]
        figures = {"images": _figures(found.accuracy), "strings": _figures(found.strings), "confused": confused}
        what = {"classifier": str(file), "data": data, "part": "all" if test is None else "test"}
        print(encoder.dumps({**what, **figures}, indent=1))
    else:
        all_of_it = f"all {len(images):,} images, which it may have been trained on"
        print(f"{data}: {all_of_it if test is None else f'the test part, {len(images):,} images'}")
        _say_shares(found)
        for i, j, rows in found.pairs()[:_PAIRS]:
            print(f"{found.classes[i]} read as {found.classes[j]}: {len(rows):,}")
    if out is not None:
        print(_drawn(found, images, out), file=sys.stderr if json else sys.stdout)


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
    read = [could for path in images for could in _predict_at(classifier, path)]
    if not any(read):
        raise UsageError("nothing was read")
    if not all(read):
        raise WorkError(f"{read.count(False):,} of {len(read):,} images or folders could not be read")


@app.command()
def audit(
    data: Data,
    out: Annotated[Path, typer.Option(help="A new folder for audit.csv, corrected.csv and sheet.png.")],
    folds: Annotated[int, typer.Option(help="Parts, each judged by a recogniser trained on the others.")] = 5,
    network: Network = "small",
    seed: Seed = 0,
    threads: Threads = 1,
) -> None:
    """Find probable label errors: labels to train on that recognisers trained on the other images do not believe.

    Confident learning (Northcutt et al. 2021): a label is doubted where another class is as likely as it is, on
    average, for the images that have it as their label; here probabilities are squared for that, and the other class
    must be likelier than the label. audit.csv has the probabilities as they were. corrected.csv holds all labels, the
    probable ones in place of the doubted; a person looks at sheet.png, undoes in corrected.csv, by the row, what is
    wrong, and trains with it.
    """
    import shlex

    import torch

    from ganbench.data.parts import characters_of, files_of, test_part, train_part
    from ganbench.data.relabelling import write_labels
    from ganbench.data.writing import require_new
    from ganbench.figures.recognition import suspects_sheet
    from ganbench.metrics.audit import folds_of, out_of_fold, suspects, write_suspects
    from ganbench.metrics.classifier import require_writable
    from ganbench.metrics.classifier_training import require_trainable
    from ganbench.metrics.features import telling

    require_new(out)
    images, characters = train_part(data), characters_of(data)
    require_trainable(images, network)
    folds_of(images, folds, seed, characters)
    require_writable(out / "audit.csv")
    torch.set_num_threads(threads)
    probabilities = out_of_fold(
        images, folds, seed, lambda i: telling(f"fold {i + 1} of {folds}"), network=network, characters=characters
    )
    assert images.labels is not None
    found = suspects(probabilities, images.labels)
    files = files_of(data, images)
    write_suspects(found, images.classes, files, out / "audit.csv")
    write_labels(out / "corrected.csv", images, found.corrected(images.labels), files)
    print(f"{data}: {len(found):,} of {len(images):,} labels to train on are doubted ({len(found) / len(images):.2%})")
    if (test := test_part(data)) is not None:
        print(f"the {len(test):,} labels of the test part were not looked at")
    print(f"{out / 'audit.csv'}: which they are, the surest first")
    if len(found):
        suspects_sheet(found, images).save(out / "sheet.png")
        print(f"{out / 'sheet.png'}: what they look like, with their rows")
    print(f"{out / 'corrected.csv'}: all labels with the probable ones; undo there what is wrong, and then")
    print(f"ganbench classify train {shlex.quote(data)} --labels {shlex.quote(str(out / 'corrected.csv'))} --out FILE")


def _predict_at(classifier: Classifier, path: Path) -> list[bool]:
    """Predicts the images at a path; whether each could be read. A folder that has none is one that could not."""
    import sys

    from ganbench.data.folders import pictures_at
    from ganbench.errors import UsageError

    try:
        pictures = pictures_at(path)
    except UsageError as error:
        print(f"ganbench: {error}", file=sys.stderr)
        return [False]
    return [_predict(classifier, picture) for picture in pictures]


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


def _drawn(found: Recognition, images: ImageSet, out: Path) -> str:
    """Draws what was misread; says where it is, or why there is no picture."""
    from ganbench.figures.recognition import confusion_sheet

    if found.right.all():
        return "nothing was misread, so there is no sheet to draw"
    confusion_sheet(found, images).save(out, "PNG")
    return f"picture: {out}"


def _warn_of_known(classifier: Classifier, images: ImageSet, characters: int) -> None:
    """Says on stderr where the images are those of the training, or all but the tenth of them that was held out."""
    import sys

    from ganbench.metrics.features import held_out

    if classifier.data in (images.fingerprint, held_out(images, characters)[0].fingerprint):
        print("warning: the recogniser was trained on these images; on others it reads less", file=sys.stderr)
