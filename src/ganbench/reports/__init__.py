"""Reports: one HTML file each, which opens offline, on a phone and in print; no script is needed but for sliders."""

from __future__ import annotations

import base64
import hashlib
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

SLIDERS = """
for (const slider of document.querySelectorAll(".slider")) {
  const [picture, input, said] = ["img", "input", "output"].map((tag) => slider.querySelector(tag));
  const positions = input.dataset.positions.split(" ");
  input.addEventListener("input", () => {
    picture.style.transform = `translateX(${-100 * input.value / positions.length}%)`;
    said.textContent = positions[input.value];
  });
}
"""
"""The only script of a page, in those that have sliders. No other is allowed to run there."""


@dataclass(frozen=True, slots=True)
class Picture:
    """What a file of a picture holds, of the kind `mime` such as "image/png", and what is said below it."""

    caption: str
    data: bytes
    mime: str

    @property
    def uri(self) -> str:
        """The picture as an address that holds it."""
        return f"data:{self.mime};base64,{base64.b64encode(self.data).decode('ascii')}"


@dataclass(frozen=True, slots=True)
class Table:
    """Cells as they are to be read; columns of numbers are set to the right."""

    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    caption: str = ""

    @property
    def numeric(self) -> list[bool]:
        """Of each column, whether all that is in it begins with a number."""
        columns = [[row[i] for row in self.rows if row[i]] for i in range(len(self.header))]
        return [bool(column) and all(re.match(r"[-+−±]?\d", cell) for cell in column) for column in columns]


@dataclass(frozen=True, slots=True)
class Slider:
    """Frames of one size side by side in a picture, of which one is seen, at first the middle one.

    `positions` says of each frame what it stands for.
    """

    picture: Picture
    positions: Sequence[str]


@dataclass(frozen=True, slots=True)
class Section:
    """Under one heading: paragraphs, sliders, tables, pictures and text as it stands; `folded` opens on a click."""

    heading: str
    paragraphs: Sequence[str] = ()
    pictures: Sequence[Picture] = ()
    tables: Sequence[Table] = ()
    code: str = ""
    folded: bool = False
    sliders: Sequence[Slider] = ()


@dataclass(frozen=True, slots=True)
class Page:
    """A report: its title, the paragraphs that say the most, and its sections."""

    title: str
    lead: Sequence[str] = ()
    sections: Sequence[Section] = ()


def render(page: Page) -> str:
    """The page as one HTML file's text. Whatever is in it is shown as it is, and never read as HTML.

    >>> "&lt;b&gt;.csv" in render(Page("gan on <b>.csv"))
    True
    """
    environment = Environment(
        loader=PackageLoader("ganbench", "reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    script = SLIDERS if any(section.sliders for section in page.sections) else ""
    allowed = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii")
    return environment.get_template("page.html").render(page=page, script=script, allowed=allowed)


def write_page(page: Page, path: Path) -> None:
    """Write the page to `path`, at once: whoever reads meanwhile sees the old file or the new one, whole."""
    # A file's name may hold bytes that are no text.
    content = render(page).encode("utf-8", errors="replace")
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        temporary.write_bytes(content)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
