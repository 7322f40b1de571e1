"""Trainings that several processes share: what they compute, how they start, stop, and go on."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from ganbench import sharing
from ganbench.api import prepare
from ganbench.fitting import Orders
from ganbench.networks.layers import InParts
from ganbench.recipes import recipe_named
from ganbench.runs import RunFolder
from ganbench.state import State, batch_norms
from ganbench.training import Span, train
from ganbench.types import Medium, UsageError
from tests.laws.test_laws import CASES, begin
from tests.sharing.battery import ROUNDS, Results, results, started

WHOLE = {
    name
    for name, medium in CASES
    for state, recipe, _ in [begin(name, medium)]
    if any(map(batch_norms, state.networks)) or "spectral-norm" in recipe.critic.constraints
}
"""Recipes whose passes must see the batch at once."""
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "COLUMNS": "200"}


def launch(*words: object, count: int = 2) -> list[str]:
    start = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(count), "-m"]
    return [sys.executable, *start, *map(str, words)]


@pytest.fixture(scope="module")
def alone() -> Results:
    return results()


def furthest(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> dict[str, float]:
    """How far each loss, weight vector and buffer differs: of vectors as a share of the way that training took them."""
    assert one.keys() == other.keys()
    found = {}
    for name, value in one.items():
        a, b = value.double(), other[name].double()
        moved = f"start.{name}" in one and name.endswith(".vector")
        way = (a - one[f"start.{name}"].double()).norm() if moved else a.norm()
        # A game that has hardly moved is lost in the rounding of its weights or scores.
        least = 1e-6 * float(a.norm()) if moved else 1e-3
        found[name] = float((a - b).norm() / way.clamp(min=least))
    return found


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Results:
    out = tmp_path_factory.mktemp("shared") / "made.pt"
    subprocess.run(launch("tests.sharing.battery", out), check=True, timeout=500, env=ENVIRONMENT)
    return torch.load(out)


def test_two_processes_train_every_recipe_as_one_does(alone: Results, shared: Results) -> None:
    """Losses, weights, averages, batch statistics and what games carry, up to the order of summation."""
    assert shared.keys() == alone.keys()
    for name in alone:
        differences = furthest(alone[name], shared[name])
        assert max(differences.values()) < 2e-3, (name, max(differences, key=differences.__getitem__))
        exact = [difference for key, difference in differences.items() if key.startswith(("start.", "stream."))]
        assert max(exact) == 0


@pytest.mark.parametrize(
    ("name", "medium"), [("began", "images"), ("dcgan", "images"), ("wgan-gp", "points"), ("stylegan2", "images")]
)
def test_one_process_goes_on_from_where_two_were(name: str, medium: Medium, shared: Results) -> None:
    """It ends where one process ends that did all rounds."""
    ends = []
    whole, recipe, batches = started(name, medium)
    start = {f"start.{key}": value.clone() for key, value in whole.tensors().items()}
    list(train(whole, recipe, batches, Span(rounds=ROUNDS)))
    counters, together = dict(whole.counters()), shared[f"{name} on {medium}"]
    for kept in (dict(whole.tensors()), {key: together[key] for key in whole.tensors()}):
        later, recipe, batches = started(name, medium)
        later.restore({key: value.clone() for key, value in kept.items()}, counters)
        list(train(later, recipe, batches, Span(rounds=ROUNDS + 2)))
        assert later.round == ROUNDS + 2
        ends.append(start | later.tensors())
    differences = furthest(*ends)
    assert max(differences.values()) < 2e-3, max(differences, key=differences.__getitem__)


def test_a_shared_command_logs_and_measures_what_one_process_does(tmp_path: Path) -> None:
    sgd = ["--set", "critic.optimizer={kind: sgd, lr: 0.01}", "--set", "generator.optimizer={kind: sgd, lr: 0.01}"]
    words = ["train", "gan", "--data", "moons", "--rounds", 20, "--batch-size", 64, *sgd, "--precision", "fp32"]
    for name, start in (("one", [sys.executable, "-m", "ganbench"]), ("two", launch("ganbench"))):
        command = [*start, *map(str, words), "--out", str(tmp_path / name)]
        subprocess.run(command, check=True, capture_output=True, timeout=300, env=ENVIRONMENT)
    one, two = (RunFolder.open(tmp_path / name) for name in ("one", "two"))
    for kind in ("log", "metrics"):
        pairs = list(zip(one.rows(kind), two.rows(kind), strict=True))
        assert pairs
        for row, other in pairs:
            told = {key: value for key, value in row.items() if key != "seconds"}
            assert {key: other[key] for key in told} == pytest.approx(told, rel=2e-3, abs=1e-4)


def test_pieces_are_the_whole_batch(alone: Results) -> None:
    """Also for the terms that compare things of a batch, since it is the passes alone that are in pieces."""
    pieces = results(pieces=2, skip=tuple(WHOLE))
    assert pieces
    for name, found in pieces.items():
        differences = furthest(alone[name], found)
        assert max(differences.values()) < 2e-3, (name, max(differences, key=differences.__getitem__))


class Noisy(nn.Module):
    """Adds noise to each thing, and remembers what it drew."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(1))
        self.drawn: list[torch.Tensor] = []

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.drawn.append(sharing.noise_of_each(torch.rand, len(x)))
        return (x + self.drawn[-1]).square() * self.weight


def test_what_is_computed_anew_is_what_was_computed(monkeypatch: pytest.MonkeyPatch) -> None:
    """In pieces, of a pass that two processes share, the gradient is that of the noise that the loss has seen."""
    monkeypatch.setattr(sharing, "processes", lambda: 2)
    monkeypatch.setattr(sharing, "rank", lambda: 1)
    monkeypatch.setattr(sharing.dist, "all_gather", lambda parts, y: [part.copy_(y) for part in parts])
    network = Noisy()
    with sharing.together():
        made = sharing.SharedOut(network, pieces=2)(torch.arange(8.0))
    torch.autograd.grad(made.sum(), network.parameters())
    forward, anew = network.drawn[:2], network.drawn[2:]
    assert [len(drawn) for drawn in forward] == [2, 2]
    assert sorted(map(tuple, map(torch.Tensor.tolist, anew))) == sorted(map(tuple, map(torch.Tensor.tolist, forward)))


@pytest.mark.parametrize("recipe", ["sngan", "gan"])
def test_pieces_are_refused_where_a_pass_must_see_the_batch(recipe: str) -> None:
    with pytest.raises(UsageError, match="pieces: "):
        State(recipe_named(recipe, "images"), (1, 16, 16), seed=0, pieces=2)


def test_the_battery_sees_statistics_that_are_not_shared(monkeypatch: pytest.MonkeyPatch) -> None:
    """Batch norms that take statistics of half a batch, as they would without messages, are far off the tolerance."""
    from tests.sharing import battery

    monkeypatch.setattr(battery, "CASES", [("dcgan", "images")])
    whole = battery.results()["dcgan on images"]
    normed = InParts._normed
    monkeypatch.setattr(InParts, "_normed", lambda norm, x: torch.cat([normed(norm, part) for part in x.chunk(2)]))
    halves = battery.results()["dcgan on images"]
    assert max(furthest(whole, halves).values()) > 0.05


def test_usage_is_told_once(tmp_path: Path) -> None:
    wrong = subprocess.run(
        launch("ganbench", "train", "gan", "--data", "moons", "--batch-size", 31, "--out", tmp_path / "run"),
        capture_output=True,
        text=True,
        timeout=200,
        env=ENVIRONMENT,
    )
    assert wrong.returncode != 0
    assert wrong.stderr.count("ganbench: batch_size: 31 cannot be shared out evenly among 2 processes") == 1
    assert "exitcode  : 2" in wrong.stderr
    assert not (tmp_path / "run").exists()


def test_a_run_of_an_array_is_for_one_process(tmp_path: Path) -> None:
    """The others would look for data of that name."""
    bench = prepare("gan", np.random.default_rng(0).normal(size=(64, 2)), rounds=1)
    folder = RunFolder.create(tmp_path / "run", bench.configuration, bench.data)
    with pytest.raises(UsageError, match="given as an array"):
        Orders.of(bench, folder)


def _of_rank(launcher: int, rank: int) -> int:
    """The process of that rank among the children of a launcher."""
    for child in Path(f"/proc/{launcher}/task/{launcher}/children").read_text().split():
        if f"RANK={rank}".encode() in Path(f"/proc/{child}/environ").read_bytes().split(b"\0"):
            return int(child)
    raise AssertionError(f"no process of rank {rank}")


def _stopped(run: Path, *more: object, by: signal.Signals, rank: int) -> str:
    """Starts a shared training, waits until it has gone on, sends one of its processes a signal; gives the stderr."""
    before = len((run / "log.jsonl").read_text().splitlines()) if run.exists() else 0
    command = launch("ganbench", "train", *more, "--out", run)
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT) as launcher:
        deadline = time.monotonic() + 200
        while not (run / "log.jsonl").exists() or len((run / "log.jsonl").read_text().splitlines()) < before + 3:
            assert launcher.poll() is None, launcher.stderr and launcher.stderr.read()
            assert time.monotonic() < deadline
            time.sleep(0.1)
        os.kill(_of_rank(launcher.pid, rank), by)
        _, said = launcher.communicate(timeout=200)
    assert launcher.returncode != 0
    return said


SHORT = (
    "gan", "--data", "moons", "--batch-size", 64, "--set", "measure.count=64", "--set", "measure.final=64",
    "--snapshot-every", 100, "--rounds", 3000,
)  # fmt: skip


@pytest.mark.skipif(sys.platform != "linux", reason="looks up processes in /proc")
def test_a_lost_process_ends_all_with_a_sentence_and_what_was_kept(tmp_path: Path) -> None:
    said = _stopped(tmp_path / "run", *SHORT, by=signal.SIGKILL, rank=1)
    kept = RunFolder.open(tmp_path / "run").checkpoint("last").facts["round"]
    assert f"a process of this training was lost, or cannot be spoken with; round {kept} is kept" in said
    assert f"ganbench train --resume --out {tmp_path / 'run'}" in said


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="looks up processes in /proc")
def test_stopping_losing_and_going_on_with_another_number(tmp_path: Path) -> None:
    run, rounds = tmp_path / "run", SHORT[-1]
    said = _stopped(run, *SHORT, by=signal.SIGTERM, rank=1)
    assert "go on with: ganbench train --resume" in said
    summary = json.loads((run / "summary.json").read_text())
    assert summary["status"] == "interrupted"
    assert 0 < summary["rounds"] < rounds
    said = _stopped(run, "--resume", by=signal.SIGKILL, rank=1)
    assert "a process of this training was lost" in said
    assert "--resume" in said
    end = subprocess.run(
        [sys.executable, "-m", "ganbench", "train", "--resume", "--out", str(run)],
        capture_output=True,
        text=True,
        timeout=300,
        env=ENVIRONMENT,
    )
    assert end.returncode == 0, end.stderr
    assert json.loads((run / "summary.json").read_text())["rounds"] == rounds
    logged = [json.loads(line)["round"] for line in (run / "log.jsonl").read_text().splitlines()]
    assert logged == sorted(set(logged))


def test_other_commands_take_one_process(tmp_path: Path) -> None:
    environment = {**ENVIRONMENT, "TORCHELASTIC_RUN_ID": "x", "WORLD_SIZE": "2", "RANK": "0"}
    command = [sys.executable, "-m", "ganbench", "demo", "--out", str(tmp_path / "demo")]
    refused = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert refused.returncode == 2
    assert "torchrun" in refused.stderr
