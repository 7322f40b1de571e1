"""The house: each part imports only what stands before it."""

import ast
from pathlib import Path

import ganbench

ORDER = (
    "errors launch interrupts locks sharing settings types seeds schedules averages objectives terms constraints "
    "priors optimizers networks recipes data learners state recordings training metrics figures reports configuration "
    "checkpoints runs machine sampling interpolation workbench divergence alarms export tracking gallery fitting "
    "explore progress studies tuning api cli __main__"
)
PLACE = {part: place for place, part in enumerate(ORDER.split())}
ROOT = Path(ganbench.__file__).parent


def imported(path: Path) -> set[str]:
    """The parts of ganbench that a file imports, wherever in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "ganbench":
            parts = (node.module or "").split(".")
            found |= {parts[1]} if len(parts) > 1 else {alias.name for alias in node.names}
    return found & PLACE.keys()


def test_imports_point_one_way() -> None:
    wrong = []
    for path in ROOT.rglob("*.py"):
        part = path.relative_to(ROOT).parts[0].removesuffix(".py")
        if part == "__init__":
            continue
        assert part in PLACE, f"{part} has no place in the house"
        wrong += [f"{path.name} imports {other}" for other in imported(path) if PLACE[other] > PLACE[part]]
    assert not wrong
