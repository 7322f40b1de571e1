"""`ganbench recipes`: what can be trained, and each one's settings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from ganbench.types import Medium


def command(
    name: Annotated[str | None, typer.Argument(help="A recipe, to be shown in full.")] = None,
    data: Annotated[
        str | None,
        typer.Option(
            help="Show it for these data; else for points, images of 28 x 28 in ten classes, colour images of 64 x 64."
        ),
    ] = None,
) -> None:
    """List the recipes, or show one with its paper, its networks and every field that --set changes."""
    import inspect
    import re

    from ganbench.data import load
    from ganbench.recipes import KINDS, RECIPES, form_for, require_known

    if name is None:
        for each, makers in RECIPES.items():
            maker = next(iter(makers.values()))
            sentence = re.split(r"(?<=[.:])\s", " ".join((inspect.getdoc(maker) or "").split()), maxsplit=1)[0]
            print(f"{each:<23}{'+'.join(makers):<29}{sentence.rstrip(':')}")
        return
    require_known(name)
    if data is None:
        shapes: dict[Medium, tuple[tuple[int, ...], int]] = {
            "points": ((2,), 0),
            "images": ((1, 28, 28), 10),
            "colour images": ((3, 64, 64), 0),
        }
        for form in RECIPES[name]:
            _show(name, form, *shapes[form])
    else:
        found = load(data)
        _show(name, form_for(name, found.medium), found.shape, len(found.classes))
    print("\nKinds, where a field takes one (with its own fields in braces: `{kind: sgd, lr: 0.1}`):")
    for piece, table in KINDS.items():
        print(f"  {piece}: {', '.join(table)}")


def _show(name: str, medium: Medium, shape: tuple[int, ...], classes: int) -> None:
    """One recipe for one kind of data."""
    import inspect

    from ganbench.configuration import configure
    from ganbench.networks.layers import layer_table
    from ganbench.recipes import RECIPES
    from ganbench.settings import at, dotted_names
    from ganbench.state import State

    configuration = configure(name, "", medium=medium)
    state = State(configuration.plan, shape, classes=classes, seed=0)
    print(f"\n{name} for {medium}")
    print(inspect.getdoc(RECIPES[name][medium]))
    for player, network in (("critic", state.critic.network), ("generator", state.generator.network)):
        rows = layer_table(network)
        print(f"\nThe {player} for things of shape {shape}: {sum(row.parameters for row in rows):,} parameters")
        for row in rows:
            print(f"  {row.name:<28}{row.kind:<18}{row.weight:<24}{row.parameters:>12,}")
    print("\nFields, by the names that --set takes:")
    tree = configuration.tree()
    for field in dotted_names(tree):
        if field not in ("recipe", "data"):
            _print_field(field, at(tree, field))


def _print_field(field: str, value: object) -> None:
    import json

    if not isinstance(value, dict):
        print(f"  {field} = {json.dumps(value)}")
    elif "kind" in value:
        print(f"  {field} = {value['kind']}")
    elif not value:
        print(f"  {field} = {{}}")
