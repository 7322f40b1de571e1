"""How much memory a process may use, where control groups limit it."""

from pathlib import Path

import pytest

from ganbench import launch

MIB = 2**20


@pytest.mark.parametrize(
    ("groups", "limits", "allowed"),
    [
        ("0::/", {"memory.max": 300 * MIB}, 300),
        ("0::/user/job", {"user/job/memory.max": 400 * MIB, "user/memory.max": 200 * MIB}, 200),
        ("0::/user/job", {"user/job/memory.max": 100 * MIB, "user/memory.max": "max"}, 100),
        ("4:cpu:/x\n3:hugetlb,memory:/job", {"memory/job/memory.limit_in_bytes": 150 * MIB}, 150),
        ("", {"memory/memory.limit_in_bytes": 250 * MIB}, 250),
    ],
)
def test_the_least_limit_of_all_groups_that_a_process_lies_in(
    groups: str, limits: dict[str, int | str], allowed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, limit in limits.items():
        (tmp_path / "fs" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "fs" / name).write_text(f"{limit}\n")
    (tmp_path / "group").write_text(groups)
    monkeypatch.setattr(launch, "_GROUPS", tmp_path / "fs")
    monkeypatch.setattr(launch, "_GROUP", tmp_path / "group")
    assert launch.memory() == allowed * MIB
