"""`ganbench explore`: directions of a generator's noise, and what they change."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ganbench.errors import UsageError

if TYPE_CHECKING:
    from ganbench.explore import Attributes, Exploration, Subject, Targets


def command(
    out: Annotated[Path, typer.Option(help="The folder to write; an exploration in it is replaced.")],
    run: Annotated[Path | None, typer.Argument(help="A run's folder; left out with --generator.")] = None,
    method: Annotated[
        str,
        typer.Option(
            help="sefa: from the first layer's weights; pca: from its activations; supervised: by attributes."
        ),
    ] = "sefa",
    directions: Annotated[int, typer.Option(help="How many.")] = 5,
    layer: Annotated[
        str | None, typer.Option(help="The layer that sefa or pca looks at; by default the first.")
    ] = None,
    layers: Annotated[
        str | None,
        typer.Option(help="Of a style-based generator the layers that a direction moves, as 0-3. Default: all."),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Decides every draw.")] = 0,
    checkpoint: Annotated[
        str | None, typer.Option(help="best, last, or a round that has a checkpoint. Default: best.")
    ] = None,
    generator: Annotated[
        str | None,
        typer.Option(help="module:function of your own code, which returns a torch module and its noise's dimension."),
    ] = None,
    project: Annotated[
        Path | None, typer.Option(help="An image, or a folder of some: also look for these in the noise.")
    ] = None,
) -> None:
    """Find directions of the noise, judge what they change beside random ones, and show them with sliders."""
    from ganbench.explore import explore, write_exploration
    from ganbench.explore.writing import check_out
    from ganbench.metrics.features import telling

    check_out(out)
    subject, attributes = _chosen(run, generator, checkpoint)
    targets = None if project is None else _targets(project, subject, attributes)
    found = explore(
        subject,
        attributes,
        method,
        directions,
        seed,
        layer,
        layers,
        watch=telling("judging directions beside random ones"),
    )
    page = write_exploration(found, out)
    print(f"{subject.name}: {directions} directions by {method} ({found.directions.found_in})")
    _tell(found)
    if targets is not None:
        _project(targets, subject, attributes, seed, out)
    print(f"report: {page}")


def _chosen(run: Path | None, generator: str | None, checkpoint: str | None) -> tuple[Subject, Attributes]:
    """The generator of a run, or a person's own, and what its images are judged by."""
    from ganbench.api import load
    from ganbench.explore import Attributes
    from ganbench.explore.own import subject_from
    from ganbench.metrics.random_conv import RandomConv

    if run is not None and generator is None:
        return load(run).subject(checkpoint or "best")
    if run is not None or generator is None:
        raise UsageError("explore needs a run's folder or --generator module:function, one of the two")
    if checkpoint is not None:
        raise UsageError("--checkpoint is for a run; what --generator returns has its weights already")
    return subject_from(generator), Attributes(RandomConv())


def _targets(path: Path, subject: Subject, attributes: Attributes) -> Targets:
    """Before the long work, so that what is wrong with them is said at once."""
    from ganbench.explore import targets_at

    try:
        return targets_at(path, subject, attributes)
    except UsageError as error:
        raise UsageError(f"--project: {error}") from None


def _project(targets: Targets, subject: Subject, attributes: Attributes, seed: int, out: Path) -> None:
    from ganbench.explore import project, write_projection
    from ganbench.metrics.features import telling

    watch = telling("looking for the images in the noise")
    found = project(subject, targets.pixels, targets.labels, attributes, seed=seed, watch=watch)
    picture = write_projection(targets, found, f"{subject.name}: images and what was found in the noise", out)
    print(f"images in the noise: the error is the root mean squared difference of pixels, from 0 to 1: {picture}")
    for name, error in zip(targets.names, found.error, strict=True):
        print(f"{name}\t{error:.3f}")


def _tell(found: Exploration) -> None:
    """The table of what the directions change, and how to read it."""
    from ganbench.explore.pages import HEADER, legend, summary_rows

    rows = [list(HEADER), *summary_rows(found)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADER))]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    for paragraph in legend(found):
        print(paragraph)
