"""Prints the rows of claims.md for the folders of studies: python docs/results/claims_table.py studies/*"""

import json
import sys
from pathlib import Path
from typing import Any


def rows(folder: Path) -> list[str]:
    """A row a claim, in the order of the study's file."""
    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    return [row(name, claim, summary["study"]) for name, claim in summary["claims"].items()]


def row(name: str, claim: dict[str, Any], study: str) -> str:
    few, most = (choose(part["n"] for part in claim["parts"]) for choose in (min, max))
    parts = "<br>".join(told(part, claim["verdict"], most) for part in claim["parts"])
    seeds = most if few == most else f"{few} to {most}"
    return " | ".join(
        [
            f"| {name}",
            claim["sentence"],
            f"**{claim['verdict']}**",
            parts,
            f"{seeds}",
            f"`ganbench reproduce {study}` |",
        ]
    )


def told(part: dict[str, Any], verdict: str, seeds: int) -> str:
    """What a part says, its effect with the interval, by seconds too, its verdict where not the claim's, and on how
    many seeds it rests where they are fewer than the claim's."""
    cells = part["of"] if part["against"] is None else f"{part['of']} against {part['against']}"
    own = "" if part["verdict"] == verdict else f", {part['verdict']}"
    own = ", so few runs could not have decided it" if part["powerless"] else own
    seconds = part.get("by_seconds")
    if seconds and part["n"] <= 2:  # of two seeds the interval has no width to speak of
        beside = f"; by seconds {estimate(seconds, part['kind'])}"
    else:
        beside = f"; by seconds {effect(seconds, part['kind'])}" if seconds else ""
    few = f"; {part['n']} seeds" if part["n"] < seeds else ""
    return f"{part['says']}: {effect(part, part['kind'])} ({cells}; {part['region']} is asked for{own}{beside}{few})"


def effect(found: dict[str, Any], kind: str) -> str:
    if found["effect"] is None:
        return "not measured"
    low, high = found["low"], found["high"]  # an end that is open is null
    interval = f"[{'-∞' if low is None else number(low)}, {'∞' if high is None else number(high)}]"
    interval = "(no interval)" if low is None and high is None else interval
    return f"{estimate(found, kind)} {interval}"


def estimate(found: dict[str, Any], kind: str) -> str:
    return f"{number(found['effect'])}{' times' if kind == 'ratio' else ''}"


def number(x: float) -> str:
    return f"{x:,.0f}" if abs(x) >= 1000 else f"{x:.3g}"


if __name__ == "__main__":
    for each in sys.argv[1:]:
        print(*rows(Path(each)), sep="\n")
