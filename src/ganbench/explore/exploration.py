"""Directions of a generator by a method, judged, and turned so that what names them grows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from ganbench.explore.attributes import Attributes
from ganbench.explore.directions import Directions
from ganbench.explore.judge import Judgement, judge
from ganbench.explore.pca import pca
from ganbench.explore.sefa import sefa
from ganbench.explore.styles import in_styles, is_styled
from ganbench.explore.subject import Subject
from ganbench.explore.supervised import supervised
from ganbench.settings import unknown
from ganbench.types import UsageError

METHODS = ("sefa", "pca", "supervised")

DIRECTIONS = 5


@dataclass(frozen=True, slots=True, eq=False)
class Exploration:
    """What was found in a generator. Directions are in the order of the method, numbered from 1."""

    subject: Subject
    directions: Directions
    judgement: Judgement
    attributes: Attributes
    seed: int


def explore(
    subject: Subject,
    attributes: Attributes,
    method: str = "sefa",
    count: int = DIRECTIONS,
    seed: int = 0,
    layer: str | None = None,
    layers: str | None = None,
    watch: Callable[[float], None] = lambda share: None,
) -> Exploration:
    """Finds `count` directions and judges them. The same seed gives the same exploration.

    A style-based generator's are directions of w, of which `layers`, such as 0-3, says which layers are given it.

    Raises:
        UsageError: no such method or layer, more directions than there can be, or a layer that the method cannot use.
    """
    if is_styled(subject):
        subject = in_styles(subject, layers)
    elif layers is not None:
        raise UsageError(f"--layers {layers}: ranges of layers are for style-based generators (the network style)")
    check_method(method, count, subject.noise, layer)
    if method == "sefa":
        found = sefa(subject, count, layer)
    elif method == "pca":
        found = pca(subject, count, layer, seed)
    else:
        found = supervised(subject, count, attributes, seed)
    judged = judge(subject, found.vectors, attributes, seed=seed, watch=watch)
    return Exploration(subject, *_turned(found, judged), attributes, seed)


def check_method(method: str, count: int, noise: int, layer: str | None) -> None:
    """Raises UsageError for a method that there is not, and for what it cannot be asked for."""
    if method not in METHODS:
        raise UsageError(f"--method: {unknown('method', method, METHODS)}")
    if not 1 <= count <= noise:
        raise UsageError(f"--directions {count}: the noise has {noise} dimensions, so from 1 to {noise} are allowed")
    if method == "supervised" and layer is not None:
        raise UsageError("--layer: the method supervised looks at no layer; sefa and pca do")


def _turned(found: Directions, judged: Judgement) -> tuple[Directions, Judgement]:
    """All directions with the sign by which the attribute that they change most grows."""
    sign = judged.found.sign[np.arange(len(found.vectors)), judged.most][:, None]
    turn = np.where(sign < 0, -1.0, 1.0)
    changes = replace(judged.found, sign=judged.found.sign * turn)
    return replace(found, vectors=found.vectors * turn), replace(judged, found=changes)
