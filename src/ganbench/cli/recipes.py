"""`ganbench recipes`: what can be trained, and each one's settings."""

from __future__ import annotations

from typing import Annotated

import typer


def command(name: Annotated[str | None, typer.Argument(help="A recipe, to be shown in full.")] = None) -> None:
    """List the recipes, or show one with its paper and every field that --set changes."""
    import inspect
    import json

    from ganbench.configuration import Configuration
    from ganbench.recipes import KINDS, RECIPES, recipe_named
    from ganbench.settings import at, dotted_names

    if name is None:
        for each, make in RECIPES.items():
            print(f"{each:<14}{(inspect.getdoc(make) or '').splitlines()[0]}")
        return
    recipe = recipe_named(name)
    print(inspect.getdoc(RECIPES[name]))
    print("\nFields, by the names that --set takes:")
    tree = Configuration(recipe=name, data="", plan=recipe).tree()
    for field in dotted_names(tree):
        if field in ("recipe", "data"):
            continue
        value = at(tree, field)
        if not isinstance(value, dict):
            print(f"  {field} = {json.dumps(value)}")
        elif "kind" in value:
            print(f"  {field} = {value['kind']}")
        elif not value:
            print(f"  {field} = {{}}")
    print("\nKinds, where a field takes one (with its own fields in braces: `{kind: sgd, lr: 0.1}`):")
    for piece, table in KINDS.items():
        print(f"  {piece}: {', '.join(table)}")
