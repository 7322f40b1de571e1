"""An exploration as a folder: pictures, numbers, and a page that opens offline."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import UInt8
from PIL import Image

from ganbench.checkpoints import write_atomically
from ganbench.explore.exploration import Exploration
from ganbench.explore.frames import frame
from ganbench.explore.pages import write_explore_page
from ganbench.explore.strips import REACH, STEPS, strip
from ganbench.explore.subject import Subject, with_noise
from ganbench.figures.animation import animate, save_image
from ganbench.figures.sheets import labelled_sheet
from ganbench.interpolation import through_noise
from ganbench.runs import plain
from ganbench.seeds import derive
from ganbench.types import UsageError

INDEX = "directions.json"
"""Written last: where it is, the folder holds a whole exploration. What else was asked for comes after it."""

KIND = "ganbench exploration"

MADE = re.compile(
    r"direction-\d+\.(png|webp)|interpolation\.webp|explore\.html|(directions|projection)\.json|projection\.png"
)
"""The files of an exploration, which the next one replaces."""

FILM_STEPS = 25
PLACES, BETWEEN = 6, 10
"""An interpolation goes round so many latents, with so many steps from each to the next."""


def check_out(out: Path) -> None:
    """Raises UsageError where a folder is not free to hold an exploration."""
    if out.exists() and not out.is_dir():
        raise UsageError(f"--out {out} is a file; an exploration needs a folder")
    if out.is_dir() and any(out.iterdir()) and not _is_exploration(out):
        raise UsageError(f"--out {out} is not empty and holds no exploration; choose another folder")


def _is_exploration(out: Path) -> bool:
    try:
        return json.loads((out / INDEX).read_text(encoding="utf-8"))["kind"] == KIND
    except (OSError, ValueError, KeyError, TypeError):
        return False


def write_exploration(exploration: Exploration, out: Path) -> Path:
    """Strips, films, `directions.json` and `explore.html`, of which the path is given; an earlier one is replaced.

    Raises:
        UsageError: the folder holds something else, or cannot be written.
    """
    check_out(out)
    try:
        out.mkdir(parents=True, exist_ok=True)
        for old in out.iterdir():
            # The index stays to the end: a folder that was left half written can be written again.
            if MADE.fullmatch(old.name) and old.name != INDEX:
                old.unlink()
        write_atomically(out / INDEX, json.dumps({"kind": KIND, "finished": False}).encode())
        strips = draw_strips(exploration, out)
        _film(exploration, out)
        animate(_interpolation(exploration.subject, exploration.seed), out / "interpolation.webp", seconds=8.0)
        page = write_explore_page(exploration, strips, out)
        write_atomically(out / INDEX, json.dumps(plain(_index(exploration)), indent=1, allow_nan=False).encode())
    except OSError as error:
        raise UsageError(f"--out {out}: the exploration cannot be written: {error.strerror}") from None
    return page


def draw_strips(exploration: Exploration, out: Path) -> list[UInt8[np.ndarray, "rows steps h w *c"]]:
    """A picture of each direction, `direction-1.png` and so on; the images in them."""
    subject, latent = exploration.subject, exploration.subject.rows(exploration.seed)
    strips = []
    for place, vector in enumerate(exploration.directions.vectors):
        title = f"{exploration.directions.method}, direction {place + 1}: {exploration.judgement.names[place]}"
        pixels = strip(subject, vector, latent)
        columns = [f"{step:+.1f}" if step else "0" for step in STEPS]
        flat = pixels.reshape(-1, *pixels.shape[2:])
        save_image(labelled_sheet(flat, subject.row_names, columns, title), out / f"direction-{place + 1}.png")
        strips.append(pixels)
    return strips


def _film(exploration: Exploration, out: Path) -> None:
    """The same as films, there and back."""
    subject, latent = exploration.subject, exploration.subject.rows(exploration.seed)
    for place, vector in enumerate(exploration.directions.vectors):
        moving = strip(subject, vector, latent, np.linspace(-REACH, REACH, FILM_STEPS))
        there = [frame(moving[:, step]) for step in range(FILM_STEPS)]
        animate([*there, *there[-2:0:-1]], out / f"direction-{place + 1}.webp", seconds=4.0)


def _interpolation(subject: Subject, seed: int) -> list[Image.Image]:
    """Frames on the way from one latent to the next and back to the first, each of several images."""
    start = subject.drawn_rows(seed)
    ends = [subject.drawn_rows(derive(seed, "interpolation", place)).z for place in range(PLACES)]
    shares = torch.linspace(0, 1, BETWEEN + 1)[:-1]
    legs = [through_noise(subject.prior, a, b, shares) for a, b in zip(ends, ends[1:] + ends[:1], strict=True)]
    places = [with_noise(start, leg[:, [step]]) for leg in legs for step in range(BETWEEN)]
    return [frame(subject.images(subject.mapped(place))) for place in places]


def _index(exploration: Exploration) -> dict[str, Any]:
    """All numbers, the directions in the order of the ranking."""
    judged, found, subject = exploration.judgement, exploration.directions, exploration.subject
    probes = exploration.attributes.probes
    return {
        "kind": KIND,
        "finished": True,
        "generator": subject.name,
        "method": found.method,
        "found_in": found.found_in,
        "noise": subject.noise,
        "seed": exploration.seed,
        "features": exploration.attributes.features.name,
        "reach": judged.reach,
        "latents": judged.latents,
        "attributes": list(judged.attributes),
        "probes": {} if probes is None else dict(zip(probes.names, probes.areas.tolist(), strict=True)),
        "directions": [_entry(exploration, int(place)) for place in judged.ranking],
        "random": {
            "count": len(judged.random.identity),
            "change": {name: _spread(judged.random.change[:, a]) for a, name in enumerate(judged.attributes)},
            "identity": _spread(judged.random.identity),
            "path": _spread(judged.random.path),
        },
    }


def _entry(exploration: Exploration, place: int) -> dict[str, Any]:
    judged, found = exploration.judgement, exploration.directions
    changes = judged.found
    return {
        "direction": place + 1,
        "name": judged.names[place],
        found.strength: float(found.strengths[place]),
        "vector": found.vectors[place].tolist(),
        "identity": float(changes.identity[place]),
        "path": float(changes.path[place]),
        "times_random": float(judged.mean_ratio[place]),
        "changes": {
            name: {
                "change": float(changes.change[place, a]),
                "sign": float(changes.sign[place, a]),
                "steadiness": float(changes.steadiness[place, a]),
                "times_random": float(judged.beyond_chance[place, a]),
            }
            for a, name in enumerate(judged.attributes)
        },
        "strip": f"direction-{place + 1}.png",
        "film": f"direction-{place + 1}.webp",
    }


def _spread(values: Sequence[float] | np.ndarray) -> dict[str, float]:
    """The mean of the random directions, and the range in which 95 % of them lie."""
    low, high = np.quantile(values, (0.025, 0.975))
    return {"mean": float(np.mean(values)), "low": float(low), "high": float(high)}
