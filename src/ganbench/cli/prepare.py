"""`ganbench data prepare`: raw files made a set to train on."""

from __future__ import annotations

import csv
import io
import shlex
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ganbench.errors import UsageError

if TYPE_CHECKING:
    from ganbench.data.captchas import Captchas

app = typer.Typer(help="Make a folder to train on from raw files.", no_args_is_help=True)

_SHOWN = 36  # captchas on the sheet


@app.command()
def captcha(
    source: Annotated[
        str, typer.Argument(help="A folder or .zip of whole captchas named by their texts, or captcha for drawn ones.")
    ],
    out: Annotated[Path, typer.Option(help="The folder to make.")],
    cut: Annotated[str, typer.Option(help="components: connected ink; equal: equal widths.")] = "components",
    threshold: Annotated[str, typer.Option(help="Grey level up to which a pixel is dark, or otsu.")] = "otsu",
    size: Annotated[int, typer.Option(min=4, help="The side of a character's cell, in pixels.")] = 20,
    test: Annotated[float, typer.Option(help="Captchas kept for testing: a share below 1, or how many.")] = 0.2,
    seed: Annotated[int, typer.Option(help="The seed of the split.")] = 0,
    alphabet: Annotated[str | None, typer.Option(help="The characters there are. Default: without 0, 1, I, O.")] = None,
    characters: Annotated[int, typer.Option(min=1, help="Characters of a captcha.")] = 4,
) -> None:
    """Cut whole captchas into labelled characters, split by captcha, and list what cannot be used and why."""
    from ganbench.data.captchas import Preparation, as_part, origin_of, prepare_captchas
    from ganbench.data.cells import CUTS
    from ganbench.data.prepared import require_room, write_prepared
    from ganbench.settings import from_tree

    if cut not in CUTS:
        raise UsageError(f"--cut is {' or '.join(CUTS)}, not {cut!r}")
    cells = {"size": size, "cut": cut, "threshold": _level(threshold), "characters": characters}
    asked = {"cells": cells, "test": test, "seed": seed}
    how = from_tree(Preparation, asked if alphabet is None else {**asked, "alphabet": alphabet})
    origin = origin_of(source, how)
    require_room(out, origin)
    found = prepare_captchas(source, how)
    parts = {name: as_part(part, how.alphabet) for name, part in (("train", found.train), ("test", found.test)) if part}
    beside = {"sheet.png": _sheet(found, source), "rejected.csv": _table(found)}
    made = write_prepared(out, origin, parts, tuple(how.alphabet), beside)
    _tell(found, out, made)
    print(f"next: ganbench train best --data {shlex.quote(str(out))} --rounds 2000")


@app.command()
def faces(
    source: Annotated[Path, typer.Argument(help="A folder or .zip of photographs: CelebA's, LFW's, or any others.")],
    out: Annotated[Path, typer.Option(help="The folder to make.")],
    size: Annotated[int, typer.Option(min=1, help="The side of the images, in pixels.")] = 64,
    crop: Annotated[
        str,
        typer.Option(help="auto, none, WIDTHxHEIGHT from the middle, or WIDTHxHEIGHT+LEFT+TOP: what is taken of each."),
    ] = "auto",
    attribute: Annotated[
        str | None, typer.Option(help="One of CelebA's attributes, which becomes the label, such as Smiling.")
    ] = None,
    jobs: Annotated[int | None, typer.Option(min=1, help="Processes. Default: one a core.")] = None,
) -> None:
    """Crop and resize photographs into one file that is mapped into memory. What was interrupted goes on."""
    from ganbench.data.faces import Faces, prepare_faces
    from ganbench.settings import from_tree

    how = from_tree(Faces, {"size": size, "crop": crop, "attribute": attribute})
    made = prepare_faces(source, how, out, jobs)
    if not made.made:
        print(f"{out} holds this set already; it was left as it is")
    print(f"{made.images:,} images of {size} x {size}, RGB{f', labelled by {attribute}' if attribute else ''}")
    if made.attributes:
        print(f"{made.attributes} attributes of each, by which ganbench explore judges directions")
    if made.unusable:
        print(f"attributes: none are kept; {made.unusable}")
    if made.rejected:
        print(f"rejected: {len(made.rejected):,}, each with its reason in {out / 'rejected.csv'}")
    print(f"look at: ganbench data describe {shlex.quote(str(out))} --out {shlex.quote(f'{out.resolve().name}.png')}")
    print(f"next: ganbench train best --data {shlex.quote(str(out))}")


def _level(given: str) -> str | int:
    if given != "otsu" and not (given.isdecimal() and int(given) <= 255):
        raise UsageError(f"--threshold is a grey level from 0 to 255, or otsu, not {given!r}")
    return given if given == "otsu" else int(given)


def _sheet(found: Captchas, source: str) -> bytes:
    import numpy as np

    from ganbench.figures.captchas import captcha_sheet

    usable = [*found.train, *found.test]
    chosen = [usable[i] for i in np.random.default_rng(0).permutation(len(usable))[:_SHOWN]]
    title = f"{Path(source).name}: captchas, their cells and texts"
    sheet = captcha_sheet([c.image for c in chosen], [c.cells for c in chosen], [c.text for c in chosen], title)
    content = io.BytesIO()
    sheet.save(content, "PNG", optimize=True)
    return content.getvalue()


def _table(found: Captchas) -> bytes:
    table = io.StringIO()
    rows = [(rejection.name, rejection.reason) for rejection in found.rejected]
    csv.writer(table, lineterminator="\n").writerows([("name", "reason"), *rows])
    return table.getvalue().encode()


def _tell(found: Captchas, out: Path, made: bool) -> None:
    cells = sum(len(captcha.cells) for captcha in found.train)
    if not made:
        print(f"{out} holds this set already; it was left as it is")
    print(f"to train: {len(found.train):,} captchas, {cells:,} characters; to test: {len(found.test):,} captchas")
    print(f"distinct characters, pixel for pixel: {found.distinct:,}", end="")
    print("" if found.known is None else f"; of those to test {found.known:.0%} are among those to train, too")
    if found.rejected:
        kinds = Counter(rejection.kind for rejection in found.rejected)
        counts = ", ".join(f"{count:,} {kind}" for kind, count in sorted(kinds.items()))
        print(f"rejected: {len(found.rejected):,} ({counts}), each with its reason in {out / 'rejected.csv'}")
    print(f"look at: {out / 'sheet.png'}")
