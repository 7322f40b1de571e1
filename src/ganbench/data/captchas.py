"""Whole captchas whose file names are their texts, made a prepared set of labelled cells."""

from __future__ import annotations

import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import NamedTuple, TypeVar

import numpy as np
from jaxtyping import UInt8
from pydantic import Field, NonNegativeFloat
from rich.console import Console
from rich.progress import track

from ganbench.data.cells import Cells
from ganbench.data.drawn_captchas import ALPHABET, CHARACTERS, draw_captchas
from ganbench.data.folders import holder, pictures_in
from ganbench.data.images import MINIMUM_IMAGES, Images
from ganbench.data.pictures import read_picture
from ganbench.data.prepared import Origin, Part
from ganbench.seeds import derive
from ganbench.settings import settings, to_tree
from ganbench.types import UsageError

DRAWN = "captcha"
"""The source that stands for drawn captchas."""
DRAWN_COUNT = 5_000

_COPY = re.compile(r"(.+?)(?:[_-]\d+| \(\d+\))")

T = TypeVar("T")


@settings
class Preparation:
    """How captchas become a set.

    `cells`: how they are cut. `alphabet`: the characters that there are, in the order of their labels. `test`: what
    share of the captchas is for the test part if it is less than 1, else how many. `seed`: of the split.
    """

    cells: Cells = Field(default_factory=Cells)
    alphabet: str = ALPHABET
    test: NonNegativeFloat = 0.2
    seed: int = 0

    def __post_init__(self) -> None:
        if len(set(self.alphabet)) != len(self.alphabet) or not self.alphabet.isprintable() or " " in self.alphabet:
            raise UsageError(f"the alphabet is characters that can be seen, each once, not {self.alphabet!r}")
        if not self.alphabet:
            raise UsageError("the alphabet has no characters")
        if self.test >= 1 and self.test != round(self.test):
            raise UsageError(f"the test part is a share below 1 or a whole number of captchas, not {self.test:g}")


class Captcha(NamedTuple):
    """A captcha that can be used."""

    name: str
    text: str
    image: UInt8[np.ndarray, "h w"]
    cells: UInt8[np.ndarray, "k size size"]


class Rejection(NamedTuple):
    """A file that cannot be used: in a few words for counting, and in a sentence."""

    name: str
    kind: str
    reason: str


@dataclass(frozen=True, slots=True)
class Captchas:
    """What came of a source."""

    train: list[Captcha]
    test: list[Captcha]
    rejected: list[Rejection]

    @property
    def distinct(self) -> int:
        """How many cells there are that differ from each other in a pixel."""
        return len(_cells(self.train) | _cells(self.test))

    @property
    def known(self) -> float | None:
        """The share of the test part's cells that are in the train part too, pixel for pixel; None without test part.

        Drawn anew for each captcha there are none; where a captcha's characters come from a small stock there are many,
        and a test then asks little of what was trained.
        """
        train = _cells(self.train)
        found = [cell.tobytes() in train for captcha in self.test for cell in captcha.cells]
        return float(np.mean(found)) if found else None


def prepare_captchas(source: str, how: Preparation) -> Captchas:
    """Reads, checks, cuts and splits the captchas in a folder or zip file, or in a folder's one zip file, or drawn ones
    (`DRAWN`).

    What is wrong with a file is told of it, and the rest goes on. The parts share no text and no picture.

    Raises UsageError: there is no such source, none of its captchas can be used, or too few are left to train on.
    """
    rejected: list[Rejection] = []
    read = _drawn(how) if source == DRAWN else _read(Path(source), how, rejected)
    usable = _cut(_without_copies(_of_one_size(read, rejected), rejected), how.cells, rejected)
    rejected.sort()
    if not usable:
        firsts = {rejection.kind: rejection for rejection in reversed(rejected)}
        counts = Counter(rejection.kind for rejection in rejected)
        told = "; ".join(f"{counts[kind]:,} {kind}, as {firsts[kind].name}: {firsts[kind].reason}" for kind in counts)
        raise UsageError(f"{source}: none of its {len(rejected):,} captchas can be used; {told}")
    train, test = split(usable, how)
    if len(train) * how.cells.characters < MINIMUM_IMAGES:
        raise UsageError(
            f"{source}: {len(train)} captchas are left to train on, of {len(usable):,} that can be used and "
            f"{len(rejected):,} that cannot; {MINIMUM_IMAGES} characters are needed"
        )
    return Captchas(train, test, rejected)


def text_of(name: str, alphabet: str, characters: int) -> str:
    """The text that a file's name stands for: `2a2x_3.png` is one more picture of 2A2X, if 2A2X is in the alphabet.

    Raises UsageError with the reason where it has another length or characters outside the alphabet.

    >>> text_of("some/2a2x_3.png", "2AX", 4)
    '2A2X'
    """
    stem = PurePosixPath(name).stem
    if len(stem) != characters and (copy := _COPY.fullmatch(stem)):
        stem = copy[1]
    if len(stem) != characters:
        raise UsageError(f"the name {stem!r} is of {len(stem)} characters, not {characters}")
    known = set(alphabet)
    text = [next((c for c in (given, given.upper(), given.lower()) if c in known), "") for given in stem]
    if "" in text:
        raise UsageError(f"the name has {stem[text.index('')]!r}, which is not in the alphabet")
    return "".join(text)


def as_part(captchas: Sequence[Captcha], alphabet: str) -> Part:
    """The cells of captchas with their labels."""
    labels = [alphabet.index(character) for captcha in captchas for character in captcha.text]
    return Part(
        np.concatenate([captcha.cells for captcha in captchas]),
        np.array(labels, np.int64),
        [(captcha.name, captcha.text) for captcha in captchas],
    )


def origin_of(source: str, how: Preparation) -> Origin:
    """What a prepared folder says of where it came from."""
    return Origin("captcha", source if source == DRAWN else str(Path(source).absolute()), to_tree(how, for_file=True))


def _cells(captchas: Sequence[Captcha]) -> set[bytes]:
    return {cell.tobytes() for captcha in captchas for cell in captcha.cells}


class _Read(NamedTuple):
    name: str
    text: str
    image: UInt8[np.ndarray, "h w"]


def _drawn(how: Preparation) -> list[_Read]:
    if set(ALPHABET) - set(how.alphabet) or how.cells.characters != CHARACTERS:
        raise UsageError(f"drawn captchas have {CHARACTERS} characters of {ALPHABET}; ask for no others")
    images, texts = draw_captchas(DRAWN_COUNT, derive(how.seed, "prepare"))
    return [_Read(f"{text}_{i}", text, image) for i, (text, image) in enumerate(zip(texts, images, strict=True))]


def _read(source: Path, how: Preparation, rejected: list[Rejection]) -> list[_Read]:
    if not source.is_dir() and not (source.is_file() and source.suffix.lower() == ".zip"):
        raise UsageError(f"{source} is no folder and no .zip file of captchas, and not {DRAWN!r} for drawn ones")
    found = []
    with pictures_in(holder(source)) as pictures:
        for name, opener in _tracked(pictures, "reading"):
            picture = read_picture(opener, Images(colour="grey"))
            if picture is None:
                rejected.append(Rejection(name, "unreadable", "the image cannot be read"))
                continue
            try:
                text = text_of(name, how.alphabet, how.cells.characters)
            except UsageError as error:
                rejected.append(Rejection(name, "wrongly named", str(error)))
                continue
            found.append(_Read(name, text, np.asarray(picture)))
    return found


def _of_one_size(read: list[_Read], rejected: list[Rejection]) -> list[_Read]:
    """Those of the size that most have."""
    if not read:
        return []
    (height, width), _ = Counter(captcha.image.shape for captcha in read).most_common(1)[0]
    for captcha in read:
        if captcha.image.shape != (height, width):
            h, w = captcha.image.shape
            reason = f"the image is {w} x {h}, where most are {width} x {height}"
            rejected.append(Rejection(captcha.name, "of another size", reason))
    return [captcha for captcha in read if captcha.image.shape == (height, width)]


def _without_copies(read: list[_Read], rejected: list[Rejection]) -> list[_Read]:
    """The first of each picture; none where copies have different names, as one of them must be wrong."""
    alike: dict[bytes, list[_Read]] = defaultdict(list)
    for captcha in read:
        alike[captcha.image.tobytes()].append(captcha)
    kept = []
    for first, *others in alike.values():
        differing = {captcha.text for captcha in others} - {first.text}
        for captcha in others:
            reason = f"the same picture as {first.name}" + (", with another text" if differing else "")
            rejected.append(Rejection(captcha.name, "copies", reason))
        if differing:
            reason = f"the same picture as {others[0].name}, with another text"
            rejected.append(Rejection(first.name, "copies", reason))
        else:
            kept.append(first)
    return kept


def _cut(read: list[_Read], how: Cells, rejected: list[Rejection]) -> list[Captcha]:
    usable = []
    for captcha in _tracked(read, "cutting"):
        try:
            cells = how.of(captcha.image)
        except UsageError as error:
            rejected.append(Rejection(captcha.name, "not cut", f"the image cannot be cut: {error}"))
            continue
        usable.append(Captcha(*captcha, cells))
    return usable


def split(usable: list[Captcha], how: Preparation) -> tuple[list[Captcha], list[Captcha]]:
    """Train and test, both in the order of the source; all captchas of one text are on one side."""
    wanted = round(how.test * len(usable)) if how.test < 1 else int(how.test)
    if wanted >= len(usable):
        raise UsageError(f"a test part of {wanted:,} leaves nothing to train on of {len(usable):,} captchas")
    sizes = Counter(captcha.text for captcha in usable)
    texts = sorted(sizes)
    chosen: set[str] = set()
    for i in np.random.default_rng(derive(how.seed, "split")).permutation(len(texts)):
        if sizes[texts[i]] <= wanted:
            chosen.add(texts[i])
            wanted -= sizes[texts[i]]
    return [c for c in usable if c.text not in chosen], [c for c in usable if c.text in chosen]


def _tracked(things: Sequence[T], doing: str) -> Iterable[T]:
    """The things, with a bar on a terminal."""
    return track(things, doing, console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty())
