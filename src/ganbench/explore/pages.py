"""The tables and the page of an exploration."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from ganbench.explore.exploration import Exploration
from ganbench.explore.frames import frame
from ganbench.explore.judge import STEADY, UNNAMED
from ganbench.explore.probes import Probes
from ganbench.explore.strips import STEPS
from ganbench.gallery.pages import read_picture
from ganbench.reports import Page, Picture, Section, Slider, Table, write_page

HEADER = ("direction", "name", "change", "random", "times", "steady", "also", "all", "identity", "path")

WIDEST = 16_383
"""Pixels of width that a WebP picture can have."""


def summary_rows(exploration: Exploration) -> list[list[str]]:
    """A row a direction in the order of the ranking, as `HEADER` names its cells; the last row is random directions."""
    judged = exploration.judgement
    found, chance = judged.found, judged.random
    rows = []
    for place in judged.ranking:
        order = np.argsort(-found.steady[place], kind="stable")
        most, named = order[0], judged.names[place] != UNNAMED
        low, high = np.quantile(chance.change[:, most], (0.025, 0.975))
        rows.append(
            [
                f"{place + 1}",
                _signed(judged.names[place]),
                f"{found.change[place, most]:.2f}",
                f"{chance.change[:, most].mean():.2f} [{low:.2f}, {high:.2f}]",
                f"{judged.beyond_chance[place, most]:.1f}",
                f"{found.steadiness[place, most]:.0%}",
                ", ".join(
                    f"{judged.attributes[a]} {'+' if found.sign[place, a] > 0 else '−'}"
                    for a in order[named : named + 2]
                    if found.sign[place, a]
                ),
                f"{judged.mean_ratio[place]:.1f}",
                f"{found.identity[place]:.2f}",
                f"{found.path[place]:.3f}",
            ]
        )
    rows.append(["random", *[""] * 6, "1.0", f"{chance.identity.mean():.2f}", f"{chance.path.mean():.3f}"])
    return rows


def _signed(name: str) -> str:
    return name if name == UNNAMED else f"{name} +"


def legend(exploration: Exploration) -> list[str]:
    """What the table's columns are."""
    judged = exploration.judgement
    return [
        f"Each direction, {judged.reach:g} to either side of {judged.latents} latents. change: the mean change, up or "
        "down, of the attribute that names the direction, in its standard deviations over generated images; random: "
        f"the same of {len(judged.random.identity)} random directions of equal length, mean and range of 95 % of them; "
        "times: the one over the other's mean; steady: 100 % where it has the same sign from all latents, 0 % where it "
        "goes either way; also: what it changes next to that, and of a direction without a name first what the columns "
        "before are about; all: the mean of times over all attributes.",
        "identity: how far the ends are from the start in features, 1 being two images drawn independently; path: the "
        "perceptual path length along the direction, the squared such distance over the squared step. "
        f"Features: {exploration.attributes.features.name}.",
        *_read(exploration.attributes.probes),
        "Names go by change times steadiness, and not by change alone: a direction whose most is not above that of 39 "
        f"in 40 random ones, or less than {STEADY:.0%} steady, is named {UNNAMED!r}.",
    ]


def _read(probes: Probes | None) -> list[str]:
    """Which attributes are read by probes, and how well."""
    if probes is None:
        return []
    areas = ", ".join(f"{name} {area:.2f}" for name, area in zip(probes.names, probes.areas, strict=True))
    return [f"Read by linear probes, with the area under the ROC curve in images held out: {areas}."]


def write_explore_page(
    exploration: Exploration, strips: list[UInt8[np.ndarray, "rows steps h w *c"]], out: Path
) -> Path:
    """`explore.html`: sliders, the table, strips and the interpolation, all in one file."""
    judged, found, subject = exploration.judgement, exploration.directions, exploration.subject
    order = [int(place) for place in judged.ranking]
    titles = {place: f"direction {place + 1}: {_signed(judged.names[place])}" for place in order}
    sliders = [Slider(_frames(strips[place], titles[place]), [f"{step:+.1f}" for step in STEPS]) for place in order]
    shown = [read_picture(out / f"direction-{place + 1}.png", titles[place], light=True) for place in order]
    film = read_picture(out / "interpolation.webp", "From one noise vector to the next, labels held.")
    summary = Table(HEADER, summary_rows(exploration))
    strengths = ", ".join(f"{value:.3g}" for value in found.strengths)
    page = Page(
        title=f"Directions of {subject.name}",
        lead=[
            f"{len(order)} directions by {found.method} ({found.found_in}); {found.strength} {strengths}.",
            "Each is named by what it changes most, beside random directions of equal length.",
        ],
        sections=[
            Section("Sliders", ["Move a slider along its direction, from -3 to 3."], sliders=sliders),
            Section("What they change", legend(exploration), tables=[summary]),
            Section("Strips", ["Rows: noise vectors, or labels. Columns: steps."], pictures=shown),
            Section("From one image to another", pictures=[film]),
            Section("Every attribute", tables=[_matrix(exploration, order)], folded=True),
        ],
    )
    path = out / "explore.html"
    write_page(page, path)
    return path


def _frames(pixels: UInt8[np.ndarray, "rows steps h w *c"], caption: str) -> Picture:
    """The frames of a slider, side by side: at each step the images of all rows."""
    frames = [frame(pixels[:, step]) for step in range(pixels.shape[1])]
    width, height = frames[0].size
    whole = Image.new(frames[0].mode, (len(frames) * width, height))
    for step, each in enumerate(frames):
        whole.paste(each, (step * width, 0))
    buffer = io.BytesIO()
    if whole.width <= WIDEST:
        whole.save(buffer, format="webp", quality=80, method=4)
        return Picture(caption, buffer.getvalue(), "image/webp")
    whole.save(buffer, format="png", optimize=True)
    return Picture(caption, buffer.getvalue(), "image/png")


def _matrix(exploration: Exploration, order: list[int]) -> Table:
    """Change of every attribute along every direction."""
    judged = exploration.judgement
    rows = []
    for a, name in enumerate(judged.attributes):
        chance = judged.random.change[:, a]
        low, high = np.quantile(chance, (0.025, 0.975))
        own = [f"{judged.found.change[place, a]:.2f}" for place in order]
        rows.append([name, *own, f"{chance.mean():.2f} [{low:.2f}, {high:.2f}]"])
    header = ("attribute", *(f"direction {place + 1}" for place in order), "random")
    return Table(header, rows, caption="Mean change, up or down, in standard deviations of the attribute.")
