"""`ganbench train`: one recipe on one data set, in one folder."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ganbench.errors import UsageError, WorkError

if TYPE_CHECKING:
    from ganbench.configuration import Configuration


def command(
    recipe: Annotated[
        str | None, typer.Argument(help="A recipe's name; `ganbench recipes` lists them. Default: best.")
    ] = None,
    data: Annotated[str | None, typer.Option(help="A name or a path; `ganbench data list` says of what.")] = None,
    out: Annotated[Path | None, typer.Option(help="The run's folder. Default: a new one under runs/.")] = None,
    rounds: Annotated[int | None, typer.Option(help="How many rounds; schedules span them.")] = None,
    minutes: Annotated[float | None, typer.Option(help="How many minutes of training, instead of rounds.")] = None,
    batch_size: Annotated[int | None, typer.Option(help="Things in a batch.")] = None,
    seed: Annotated[int | None, typer.Option(help="The seed of all that is random. Default: 0.")] = None,
    changes: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Change any field; `ganbench recipes NAME` prints them."),
    ] = None,
    config: Annotated[Path | None, typer.Option(help="A YAML file of settings, such as a run's config.yaml.")] = None,
    device: Annotated[str | None, typer.Option(help="auto, cpu or cuda.")] = None,
    precision: Annotated[str | None, typer.Option(help="auto, fp32 or bf16.")] = None,
    threads: Annotated[int | None, typer.Option(help="torch's threads. Default: 1.")] = None,
    snapshot_every: Annotated[int | None, typer.Option(help="Rounds between snapshots. Default: 12 in all.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the unfinished run in --out.")] = False,
) -> None:
    """Train a recipe on data: measured, pictured and resumable. torchrun starts one training on several processes."""
    from ganbench import sharing

    with sharing.joined():
        if sharing.rank() > 0:
            from ganbench.fitting import follow

            follow()
            return
        if rounds is not None and minutes is not None:
            raise UsageError("give --rounds or --minutes, not both")
        named = {
            "rounds": rounds,
            "minutes": minutes,
            "batch_size": batch_size,
            "seed": seed,
            "device": device,
            "precision": precision,
            "threads": threads,
            "snapshot_every": snapshot_every,
        }
        asked: list[tuple[str, Any]] = [(name, value) for name, value in named.items() if value is not None]
        if rounds is not None and not resume:
            asked.append(("minutes", None))
        if resume:
            if out is None:
                raise UsageError("--resume needs --out, the folder of the run to go on with")
            summary = _resume(out, recipe, data, config, changes, asked)
        else:
            out, summary = _begin(out, recipe, data, config, changes, asked)
        _tell(out, summary)


def _begin(
    out: Path | None,
    recipe: str | None,
    data: str | None,
    config: Path | None,
    changes: list[str] | None,
    asked: list[tuple[str, Any]],
) -> tuple[Path, dict[str, Any]]:
    from ganbench.api import train
    from ganbench.configuration import configure, image_settings, parse_change, read_config
    from ganbench.data import BUILT_IN, IMAGE_NAMES, full_name, load
    from ganbench.progress import watching
    from ganbench.recipes import RECIPES
    from ganbench.runs import KEPT_DATA

    file = read_config(config) if config else {}
    source = file.get("data") if data is None else data
    if config and data is None and (kept := config.parent / KEPT_DATA).is_file():
        source = kept  # of a run on what was in memory, which has no name
    if recipe is not None and recipe not in RECIPES and Path(recipe).exists():
        raise UsageError(f"{recipe} stands where a recipe is named, and is a file or a folder: --data {recipe}")
    if recipe in (*BUILT_IN, *IMAGE_NAMES):
        raise UsageError(f"{recipe} stands where a recipe is named, and is a set of data: --data {recipe}")
    if source is None:
        raise UsageError("--data is needed: a name (`ganbench data list`), a file or a folder")
    sets = [parse_change(text) for text in changes or []]
    name = recipe or file.get("recipe") or "best"
    found = load(str(source), image_settings(file, sets))
    for note in found.notes:
        print(note, file=sys.stderr)
    configuration = configure(name, full_name(str(source)), file, [*sets, *asked], found.medium)
    out = out or _fresh_folder(configuration, found.name)
    with watching(f"{name} on {found.title}") as watch:
        return out, train(configuration, found, out, watch)


def _resume(
    out: Path,
    recipe: str | None,
    data: str | None,
    config: Path | None,
    changes: list[str] | None,
    asked: list[tuple[str, Any]],
) -> dict[str, Any]:
    from ganbench import fitting
    from ganbench.configuration import from_flat, parse_change, spelt_out
    from ganbench.data import full_name
    from ganbench.progress import watching
    from ganbench.runs import RunFolder
    from ganbench.settings import at, change
    from ganbench.workbench import Workbench

    if config:
        raise UsageError("--resume goes on with the run's own config.yaml; leave --config out")
    folder = RunFolder.open(out)
    tree = folder.tree
    asked = [*asked, *(spelt for text in changes or [] for spelt in spelt_out(*parse_change(text)))]
    asked += [("recipe", recipe)] if recipe else []
    asked += [("data", full_name(data))] if data else []
    for name, value in asked:
        changed = from_flat(change(tree, name, value)).tree() if name not in ("recipe", "data") else {name: value}
        if at(changed, name) != at(tree, name):
            raise UsageError(
                f"--resume goes on with the run's own settings: {name} is {at(tree, name)!r} there, not {value!r}"
            )
    summary = folder.summary
    if summary and summary["status"] != "interrupted":
        raise UsageError(f"{out}: this run has {summary['status']}; there is nothing to go on with")
    configuration, found = folder.configuration, folder.data()
    with watching(f"{configuration.recipe} on {found.title}") as watch:
        return fitting.fit(Workbench(configuration, found), folder, resume=True, watch=watch)


def _fresh_folder(configuration: Configuration, data: str) -> Path:
    """A name under runs/ that is not taken."""
    stem = f"{Path(data.partition(':')[0]).stem}-{configuration.recipe}-{configuration.seed}"
    taken = (Path("runs") / (stem if i == 1 else f"{stem}-{i}") for i in range(1, 10_000))
    return next(path for path in taken if not path.exists())


def _tell(out: Path, summary: dict[str, Any]) -> None:
    """The run in a few lines, on stdout."""
    final, floor = summary["metrics"]["final"], summary["metrics"]["floor"]
    measuring = f", and {summary['measuring_seconds']:.1f} s of measuring"
    print(f"{summary['status']}: {summary['rounds']:,} rounds in {summary['seconds']:.1f} s of training{measuring}")
    if summary["status"] == "interrupted":
        print("as it was when it was last measured:")
    for name, value in final.items():
        beside = f"   (floor {floor[name]:.4g})" if name in floor else ""
        print(f"  {name:<16}{value:>10.4g}{beside}")
    if "features" in summary:
        print(f"  over the features of {summary['features']}")
    match summary["status"]:
        case "interrupted":
            print(f"go on with: ganbench train --resume --out {shlex.quote(str(out))}", file=sys.stderr)
            raise typer.Exit(1)
        case "diverged":
            raise WorkError(f"{summary['cause']}. The last good checkpoint is in {out / 'checkpoints'}")
    print(f"report: {(out / 'report.html').resolve()}")
