"""What a search tries: for fields of a configuration, by their dotted names, ranges and choices of values."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, TypeAlias

from ganbench.configuration import Configuration
from ganbench.constraints import Clip
from ganbench.networks import MLP
from ganbench.settings import at, unknown
from ganbench.studies.grid import parse_values
from ganbench.terms import GradientPenalty
from ganbench.types import UsageError

DECADE = 10.0
"""A range between positive ends so far apart is searched on a logarithmic scale."""


@dataclass(frozen=True, slots=True)
class Between:
    """The numbers from `low` to `high`: evenly on a logarithmic scale where `log`, and whole ones where `whole`."""

    low: float
    high: float
    log: bool = False
    whole: bool = False

    @property
    def ends(self) -> tuple[Any, ...]:
        """The values that a field must take if it is to take all."""
        return (self.low, self.high)

    def nearest(self, value: Any) -> float:
        """The value in the range that is nearest to one that need not be in it, nor be a number."""
        known = isinstance(value, (int, float)) and not isinstance(value, bool)
        return min(max(value, self.low), self.high) if known else self.low

    def rounded(self, value: float) -> float:
        """The value with three significant digits, so that what was tried is what is told."""
        return value if self.whole else self.nearest(_short(value))


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several values, numbers or not."""

    values: tuple[Any, ...]

    @property
    def ends(self) -> tuple[Any, ...]:
        return self.values

    @property
    def texts(self) -> list[str]:
        return [self.text(value) for value in self.values]

    @staticmethod
    def text(value: Any) -> str:
        """A value as Optuna's storage, which takes no lists, can hold it."""
        return json.dumps(value)

    @staticmethod
    def value(text: str) -> Any:
        """The value that was written as a text."""
        return json.loads(text)

    def nearest(self, value: Any) -> Any:
        """The value if it is one of the choice, or the one of its kind, else the choice's first."""
        if self.text(value) in self.texts:
            return value
        kind = value.get("kind") if isinstance(value, Mapping) else None
        alike = (v for v in self.values if kind and kind == (v.get("kind") if isinstance(v, Mapping) else v))
        return next(alike, self.values[0])


Range: TypeAlias = Between | Choice
Space: TypeAlias = Mapping[str, Range]


def space_of(configuration: Configuration) -> dict[str, Range]:
    """What is searched if nothing else is said: what GANs are known to hang on, around the configuration's own values.

    >>> from ganbench.configuration import configure
    >>> space = space_of(configure("wgan", "moons"))
    >>> space["critic.constraints.clip.bound"]
    Between(low=0.001, high=0.1, log=True, whole=False)
    >>> space["turns.critic"]
    Choice(values=(1, 2, 3, 4, 5))
    """
    plan = configuration.plan
    space: dict[str, Range] = {"turns.critic": _choice([1, 2, 3, 4, 5], plan.turns.critic)}
    for name, player in (("critic", plan.critic), ("generator", plan.generator)):
        space[f"{name}.optimizer.lr"] = _around(player.optimizer.lr, 10)
        if betas := getattr(player.optimizer, "betas", None):
            space[f"{name}.optimizer.betas"] = _choice([[first, betas[1]] for first in (0.0, 0.5, 0.9)], list(betas))
        if isinstance(player.network, MLP) and player.network.widths:
            own = list(player.network.widths)
            space[f"{name}.network.widths"] = _choice([[max(1, w // 2) for w in own], own, [2 * w for w in own]], own)
        if channels := getattr(player.network, "channels", None):
            space[f"{name}.network.channels"] = _choice([max(1, channels // 2), channels, 2 * channels], channels)
        for key, constraint in player.constraints.items():
            if isinstance(constraint, Clip):
                space[f"{name}.constraints.{key}.bound"] = _around(constraint.bound, 10)
    for key, term in plan.critic.terms.items():
        if isinstance(term, GradientPenalty) and term.weight > 0:
            space[f"critic.terms.{key}.weight"] = _around(term.weight, 30)
    return space


def _around(value: float, factor: float) -> Between:
    return Between(_short(value / factor), _short(value * factor), log=True)


def _short(value: float) -> float:
    return float(f"{value:.3g}")


def _choice(values: Sequence[Any], own: Any) -> Choice:
    return Choice(tuple(values) if own in values else (*values, own))


def searched(configuration: Configuration, held: Iterable[str], asked: Iterable[str]) -> dict[str, Range]:
    """The space of a configuration without the fields that are `held`, and with what was `asked` in its place.

    Each of `asked` is `KEY=LOW..HIGH`, `KEY=A,B,C` or `KEY=none`, which takes a field out. Where a whole piece is
    asked for, such as an optimiser, its own fields are no longer searched unless they are asked for too. Pieces
    come before their fields, in the order in which they are to be set.

    Raises:
        UsageError: something asked for is not of that form, or is a field that all trials have alike.
    """
    fixed = set(held)
    space: dict[str, Range | None] = {k: range for k, range in space_of(configuration).items() if k not in fixed}
    own: dict[str, Any] = configuration.tree()
    wanted: dict[str, Range | None] = {}
    for text in asked:
        key, range = parse_search(text, own)
        if key in wanted:
            raise UsageError(f"--search {key} is given twice; give its values in one")
        if range is None and key not in space:
            raise UsageError(f"--search {key}=none: {unknown('searched field', key, space)}")
        wanted[key] = range
        space = {name: kept for name, kept in space.items() if name == key or not _within(name, key)}
    found = {key: range for key, range in (space | wanted).items() if range is not None}
    if not found:
        raise UsageError("--search: nothing is left to search; name a field, as critic.optimizer.lr=1e-5..1e-2")
    return dict(sorted(found.items(), key=lambda item: item[0].count(".")))


def _within(name: str, key: str) -> bool:
    return name == key or name.startswith(f"{key}.")


def parse_search(text: str, own: Mapping[str, Any]) -> tuple[str, Range | None]:
    """A field and what to try in it, as `--search` takes it; None takes it out. `own` are the settings as they are.

    >>> parse_search("critic.optimizer.lr=1e-5..1e-2", {})
    ('critic.optimizer.lr', Between(low=1e-05, high=0.01, log=True, whole=False))
    >>> parse_search("turns.critic=1,2,5", {})
    ('turns.critic', Choice(values=(1, 2, 5)))

    Raises:
        UsageError: it is nothing of that kind.
    """
    key, separator, values = (part.strip() for part in text.partition("="))
    if not separator or not key:
        raise UsageError(f"--search takes KEY=LOW..HIGH, KEY=A,B,C or KEY=none, not {text!r}")
    head = key.partition(".")[0]
    if head == "rounds" or (head in Configuration.__dataclass_fields__ and head != "plan"):
        raise UsageError(
            f"--search {key}: all trials have this alike; --set gives it a value, --rounds and --seeds too"
        )
    if values == "none":
        return key, None
    if ".." in values:
        return key, _between(key, values, _own(own, key))
    try:
        _, choices = parse_values(f"{key}={values}")
        texts = [Choice.text(choice) for choice in choices]
    except (UsageError, TypeError):
        raise UsageError(f"--search {key}: {values!r} is no list of values; give them as A,B,C") from None
    if len(set(texts)) < max(2, len(texts)):
        raise UsageError(f"--search {key}={values} is no choice: give two values or more, each once, or use --set")
    return key, Choice(tuple(choices))


def _own(tree: Mapping[str, Any], key: str) -> Any:
    try:
        return at(tree, key)
    except (KeyError, TypeError):
        return None


def _between(key: str, text: str, own: Any) -> Between:
    """A range; of whole numbers where the field holds one, or holds none and both ends are written as such."""
    ends = text.split("..", 1)
    try:
        low, high = map(float, ends)
    except ValueError:
        raise UsageError(f"--search {key}: LOW..HIGH are two numbers, as 1e-5..1e-2, not {text!r}") from None
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise UsageError(f"--search {key}={text}: LOW..HIGH are finite numbers, the lower one first")
    log = low > 0 and high >= DECADE * low * (1 - 1e-9)
    written = not isinstance(own, float) and all(end.strip().isdigit() for end in ends)
    if low.is_integer() and high.is_integer() and (isinstance(own, int) or written):
        return Between(int(low), int(high), log, whole=True)
    return Between(low, high, log)


def changes(own: Configuration, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Those settings that are not a configuration's own; the fields of a piece that is set go with it."""
    tree = own.tree()
    pieces = [key for key in settings if any(_within(name, key) and name != key for name in settings)]
    of_pieces = {name for name in settings if any(_within(name, piece) for piece in pieces)}
    return {key: value for key, value in settings.items() if key in of_pieces or _own(tree, key) != value}


def start_of(space: Space, configuration: Configuration) -> dict[str, Any]:
    """The configuration's own values, each moved into what is searched where it lies outside."""
    own = configuration.tree()
    return {key: range.nearest(_own(own, key)) for key, range in space.items()}


def check(space: Space, configure: Callable[[Mapping[str, Any]], Any]) -> None:
    """Has each field take the ends of its range, or each of its choices, in each piece that is searched around it.

    Raises:
        UsageError: a field or a value that `configure` refuses.
    """
    try:
        for key in space:
            for settings in _extremes(space, key):
                configure(settings)
    except UsageError as error:
        raise UsageError(f"--search {error}") from None


def _extremes(space: Space, key: str) -> Iterator[dict[str, Any]]:
    names = [name for name in space if _within(key, name)]
    for values in product(*(space[name].ends for name in names)):
        yield dict(zip(names, values, strict=True))
