"""The command line: a thin file a verb. torch is imported by the verbs that need it, when they run."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from ganbench import __version__
from ganbench.cli import (
    classify,
    compare,
    data,
    demo,
    evaluate,
    explore,
    export,
    recipes,
    reproduce,
    sample,
    train,
    tune,
)
from ganbench.errors import UsageError, WorkError
from ganbench.launch import asked_processes

INTERRUPTED = 130
"""The exit code of a command that Ctrl-C ended."""

app = typer.Typer(
    help="Train GANs, measure them against the data's own noise floor, and compare them over seeds.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(asked: bool) -> None:
    if asked:
        print(f"ganbench {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    if asked_processes() > 1 and context.invoked_subcommand != "train":
        raise UsageError("torchrun starts several processes for `ganbench train`; other commands take one, without it")


app.command("demo")(demo.command)
app.command("train")(train.command)
app.command("sample")(sample.command)
app.command("explore")(explore.command)
app.command("export")(export.command)
app.command("evaluate")(evaluate.command)
app.command("compare")(compare.command)
app.command("reproduce")(reproduce.command)
app.command("tune")(tune.command)
app.command("recipes")(recipes.command)
app.add_typer(classify.app, name="classify")
app.add_typer(data.app, name="data")


def main() -> None:
    """Runs a command; a user's mistake is one sentence on stderr and exit code 2, failed work is 1."""
    try:
        app()
    except UsageError as error:
        _say(error)
        sys.exit(2)
    except WorkError as error:
        _say(error)
        sys.exit(1)
    except OSError as error:
        _say(f"{error.filename}: {error.strerror}" if error.filename else error)
        sys.exit(1)
    except (MemoryError, RuntimeError) as error:
        if isinstance(error, RuntimeError) and "allocate" not in str(error):  # torch has no class of its own for it
            raise
        _say("there is not enough memory for this")
        sys.exit(1)
    except SystemExit as ended:
        if ended.code == INTERRUPTED:
            _say("interrupted, before all was done; the same command goes on with what is left, or begins again")
        raise


def _say(what: Exception | str) -> None:
    print(f"ganbench: {what}", file=sys.stderr)
