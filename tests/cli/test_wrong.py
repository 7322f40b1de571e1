"""Wrong commands, settings and files: each gets its sentence and exit code 2, and never a traceback."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.cli.conftest import TINY, Outcome
from tests.data.hostile import HOSTILE, Hostile

T = ("train", "gan", "--data", "moons")

WRONG = [
    (("trian",), "trian"),
    (("train",), "--data is needed"),
    (("train", "gna", "--data", "moons"), "did you mean 'gan'"),
    (("train", "gan", "--data", "moon"), "moons"),
    ((*T, "--rounds", "5", "--minutes", "1"), "not both"),
    ((*T, "--rounds", "0"), "rounds"),
    ((*T, "--rounds", "-3"), "rounds"),
    ((*T, "--rounds", "many"), "--rounds"),
    ((*T, "--minutes", "0"), "minutes"),
    ((*T, "--minutes", "nan"), "minutes"),
    ((*T, "--batch-size", "0"), "batch_size"),
    ((*T, "--seed", "-1"), "seed"),
    ((*T, "--threads", "0"), "threads"),
    ((*T, "--device", "gpu"), "'auto', 'cpu' or 'cuda'"),
    ((*T, "--precision", "fp8"), "'auto', 'fp32' or 'bf16'"),
    ((*T, "--snapshot-every", "0"), "snapshot_every"),
    ((*T, "--set", "rounds"), "key=value"),
    ((*T, "--set", "=3"), "key=value"),
    ((*T, "--set", "critic.lr=1"), "critic.optimizer.lr"),
    ((*T, "--set", "lr=1"), "critic.optimizer.lr"),
    ((*T, "--set", "critic.optimiser.lr=1"), "critic.optimizer.lr"),
    ((*T, "--set", "critic.optimizer.lr=-1"), "critic.optimizer.lr: input should be greater than 0"),
    ((*T, "--set", "critic.optimizer.lr=fast"), "critic.optimizer.lr"),
    ((*T, "--set", "critic.optimizer.lr=.inf"), "finite"),
    ((*T, "--set", "critic.optimizer=adm"), "did you mean 'adam'"),
    ((*T, "--set", "critic.optimizer={kind: sgd, beta: 1}"), "critic.optimizer: unknown field 'beta'"),
    ((*T, "--set", "critic.optimizer.betas=[0.5]"), "critic.optimizer.betas"),
    ((*T, "--set", "critic.optimizer.betas=[0.5,1.5]"), "less than 1"),
    ((*T, "--set", "critic.network.widths=[]x"), "not a value"),
    ((*T, "--set", "critic.network.widths=[0]"), "critic.network.widths.0"),
    ((*T, "--set", "critic.network.activation=swish"), "leaky-relu"),
    ((*T, "--set", "critic.network=resnet"), "mlp"),
    ((*T, "--set", "objective=wassertein"), "did you mean 'wasserstein'"),
    ((*T, "--set", "objective=3"), "objective"),
    ((*T, "--set", "turns.first=both"), "'critic' or 'generator'"),
    ((*T, "--set", "turns.critic=-1"), "turns.critic"),
    ((*T, "--set", "turns.critic=0", "--set", "turns.generator=0"), "turns"),
    ((*T, "--set", "turns.opening=[{rounds: 0}]"), "turns.opening"),
    ((*T, "--set", "average={kind: decay, decay: 1.5}"), "average.decay"),
    ((*T, "--set", "prior.dimension=-1"), "prior.dimension"),
    ((*T, "--set", "prior.distribution=cauchy"), "'normal', 'uniform' or 'sphere'"),
    ((*T, "--set", "measure.count=2"), "measure.count"),
    ((*T, "--set", "critic.constraints.clip=0.1"), "critic.constraints"),
    ((*T, "--set", "critic.constraints.clip={kind: clip, layers: [linaer]}"), "linear"),
    ((*T, "--set", "critic.terms.r1={kind: gradient-penalty, where: reel}"), "'real'"),
    ((*T, "--set", "wrappers.pack={kind: pack, count: 3}"), "multiple of the pack's 3"),
    ((*T, "--set", "generator.wrappers.pack=pack"), "generator.wrappers"),
    ((*T, "--set", "recipe=wgan"), "command line"),
    ((*T, "--config", "nowhere.yaml"), "nowhere.yaml: there is no such file"),
    ((*T, "--resume"), "--out"),
    ((*T, "--resume", "--out", "nowhere"), "no run here"),
    (("train", "--nonsense"), "--nonsense"),
    (("sample", "nowhere", "--count", "5", "--out", "x.npy"), "no run here"),
    (("sample", "nowhere", "--count", "0", "--out", "x.npy"), "--count"),
    (("sample", "nowhere", "--count", "5"), "--out"),
    (("evaluate", "nowhere.npy", "--against", "moons"), "nowhere.npy"),
    (("evaluate", "moons", "--against", "nowhere"), "nowhere"),
    (("compare", "gan,wgna", "--data", "moons", "--out", "s"), "did you mean 'wgan'"),
    (("compare", "gan", "--data", "moons"), "--out"),
    (("compare", "", "--data", "moons", "--out", "s"), "recipe"),
    (("compare", "gan", "--data", "moons", "--out", "s", "--seeds", "0"), "--seeds"),
    (("compare", "gan", "--data", "moons", "--out", "s", "--jobs", "0"), "--jobs"),
    (("compare", "gan", "--data", "moons", "--out", "s", "--optimizers", "sdg"), "did you mean 'sgd'"),
    (("compare", "gan", "--data", "moons", "--out", "s", "--set", "clip=1,2"), "gan, clip=1: unknown field"),
    (("compare", "gan", "--data", "moons", "--out", "s", "--set", "rounds"), "key=value"),
    (("compare", "gan", "--data", "moons", "--out", "s", "--set", "rounds=1", "--set", "rounds=2"), "given twice"),
    (("recipes", "wgangp"), "did you mean 'wgan-gp'"),
    (("data",), "describe"),
    (("data", "describe", "."), "folder"),
]


@pytest.mark.parametrize(("words", "fragment"), WRONG, ids=[" ".join(words) or "nothing" for words, _ in WRONG])
def test_a_wrong_command_gets_a_sentence(ganbench: Callable, words: tuple[str, ...], fragment: str) -> None:
    outcome = ganbench(*words)
    assert outcome.code == 2
    assert fragment in outcome.err + outcome.out
    assert "Traceback" not in outcome.err


@pytest.mark.parametrize("case", HOSTILE, ids=lambda case: case.name)
def test_a_bad_file_gets_a_sentence(ganbench: Callable, tmp_path: Path, case: Hostile) -> None:
    outcome = ganbench("train", "gan", "--data", case.make(tmp_path), "--rounds", 1)
    assert outcome.code == 2
    assert case.fragment in outcome.err
    assert outcome.err.startswith("ganbench: ")
    assert not (tmp_path / "runs").exists()


CONFIGS = [
    ("", "mapping"),
    ("- a\n- b\n", "mapping"),
    ("critic: [\n", "not YAML"),
    ("critic: " + "[" * 3000, "not YAML"),
    ("critic: {optimizer: {lr: -1}}\n", "critic.optimizer"),
    ("critic: {optimizer: {kind: adam, lr: -1}}\n", "critic.optimizer.lr"),
    ("critc: {}\n", "did you mean 'critic'"),
    ("recipe: gna\n", "did you mean 'gan'"),
    ("critic: {network: {kind: own, class: x.Y}}\n", "own object"),
]


@pytest.mark.parametrize(("text", "fragment"), CONFIGS)
def test_a_wrong_configuration_gets_a_sentence(ganbench: Callable, tmp_path: Path, text: str, fragment: str) -> None:
    (tmp_path / "c.yaml").write_text(text)
    outcome = ganbench("train", "--data", "moons", "--config", "c.yaml")
    assert (outcome.code, fragment in outcome.err) == (2, True), outcome.err


def test_no_run_is_overwritten(ganbench: Callable, tmp_path: Path) -> None:
    assert ganbench(*T, *TINY, "--rounds", 2, "--out", "run").code == 0
    config = (tmp_path / "run" / "config.yaml").read_bytes()
    again = ganbench(*T, *TINY, "--rounds", 3, "--out", "run")
    assert (again.code, "already holds a run" in again.err) == (2, True)
    assert (tmp_path / "run" / "config.yaml").read_bytes() == config
    for words, fragment in (
        (("train", "--resume", "--out", "run"), "finished"),
        (("train", "wgan", "--resume", "--out", "run"), "recipe is 'gan' there"),
        (("train", "--resume", "--out", "run", "--seed", 5), "seed is 0 there"),
        (("sample", "run", "--count", 5, "--out", "x.txt"), ".npy, .npz, .csv"),
        (("sample", "run", "--count", 5, "--out", "x.npy", "--checkpoint", "77"), "77"),
        (("sample", "run", "--count", 5, "--out", "x.npy", "--checkpoint", "worst"), "worst"),
        (("sample", "run", "--count", 5, "--out", "x.npy", "--labels", "1"), "no labels"),
        (("evaluate", "run", "--against", str(tmp_path / "wide.npy")), "coordinates"),
    ):
        np.save(tmp_path / "wide.npy", np.random.default_rng(0).normal(size=(40, 3)))
        outcome = ganbench(*words)
        assert (outcome.code, fragment in outcome.err) == (2, True), outcome.err


def test_a_folder_with_other_things_is_not_written_to(ganbench: Callable, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("dear")
    assert "not empty" in ganbench(*T, "--out", "mine").err
    (tmp_path / "file").write_text("dear")
    assert "is a file" in ganbench(*T, "--out", "file").err


def test_memory_that_runs_out_is_a_sentence(ganbench: Callable[..., Outcome], monkeypatch: pytest.MonkeyPatch) -> None:
    """torch has no class of its own for it: this is its real error, for a petabyte."""
    monkeypatch.setattr("ganbench.api.train", lambda *_, **__: torch.empty(10**15))
    ended = ganbench(*T)
    assert (ended.code, ended.err) == (1, "ganbench: there is not enough memory for this\n")


def test_a_fault_of_ours_is_not_taken_for_it(ganbench: Callable[..., Outcome], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ganbench.api.train", lambda *_, **__: torch.ones(2) @ torch.ones(3))
    with pytest.raises(RuntimeError, match="size"):
        ganbench(*T)
