"""Frozen, checked settings: what makes a dataclass readable from a file and from `--set`, with good errors."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, TypeVar

from pydantic import (
    ConfigDict,
    GetCoreSchemaHandler,
    SerializationInfo,
    TypeAdapter,
    ValidationError,
    model_validator,
)
from pydantic.dataclasses import dataclass as checked_dataclass
from pydantic_core import PydanticCustomError, core_schema
from typing_extensions import dataclass_transform

from ganbench.errors import UsageError

T = TypeVar("T")
_CONFIG = ConfigDict(extra="forbid", arbitrary_types_allowed=True, allow_inf_nan=False)


@dataclass_transform(frozen_default=True)
def settings(cls: type[T]) -> type[T]:
    """A frozen dataclass whose values are checked when it is made, from Python or from a file alike."""
    cls._known_names = model_validator(mode="before")(classmethod(_known_names))  # type: ignore[arg-type, attr-defined]
    return checked_dataclass(frozen=True, config=_CONFIG)(cls)  # type: ignore[return-value]


def _known_names(cls: type, value: Any) -> Any:
    """Finds a name in a mapping that is no field of the class, and says which is near."""
    if isinstance(value, Mapping):
        known = [field.name for field in fields(cls)]
        for name in value:
            if name not in known:
                sentence = unknown("field", str(name), known)
                raise PydanticCustomError("unknown_field", "{sentence}", {"sentence": sentence})
    return value


@dataclass(frozen=True, eq=False)
class OneOf:
    """Marks a field that holds one of several kinds, each a class of settings, or a person's own object.

    In a file the value is a mapping with its `kind`; a bare kind stands for that kind with its defaults. An object
    of a class that the table lacks passes as it is, so that one's own objective goes in where ours do.
    """

    table: Mapping[str, type]
    protocol: type

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        choices = {kind: self._choice(kind, cls, handler.generate_schema(cls)) for kind, cls in self.table.items()}
        own = core_schema.no_info_before_validator_function(
            lambda value: value.content if isinstance(value, _Box) else value,
            core_schema.is_instance_schema(self.protocol),
            serialization=core_schema.plain_serializer_function_ser_schema(_write_own, info_arg=True),
        )
        return core_schema.tagged_union_schema({**choices, "own": own}, discriminator=self._kind)

    def _choice(self, kind: str, cls: type, schema: core_schema.CoreSchema) -> core_schema.CoreSchema:
        def with_kind(value: Any, inner: Callable[[Any], dict[str, Any]]) -> dict[str, Any]:
            return {"kind": kind, **inner(value)}

        return core_schema.no_info_before_validator_function(
            _without_kind,
            schema,
            serialization=core_schema.wrap_serializer_function_ser_schema(with_kind, schema=schema),
        )

    def _kind(self, value: Any) -> str:
        if isinstance(value, str):
            return value
        if isinstance(value, Mapping):
            return str(value.get("kind", "none given"))
        return next((kind for kind, cls in self.table.items() if type(value) is cls), "own")


class _Box:
    """Holds a person's own object in a tree, where pydantic would take a dataclass apart."""

    def __init__(self, content: Any) -> None:
        self.content = content


def _without_kind(value: Any) -> Any:
    """The fields that a mapping gives for a class of settings; a bare kind gives none."""
    if isinstance(value, str):
        return {}
    return {k: v for k, v in value.items() if k != "kind"} if isinstance(value, Mapping) else value


def _write_own(value: Any, info: SerializationInfo) -> Any:
    """A person's own object stays as it is, and is named by its class in a file, which cannot hold it."""
    if info.mode == "python":
        return _Box(value)
    cls = type(value)
    return {"kind": "own", "class": f"{cls.__module__}.{cls.__qualname__}"}


def own_pieces(tree: Any, path: str = "") -> list[str]:
    """The dotted names in a plain tree of settings where a person's own object stands: those no file can hold."""
    if not isinstance(tree, Mapping):
        return []
    here = [path] if tree.get("kind") == "own" else []
    return here + [p for k, v in tree.items() for p in own_pieces(v, f"{path}.{k}".lstrip("."))]


def to_tree(value: Any, *, for_file: bool = False) -> dict[str, Any]:
    """Settings as nested mappings; for a file of lists, numbers and strings alone, without a person's own objects."""
    return TypeAdapter(type(value)).dump_python(value, mode="json" if for_file else "python")


def from_tree(cls: type[T], tree: Mapping[str, Any]) -> T:
    """Settings from plain mappings.

    Raises:
        UsageError: a sentence for the first thing that is wrong, with the dotted name of its field.
    """
    if own := own_pieces(tree):
        raise UsageError(
            f"{own[0]}: this piece was a person's own object ({at(tree, own[0]).get('class')}), which no file can "
            "hold; give the recipe from Python"
        )
    try:
        return TypeAdapter(cls).validate_python(dict(tree))
    except ValidationError as error:
        raise UsageError(_sentence(error, tree)) from None


def change(tree: Mapping[str, Any], name: str, value: Any) -> dict[str, Any]:
    """A copy of the tree with one field changed, by its dotted name.

    A piece of settings (a mapping with a `kind`) is swapped as a whole by a kind or a mapping, and taken out of a
    collection of named pieces (such as `critic.terms`) by null. Only such a collection takes new names.

    Raises:
        UsageError: no such field; the sentence names the nearest right spelling.
    """
    head, _, rest = name.partition(".")
    collection = is_collection(tree)
    if head not in tree and (rest or not collection or not names_kind(value)):
        raise UsageError(unknown("field", name, dotted_names(tree)))
    if not rest:
        if collection and value is None:
            return {k: v for k, v in tree.items() if k != head}
        return {**tree, head: value}
    below = tree[head]
    if not isinstance(below, Mapping):
        raise UsageError(unknown("field", name, dotted_names(tree)))
    try:
        return {**tree, head: change(below, rest, value)}
    except UsageError:
        raise UsageError(unknown("field", name, dotted_names(tree))) from None


def dotted_names(tree: Mapping[str, Any], path: str = "") -> list[str]:
    """All names that `change` takes, in the order of the tree."""
    names = []
    for key, value in tree.items():
        if key == "kind":
            continue
        full = f"{path}.{key}".lstrip(".")
        names.append(full)
        if isinstance(value, Mapping):
            names += dotted_names(value, full)
    return names


def unknown(what: str, given: str, allowed: Iterable[str]) -> str:
    """A sentence that says what was not known, the nearest right spelling, and what is allowed."""
    allowed = list(allowed)
    ends = [name for name in allowed if name.rpartition(".")[2] == given.rpartition(".")[2]]
    near = difflib.get_close_matches(given, ends, n=2, cutoff=0.0)
    near = near or difflib.get_close_matches(given, allowed, n=1, cutoff=0.5)
    hint = f"; did you mean {' or '.join(repr(n) for n in near[:2])}?" if near else ""
    listed = f" (allowed: {', '.join(allowed)})" if len(allowed) <= 20 else ""
    return f"unknown {what} {given!r}{hint}{listed}"


def is_collection(tree: Any) -> bool:
    """Whether this is a mapping of names to pieces, such as a player's terms."""
    return (
        isinstance(tree, Mapping)
        and "kind" not in tree
        and all(isinstance(v, Mapping) and "kind" in v for v in tree.values())
    )


def names_kind(value: Any) -> bool:
    return isinstance(value, str) or (isinstance(value, Mapping) and "kind" in value)


def at(tree: Any, path: str) -> Any:
    for key in path.split("."):
        tree = tree[key]
    return tree


def _sentence(error: ValidationError, tree: Any) -> str:
    """pydantic's first complaint as one sentence in the words of the configuration."""
    first = error.errors(include_url=False)[0]
    steps = _real_steps(first["loc"], tree, missing=first["type"] == "missing")
    where = ".".join(steps)
    match first["type"]:
        case "union_tag_invalid":
            allowed = [tag.strip(" '") for tag in first["ctx"]["expected_tags"].split(",")]
            return f"{where}: " + unknown("kind", first["ctx"]["tag"], [t for t in allowed if t != "own"])
        case "unknown_field":
            return f"{where}: {first['msg']}" if where else first["msg"]
        case "missing":
            return f"{where}: this field is needed"
        case "value_error":  # one of our own, whose words are plain as they are
            return f"{where}: {first['ctx']['error']}" if where else str(first["ctx"]["error"])
    given = first["input"]
    shown = "" if is_dataclass(given) or isinstance(given, Mapping) else f" (given: {given!r})"
    return f"{where}: {first['msg'][0].lower()}{first['msg'][1:]}{shown}"


def _real_steps(loc: tuple[int | str, ...], tree: Any, *, missing: bool) -> list[str]:
    """The steps of a location that are in the tree: pydantic puts the kind between or after them.

    A field that is `missing` is the last step, and not in the tree.
    """
    steps: list[str] = []
    for i, step in enumerate(loc):
        try:
            tree = tree[step]
        except (KeyError, IndexError, TypeError):
            if not (missing and i == len(loc) - 1):
                continue
        steps.append(str(step))
    return steps
