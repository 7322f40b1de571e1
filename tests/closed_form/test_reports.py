"""A report is one file that shows what it was given, as it was given, and asks nothing of any network."""

from __future__ import annotations

import base64
import hashlib
import io
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from ganbench.gallery import read_picture
from ganbench.reports import Page, Picture, Section, Slider, Table, render, write_page

HOSTILE = ("<b>.csv", "</title><script>alert(1)</script>", '" onerror="alert(1)', "{{ 7 * 6 }}", "a & b &lt;", "'")
VOID = {"meta", "img", "br", "link", "input"}


class Reader(HTMLParser):
    """What a browser would see: the elements with their attributes, and the text between."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def picture(caption: str = "a red square") -> Picture:
    buffer = io.BytesIO()
    Image.new("RGB", (3, 2), "red").save(buffer, "png")
    return Picture(caption, buffer.getvalue(), "image/png")


def page(name: str) -> Page:
    table = Table((name, "w1"), [[name, "0.5"], ["gan", "−1"]], caption=name)
    everything = Section(name, [name], [picture(name)], [table], code=name)
    return Page(name, [name, "second"], [everything, Section("folded", code=f"\n  {name}\n", folded=True)])


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_show_as_they_are(name: str) -> None:
    html = render(page(name))
    reader = Reader(html)
    assert reader.open == []
    places = ("title", "h1", "lead", "contents", "h2", "paragraph", "th", "td", "caption", "figcaption")
    assert reader.text.count(name) == len(places)
    assert [image["alt"] for image in reader.all("img")] == [name]


@pytest.mark.parametrize("name", HOSTILE)
def test_nothing_is_asked_of_a_network_and_nothing_runs(name: str) -> None:
    html = render(page(name))
    reader = Reader(html)
    allowed = {"href": r"#section-\d+", "src": r"data:image/png;base64,[\w+/=]+"}
    assert {tag for tag, _ in reader.elements}.isdisjoint({"script", "link", "iframe", "object", "embed", "base"})
    for _, attributes in reader.elements:
        for attribute, value in attributes.items():
            assert not attribute.startswith("on")
            if attribute in ("src", "href", "srcset", "action", "data", "poster", "style"):
                assert re.fullmatch(allowed[attribute], value or "")
    sheet = html[html.index("<style>") : html.index("</style>")]
    assert "url(" not in sheet
    assert "@import" not in sheet


def test_a_picture_is_inside_whole() -> None:
    (image,) = Reader(render(Page("a", sections=[Section("b", pictures=[picture()])]))).all("img")
    assert base64.b64decode((image["src"] or "").partition("base64,")[2]) == picture().data


def test_the_contents_lead_to_the_sections() -> None:
    reader = Reader(render(Page("a", sections=[Section("one"), Section("one"), Section("two")])))
    assert [link["href"] for link in reader.all("a")] == [f"#{section['id']}" for section in reader.all("section")]
    assert len({section["id"] for section in reader.all("section")}) == 3


def test_only_what_is_folded_is_folded() -> None:
    reader = Reader(render(Page("a", sections=[Section("shown", ["x"]), Section("hidden", ["y"], folded=True)])))
    assert len(reader.all("details")) == 1
    assert "open" not in reader.all("details")[0]


def test_numbers_stand_to_the_right_and_words_do_not() -> None:
    table = Table(("cell", "w1", "interval", "note"), [["gan", "0.5", "0.1 to 0.9", "12"], ["best", "−3", "", "none"]])
    cells = Reader(render(Page("a", sections=[Section("b", tables=[table])]))).all("td")
    assert [cell.get("class") for cell in cells] == [None, "number", "number", None] * 2


def test_text_as_it_stands_keeps_its_lines() -> None:
    code = "\n\nfirst:\n  second: 1\n\n"
    html = render(Page("a", sections=[Section("b", code=code)]))
    # A browser drops the first line break after <pre>.
    assert html.partition("<pre>")[2].partition("</pre>")[0] == "\n" + code


def test_an_empty_page_is_a_page() -> None:
    reader = Reader(render(Page("")))
    assert reader.open == []
    assert reader.all("nav") == []
    Reader(render(Page("a", sections=[Section("b", tables=[Table((), []), Table(("only", "header"), [])])])))


@given(st.text(min_size=1))
@settings(max_examples=50, deadline=None)
def test_any_text_can_be_said(text: str) -> None:
    reader = Reader(render(Page("a", sections=[Section("b", [text])])))
    assert reader.open == []
    # Newlines of other systems and NUL are read as HTML reads them.
    if not re.search("[\r\x00]", text):
        assert text in "".join(reader.text)


def test_a_page_is_written_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "report.html"
    write_page(Page("first"), path)
    write_page(Page("second, of \udcff.csv"), path)
    assert "second, of ?.csv" in path.read_text(encoding="utf-8")

    def full(self: Path, content: bytes) -> int:
        raise OSError("no space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match="no space"):
        write_page(Page("third"), path)
    assert "second" in path.read_text(encoding="utf-8")
    assert list(tmp_path.iterdir()) == [path]


def test_a_light_picture_is_small_and_looks_the_same(tmp_path: Path) -> None:
    """A smooth picture with grain, as photographs have it; one that is small already is taken as it is."""
    ramp = np.linspace(0, 200, 500)[:, None, None] + np.zeros((500, 500, 3))
    pixels = (ramp + np.random.default_rng(0).integers(0, 12, ramp.shape)).astype(np.uint8)
    whole = tmp_path / "sheet.png"
    Image.fromarray(pixels).save(whole)
    light = read_picture(whole, "a sheet", light=True)
    assert (light.mime, light.caption) == ("image/webp", "a sheet")
    assert len(light.data) < len(whole.read_bytes()) / 5
    with Image.open(io.BytesIO(light.data)) as shown:
        assert np.abs(np.asarray(shown.convert("RGB")).astype(float) - pixels).mean() < 6
    assert read_picture(whole, "").data == whole.read_bytes()
    Image.fromarray(pixels[:64, :64]).save(small := tmp_path / "small.png")
    assert read_picture(small, "", light=True).data == small.read_bytes()


def test_the_only_script_is_that_of_sliders_and_its_hash_allows_it() -> None:
    picture = Picture("a <direction>", b"RIFF", "image/webp")
    section = Section("Sliders", sliders=[Slider(picture, ["-1", "0", "+1"])])
    page = render(Page("sliders", sections=[section]))
    (script,) = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in page
    assert 'max="2" value="1"' in page
    assert "a &lt;direction&gt;" in page
    assert "script" not in render(Page("none", sections=[Section("empty")]))
