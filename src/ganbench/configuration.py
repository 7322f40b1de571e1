"""The whole configuration of a run: a recipe and what it is run on, as one flat tree of settings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import yaml
from pydantic import AfterValidator, Field, NonNegativeInt, PositiveFloat, PositiveInt

from ganbench.data.feature_files import full_features
from ganbench.data.images import Images
from ganbench.recipes import recipe_named
from ganbench.recipes.base import Recipe
from ganbench.settings import (
    at,
    change,
    dotted_names,
    from_tree,
    is_collection,
    names_kind,
    own_pieces,
    settings,
    to_tree,
    unknown,
)
from ganbench.types import LabelUse, Medium, UsageError


@settings
class Measure:
    """How many things the distances are taken over: at each snapshot, and once at the end."""

    count: Annotated[int, Field(ge=8, le=50_000)] = 768
    final: Annotated[int, Field(ge=8, le=50_000)] = 2048


_OF_IMAGES = Measure(count=2000, final=10_000)
MEASURES: dict[Medium, Measure] = {"points": Measure(), "images": _OF_IMAGES, "colour images": _OF_IMAGES}


@settings
class Configuration:
    """A recipe and what it is run on. With `minutes` the training is so long; else it is the recipe's rounds.

    Without `snapshot_every` there are 12 snapshots, evenly spread. `precision` auto computes hidden layers in bf16
    where the machine does that faster. `threads` is torch's number of threads. With more than one of the `pieces` a
    batch passes the networks piece by piece, which takes less memory and a third more time. For images `images` says
    how they are prepared, and `features` over which features they are measured, a file by its absolute path. `track`
    tensorboard also writes losses, metrics and pictures for TensorBoard.
    """

    recipe: str
    data: str
    plan: Recipe
    seed: NonNegativeInt = 0
    minutes: PositiveFloat | None = None
    snapshot_every: PositiveInt | None = None
    device: Literal["auto", "cpu", "cuda"] = "auto"
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    threads: Annotated[int, Field(ge=1, le=1024)] = 1
    pieces: PositiveInt = 1
    measure: Measure = Measure()
    images: Images | None = None
    features: Annotated[str, AfterValidator(full_features)] = "auto"
    track: Literal["none", "tensorboard"] = "none"

    def tree(self, *, for_file: bool = True) -> dict[str, Any]:
        """All settings by their names; the recipe's stand beside the others."""
        tree = to_tree(self, for_file=for_file)
        return {**{k: v for k, v in tree.items() if k != "plan"}, **tree["plan"]}

    def text(self) -> str:
        """The configuration as `config.yaml` has it."""
        return yaml.safe_dump(self.tree(), sort_keys=False, allow_unicode=True)


def from_flat(tree: Mapping[str, Any]) -> Configuration:
    """The configuration that `Configuration.tree` gave. Raises UsageError with the name of what is wrong."""
    of_recipe = Recipe.__dataclass_fields__
    outside = {k: v for k, v in tree.items() if k not in of_recipe}
    plan = from_tree(Recipe, {k: v for k, v in tree.items() if k in of_recipe})
    return from_tree(Configuration, {**outside, "plan": plan})


def configure(
    recipe: str | Recipe,
    data: str,
    file: Mapping[str, Any] | None = None,
    changes: Iterable[tuple[str, Any]] = (),
    medium: Medium = "points",
) -> Configuration:
    """A recipe's settings for a kind of data, over them a file's, over them single changes by dotted name.

    A change of `labels` stands for both players': see `spelt_out`.

    Raises:
        UsageError: a name or value that is not allowed; the sentence says which and what is.
    """
    name = recipe if isinstance(recipe, str) else "own"
    file = file or {}
    if file.get("recipe", name) not in (name, "own"):
        raise UsageError(f"the configuration is of the recipe {file['recipe']!r}, not of {name!r}")
    plan = recipe_named(recipe, medium) if isinstance(recipe, str) else recipe
    changes = [spelt for key, value in changes for spelt in spelt_out(key, value)]
    images = None if medium == "points" else Images()
    start = Configuration(recipe=name, data=data, plan=plan, measure=MEASURES[medium], images=images)
    if not file and not changes:
        return start
    tree = start.tree(for_file=False)
    for key, value in file.items():
        if key not in ("recipe", "data"):
            tree = _lay_over(tree, str(key), value)
    for key, value in changes:
        if key in ("recipe", "data"):
            raise UsageError(f"--set {key}: the {key} is named on the command line itself")
        tree = change(tree, key, value)
        if names_kind(value):  # a piece is spelt out, so that its fields can be changed too
            tree = from_flat(tree).tree(for_file=False)
    return from_flat(tree)


def spelt_out(name: str, value: Any) -> list[tuple[str, Any]]:
    """A change as the fields that it stands for: `labels` says how both players use them.

    A projection is for critics; the generator then has its labels beside its noise.

    >>> spelt_out("labels", "projection")
    [('critic.labels', 'projection'), ('generator.labels', 'concat')]
    >>> spelt_out("rounds", 100)
    [('rounds', 100)]

    Raises:
        UsageError: labels cannot be used so.
    """
    if name != "labels":
        return [(name, value)]
    if value not in get_args(LabelUse):
        raise UsageError(f"labels: {unknown('use of labels', str(value), get_args(LabelUse))}")
    return [("critic.labels", value), ("generator.labels", "concat" if value == "projection" else value)]


def image_settings(file: Mapping[str, Any] | None, changes: Iterable[tuple[str, Any]]) -> Images:
    """How images are to be prepared, which must be known before the data are read."""
    tree: dict[str, Any] = {"images": to_tree(Images())}
    for key, value in [*((str(key), value) for key, value in (file or {}).items()), *changes]:
        if key == "images" and value is not None and not isinstance(value, Mapping):
            raise UsageError(f"images: {value!r} is no mapping; give its fields, as images.size=32")
        if key.partition(".")[0] == "images" and value is not None:
            tree = _lay_over(tree, key, value)
    try:
        return from_tree(Images, tree["images"])
    except UsageError as error:
        raise UsageError(f"images.{error}") from None


def without_none(tree: Mapping[str, Any]) -> dict[str, Any]:
    """What a configuration says, without settings that are none: later versions have more of these."""
    inner = {key: without_none(value) if isinstance(value, Mapping) else value for key, value in tree.items()}
    return {key: value for key, value in inner.items() if value is not None}


def refill(tree: Mapping[str, Any], recipe: Recipe) -> Configuration:
    """The configuration that a file has, with the recipe's own objects where the file can only name them.

    Raises:
        UsageError: the recipe has no such object at some place.
    """
    filled, live = dict(tree), to_tree(recipe)
    for name in own_pieces(tree):
        if name not in dotted_names(live):
            raise UsageError(f"{name}: the run has an object of one's own there, which this recipe lacks")
        filled = change(filled, name, at(live, name))
    return from_flat(filled)


def _lay_over(tree: dict[str, Any], name: str, value: Any) -> dict[str, Any]:
    """One entry of a file over the tree: a mapping of the same kind is laid over field by field."""
    below: Any = tree
    for key in name.split("."):
        below = below.get(key) if isinstance(below, Mapping) else None
    if is_collection(below):  # named pieces, such as a player's terms, are a whole: one that is not there is meant so
        return change(tree, name, value)
    same_kind = isinstance(below, Mapping) and isinstance(value, Mapping) and below.get("kind") == value.get("kind")
    if not same_kind or not below or not value:
        return change(tree, name, value)
    for key, inner in value.items():
        if key != "kind":
            tree = _lay_over(tree, f"{name}.{key}", inner)
    return tree


def read_config(path: Path) -> dict[str, Any]:
    """A configuration file as plain values. Raises UsageError where it is no YAML mapping."""
    try:
        tree = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UsageError(f"{path}: there is no such file") from None
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: not readable as a configuration: {error}") from None
    except yaml.MarkedYAMLError as error:
        line = f"line {error.problem_mark.line + 1}: " if error.problem_mark else ""
        raise UsageError(f"{path}: not YAML: {line}{error.problem}") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise UsageError(f"{path}: not YAML: {' '.join(str(error).split())}") from None
    if not isinstance(tree, dict):
        raise UsageError(f"{path}: a configuration is a mapping of names to values")
    return tree


def parse_change(text: str) -> tuple[str, Any]:
    """`key=value` with a YAML value, as `--set` takes it.

    >>> parse_change("critic.network.widths=[64, 64]")
    ('critic.network.widths', [64, 64])
    """
    name, separator, value = text.partition("=")
    if not separator or not name.strip():
        raise UsageError(f"--set takes key=value, not {text!r}")
    try:
        return name.strip(), yaml.safe_load(value)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise UsageError(f"--set {name}: {value!r} is not a value: {' '.join(str(error).split())}") from None
