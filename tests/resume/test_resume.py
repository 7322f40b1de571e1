"""A run that was stopped, killed or damaged goes on as if nothing had been."""

import json
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from ganbench import checkpoints, fitting
from ganbench.configuration import Configuration, configure
from ganbench.data import load_points
from ganbench.metrics import PointRuler
from ganbench.optimizers import OPTIMIZERS
from ganbench.runs import RunFolder
from ganbench.types import UsageError
from ganbench.workbench import Workbench

ROUNDS = 60
SMALL = [
    ("critic.network.widths", [8, 8]),
    ("generator.network.widths", [8, 8]),
    ("batch_size", 16),
    ("rounds", ROUNDS),
    ("snapshot_every", 20),
    ("measure", {"count": 32, "final": 32}),
]


def tiny(recipe: str = "wgan-gp", *changes: tuple[str, object]) -> Configuration:
    return configure(recipe, "moons", changes=[*SMALL, ("turns", {"critic": 2}), *changes])


def work(folder: Path, configuration: Configuration, stops: list[int]) -> dict:
    """Trains, stopping after each of the rounds given and going on in a fresh process's state."""
    data = load_points("moons")
    run = RunFolder.create(folder, configuration, data)
    for i, stop in enumerate([*stops, None]):
        bench = Workbench(configuration, data)

        def at_stop(bench: Workbench = bench, stop: int | None = stop) -> bool:
            return stop is not None and bench.state.round >= stop

        summary = fitting.fit(bench, run, resume=i > 0, interrupted=at_stop)
        assert summary["status"] == ("interrupted" if stop else "finished")
    return summary


def trace(folder: Path) -> tuple[dict[str, torch.Tensor], list[dict], list[dict]]:
    """All that a run came to, but for the seconds it took."""
    tensors = load_file(folder / "checkpoints" / f"{ROUNDS:08d}.safetensors")
    rows = [RunFolder(folder).rows(name) for name in ("log", "metrics")]
    for row in (*rows[0], *rows[1]):
        del row["seconds"]
    return tensors, rows[0], rows[1]


def assert_same(a: Path, b: Path) -> None:
    (tensors, *rows), (other_tensors, *other_rows) = trace(a), trace(b)
    assert tensors.keys() == other_tensors.keys()
    assert all(torch.equal(tensors[k], other_tensors[k]) for k in tensors)
    assert rows == other_rows


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("unbroken") / "run"
    work(folder, tiny(), [])
    return folder


@pytest.mark.parametrize("seed", range(4))
def test_stopped_at_random_rounds_it_ends_bit_for_bit_the_same(unbroken: Path, tmp_path: Path, seed: int) -> None:
    stops = sorted(random.Random(seed).sample(range(1, ROUNDS), 3))
    work(tmp_path / "run", tiny(), stops)
    assert_same(unbroken, tmp_path / "run")


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_every_optimisers_state_is_kept(tmp_path: Path, optimizer: str) -> None:
    both = [
        ("critic.optimizer", optimizer),
        ("generator.optimizer", optimizer),
        ("average", {"kind": "decay", "decay": 0.9}),
        ("rounds", ROUNDS),
    ]
    for name, stops in (("a", []), ("b", [7])):
        work(tmp_path / name, tiny("gan", *both), stops)
    assert_same(tmp_path / "a", tmp_path / "b")


THEN = {"window": 3, "windows": 3, "critic": 1, "generator": 4}


@pytest.mark.parametrize("stop", ["within a window", "as it turns", "later"])
def test_a_ratio_that_turns_by_itself_turns_at_the_same_round(tmp_path: Path, stop: str) -> None:
    changes = [("turns", {"critic": 3, "opening": [{"rounds": 4, "critic": 5}], "then": THEN})]
    work(tmp_path / "a", tiny("wgan", *changes), [])
    log = RunFolder(tmp_path / "a").rows("log")
    turned = next(row["round"] for row in log if row["gauge.turned"])
    assert 4 < turned < ROUNDS - 2
    assert (turned - 4) % THEN["window"] == 0
    assert [row["gauge.turned"] for row in log] == [0.0] * (turned - 1) + [float(turned)] * (ROUNDS - turned + 1)
    facts = json.loads((tmp_path / "a" / "checkpoints" / f"{ROUNDS:08d}.json").read_text())
    assert facts["critic_turns"] == 4 * 5 + (turned - 4) * 3 + (ROUNDS - turned)
    assert facts["generator_turns"] == turned + 4 * (ROUNDS - turned)
    work(tmp_path / "b", tiny("wgan", *changes), [{"within a window": turned - 1, "as it turns": turned}.get(stop, 57)])
    assert_same(tmp_path / "a", tmp_path / "b")


def test_killed_at_random_moments_it_ends_bit_for_bit_the_same(unbroken: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    (tmp_path / "config.yaml").write_text(tiny().text())
    begin = ["--config", tmp_path / "config.yaml", "--data", "moons"]
    slowly = "import time, ganbench.training as t; play = t.play_round\n"
    slowly += "t.play_round = lambda *a: (time.sleep(0.05), play(*a))[1]\n"
    slowly += "from ganbench.cli import main; main()"
    rng = random.Random(5)
    for attempt in range(20):
        words = (
            ["--resume", "--out", folder]
            if attempt and (folder / "config.yaml").exists()
            else [*begin, "--out", folder]
        )
        process = subprocess.Popen([sys.executable, "-c", slowly, "train", *map(str, words)], stderr=subprocess.DEVNULL)
        log = folder / "log.jsonl"
        target = (len(log.read_text().splitlines()) if log.exists() else 0) + rng.randrange(5, 25)
        while process.poll() is None and not (log.exists() and len(log.read_text().splitlines()) >= target):
            time.sleep(0.02)
        process.kill()
        if process.wait() == 0:
            break
    assert RunFolder(folder).summary, "the run never ended"
    assert_same(unbroken, folder)


def test_ctrl_c_leaves_a_resumable_run_and_says_how(unbroken: Path, tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(tiny().text())
    slowly = "import time, ganbench.training as t; play = t.play_round\n"
    slowly += "t.play_round = lambda *a: (time.sleep(0.05), play(*a))[1]\n"
    slowly += "from ganbench.cli import main; main()"
    words = ["train", "--config", "config.yaml", "--data", "moons", "--out", "run"]
    process = subprocess.Popen(
        [sys.executable, "-c", slowly, *words], cwd=tmp_path, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    while not (tmp_path / "run" / "log.jsonl").exists():
        time.sleep(0.05)
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "ganbench train --resume --out run" in err
    assert "Traceback" not in err
    summary = json.loads((tmp_path / "run" / "summary.json").read_text())
    assert summary["status"] == "interrupted"
    assert set(summary["metrics"]) == {"final", "best", "floor"}
    subprocess.run([sys.executable, "-m", "ganbench", "train", "--resume", "--out", "run"], cwd=tmp_path, check=True)
    assert_same(unbroken, tmp_path / "run")


def test_a_run_that_another_process_is_at_work_on_is_left_alone(unbroken: Path, tmp_path: Path) -> None:
    folder, configuration, data = tmp_path / "run", tiny(), load_points("moons")
    bench = Workbench(configuration, data)
    fitting.fit(bench, RunFolder.create(folder, configuration, data), interrupted=lambda: bench.state.round >= 10)
    holding = "import sys, time, pathlib; from ganbench.locks import alone\n"
    holding += "with alone(pathlib.Path(sys.argv[1])): print('held', flush=True); time.sleep(600)"
    command = [sys.executable, "-c", holding, str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(UsageError, match=f"another process is at work on {folder}"):
            fitting.fit(Workbench(configuration, data), RunFolder.open(folder), resume=True)
        holder.kill()
    fitting.fit(Workbench(configuration, data), RunFolder.open(folder), resume=True, interrupted=lambda: False)
    assert_same(unbroken, folder)


@pytest.mark.parametrize("harm", ["cut", "flip", "lose-json", "cut-json", "empty"])
def test_a_damaged_checkpoint_is_passed_over_for_the_one_before(unbroken: Path, tmp_path: Path, harm: str) -> None:
    folder = tmp_path / "run"
    data, configuration = load_points("moons"), tiny()
    bench = Workbench(configuration, data)
    fitting.fit(bench, RunFolder.create(folder, configuration, data), interrupted=lambda: bench.state.round >= 45)
    last = folder / "checkpoints" / "00000045.safetensors"
    content = last.read_bytes()
    match harm:
        case "cut":
            last.write_bytes(content[: len(content) // 2])
        case "flip":
            last.write_bytes(content[:-5] + bytes([content[-5] ^ 1]) + content[-4:])
        case "lose-json":
            last.with_suffix(".json").unlink()
        case "cut-json":
            last.with_suffix(".json").write_text('{"round": 4')
        case "empty":
            last.write_bytes(b"")
    assert checkpoints.read_last(folder / "checkpoints").round == 40  # type: ignore[union-attr]
    fitting.fit(Workbench(configuration, data), RunFolder.open(folder), resume=True, interrupted=lambda: False)
    assert_same(unbroken, folder)


@pytest.mark.parametrize("damage", [lambda path: path.write_bytes(b"x"), Path.unlink], ids=["damaged", "none"])
def test_without_a_whole_checkpoint_it_starts_over(
    unbroken: Path, tmp_path: Path, damage: Callable[[Path], object]
) -> None:
    folder, configuration, data = tmp_path / "run", tiny(), load_points("moons")
    bench = Workbench(configuration, data)
    fitting.fit(bench, RunFolder.create(folder, configuration, data), interrupted=lambda: bench.state.round >= 10)
    for path in (folder / "checkpoints").iterdir():
        damage(path)
    fitting.fit(Workbench(configuration, data), RunFolder.open(folder), resume=True, interrupted=lambda: False)
    assert_same(unbroken, folder)


def test_other_data_are_refused(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    np.save(tmp_path / "a.npy", rng.normal(size=(100, 2)))
    configuration = configure("gan", str(tmp_path / "a.npy"), changes=SMALL)
    data = load_points(tmp_path / "a.npy")
    bench = Workbench(configuration, data)
    fitting.fit(
        bench, RunFolder.create(tmp_path / "run", configuration, data), interrupted=lambda: bench.state.round >= 5
    )
    np.save(tmp_path / "a.npy", rng.normal(size=(100, 2)))
    with pytest.raises(UsageError, match="has changed"):
        fitting.fit(
            Workbench(configuration, load_points(tmp_path / "a.npy")), RunFolder.open(tmp_path / "run"), resume=True
        )


@pytest.mark.parametrize(
    ("field", "value"),
    [("critic.network.widths", [16, 8]), ("generator.network.widths", [8]), ("average", {"kind": "decay"})],
)
def test_other_networks_than_the_checkpoints_are_told(tmp_path: Path, field: str, value: object) -> None:
    configuration, data = tiny("gan"), load_points("moons")
    bench, run = Workbench(configuration, data), RunFolder.create(tmp_path / "run", configuration, data)
    fitting.fit(bench, run, interrupted=lambda: bench.state.round >= 5)
    other = configure("gan", "moons", changes=[*SMALL, (field, value)])
    with pytest.raises(UsageError, match=r"config\.yaml has been changed"):
        Workbench(other, data).restore(run.checkpoint("last"))


def test_a_run_of_a_gpu_is_looked_at_but_not_gone_on_with_on_a_processor(tmp_path: Path) -> None:
    """A GPU's random streams have 16 bytes, and no processor can draw what they would."""
    configuration, data = tiny("gan"), load_points("moons")
    run = RunFolder.create(tmp_path / "run", configuration, data)
    bench = Workbench(configuration, data)
    fitting.fit(bench, run, interrupted=lambda: bench.state.round >= 5)
    kept = run.checkpoint("last")
    theirs = {
        name: torch.zeros(16, dtype=torch.uint8) if name.startswith("stream.") else tensor
        for name, tensor in kept.tensors.items()
    }
    checkpoints.write(run.checkpoints, checkpoints.Checkpoint(theirs, kept.facts), best=True)
    looking = Workbench(configuration, data)
    looking.restore(run.checkpoint("last"))
    assert np.array_equal(looking.sample(10), bench.sample(10))
    with pytest.raises(UsageError, match="begun on a GPU"):
        fitting.fit(Workbench(configuration, data), run, resume=True)


def test_a_diverging_run_keeps_its_last_good_checkpoint_and_says_why(tmp_path: Path) -> None:
    changes = [
        *SMALL,
        ("critic.optimizer", {"kind": "sgd", "lr": 1e6}),
        ("generator.optimizer", {"kind": "sgd", "lr": 1e6}),
    ]
    configuration = configure("lsgan", "moons", changes=changes)
    data = load_points("moons")
    folder = RunFolder.create(tmp_path / "run", configuration, data)
    summary = fitting.fit(Workbench(configuration, data), folder)
    assert summary["status"] == "diverged"
    assert "optimizer.lr" in summary["cause"]
    good = folder.checkpoint("last")
    assert all(t.isfinite().all() for t in good.tensors.values())
    assert np.isfinite(summary["metrics"]["final"]["w1"])
    assert (tmp_path / "run" / "report.html").exists()


def test_the_last_two_and_the_best_are_kept(unbroken: Path) -> None:
    kept = checkpoints.rounds(unbroken / "checkpoints")
    rows = RunFolder(unbroken).rows("metrics")
    best = checkpoints.best_round(unbroken / "checkpoints")
    assert set(kept) == {40, 60, best}
    spread = PointRuler(load_points("moons"), 32).floor_spread["w1"]
    good = [
        row["round"] for row in rows if row["w1"] <= min(r["w1"] for r in rows if r["round"] <= row["round"]) + spread
    ]
    assert best == good[-1]
    assert not [p for p in (unbroken / "checkpoints").iterdir() if p.suffix not in (".json", ".safetensors")]
    assert {p.name for p in unbroken.rglob(".*")} <= {".lock"}


def test_the_run_can_be_repeated_from_its_configuration_alone(unbroken: Path, tmp_path: Path) -> None:
    words = ["train", "--config", unbroken / "config.yaml", "--out", tmp_path / "run"]
    subprocess.run([sys.executable, "-m", "ganbench", *map(str, words)], check=True, stderr=subprocess.DEVNULL)
    assert_same(unbroken, tmp_path / "run")
    assert (tmp_path / "run" / "config.yaml").read_bytes() == (unbroken / "config.yaml").read_bytes()
