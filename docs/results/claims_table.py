"""Prints the rows of claims.md for the folders of studies: python docs/results/claims_table.py studies/*"""

import json
import sys
from pathlib import Path
from typing import Any


def rows(folder: Path) -> list[str]:
    """A row a claim, in the order of the study's file."""
    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    return [
        f"| {name} | {claim['sentence']} | **{claim['verdict']}** | "
        f"{'<br>'.join(told(part, claim['verdict']) for part in claim['parts'])} | {claim['seeds']} | "
        f"`{summary['study']}` |"
        for name, claim in summary["claims"].items()
    ]


def told(part: dict[str, Any], verdict: str) -> str:
    """What a part says, its effect with the interval, at equal seconds too, and its verdict where not the claim's."""
    cells = part["of"] if part["against"] is None else f"{part['of']} against {part['against']}"
    own = "" if part["verdict"] == verdict else f", {part['verdict']}"
    seconds = part.get("at_equal_seconds") if part["n"] > 2 else None  # of two seeds it has no width to speak of
    beside = f"; at equal seconds {effect(seconds, part['kind'])}" if seconds else ""
    return f"{part['says']}: {effect(part, part['kind'])} ({cells}; {part['region']} is asked for{own}{beside})"


def effect(found: dict[str, Any], kind: str) -> str:
    if found["effect"] is None:
        return "not measured"
    low, high = found["low"], found["high"]  # an end that is open is null
    interval = f"[{'-∞' if low is None else number(low)}, {'∞' if high is None else number(high)}]"
    interval = "(no interval)" if low is None and high is None else interval
    return f"{number(found['effect'])}{' times' if kind == 'ratio' else ''} {interval}"


def number(x: float) -> str:
    return f"{x:,.0f}" if abs(x) >= 1000 else f"{x:.3g}"


if __name__ == "__main__":
    for each in sys.argv[1:]:
        print(*rows(Path(each)), sep="\n")
