"""Features in a file of one's own: the same file from every folder, and told where it is no longer that."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from ganbench.configuration import configure
from ganbench.metrics.classifier import write_classifier
from ganbench.metrics.classifier_training import train_classifier
from ganbench.runs import RunFolder
from tests.cli.conftest import Outcome
from tests.cli.images import DENSE, finished, sets
from tests.closed_form.test_images_features import stripes
from tests.undrawn import undrawn

__all__ = ["undrawn"]

Command = Callable[..., Outcome]


@pytest.mark.parametrize("prefix", ["", "inception:"])
def test_a_file_is_named_by_its_absolute_path(prefix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    there = f"{prefix}{tmp_path / 'new' / 'f.safetensors'}"
    made = configure("gan", "digits", changes=[("features", f"{prefix}new/f.safetensors")], medium="images")
    assert made.features == there
    assert configure("gan", "digits", made.tree(), medium="images").features == there
    assert configure("gan", "digits", changes=[("features", "mnist-cnn")], medium="images").features == "mnist-cnn"


def test_a_run_finds_its_file_from_elsewhere_and_tells_when_it_has_changed(
    ganbench: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = stripes(64, (16, 16))
    np.savez("rows.npz", samples=data.pixels, labels=data.labels)
    first, other = (write_classifier(train_classifier(data, seed, steps=30)) for seed in (0, 1))
    Path("mine.safetensors").write_bytes(first)
    words = ("--data", "rows.npz", "--rounds", 2, "--out", "run", *sets([*DENSE, "features=mine.safetensors"]))
    run = finished(ganbench("train", "gan", *words), tmp_path / "run")
    assert run.configuration.features == str(tmp_path / "mine.safetensors")
    Path("elsewhere").mkdir()
    monkeypatch.chdir("elsewhere")
    Path("mine.safetensors").write_bytes(other)  # another file of the same name
    measured = ganbench("evaluate", "../run", "--against", "../rows.npz", "--json")
    assert measured.code == 0, measured.err
    (tmp_path / "run" / "summary.json").unlink()
    (tmp_path / "mine.safetensors").write_bytes(other)
    for refused in (
        ganbench("evaluate", "../run", "--against", "../rows.npz"),
        ganbench("train", "--resume", "--out", "../run"),
    ):
        assert refused.code == 2
        assert refused.err.splitlines()[-1] == (
            f"ganbench: {tmp_path / 'mine.safetensors'} has changed since this run was begun, which is measured over "
            "the features in it"
        )
    assert ganbench("sample", "../run", "--count", 3, "--out", "drawn.npy").code == 0  # it needs no features
    (tmp_path / "mine.safetensors").unlink()
    assert "mine.safetensors is gone since" in ganbench("evaluate", "../run", "--against", "../rows.npz").err
    (tmp_path / "mine.safetensors").write_bytes(first)
    ended = ganbench("train", "--resume", "--out", "../run")
    assert ended.code == 0, ended.err
    assert RunFolder.open(tmp_path / "run").summary is not None


def test_runs_of_a_study_are_measured_by_one_file(ganbench: Command, tmp_path: Path, undrawn: None) -> None:
    data = stripes(64, (16, 16))
    np.savez("rows.npz", samples=data.pixels, labels=data.labels)
    first, other = (write_classifier(train_classifier(data, seed, steps=30)) for seed in (0, 1))
    words = ("gan", "--data", "rows.npz", "--rounds", 2, "--jobs", 1, "--out", "study")
    words = ("compare", *words, *sets([*DENSE, "features=mine.safetensors"]))
    Path("mine.safetensors").write_bytes(first)
    assert ganbench(*words, "--seeds", 1).code == 0
    Path("mine.safetensors").write_bytes(other)
    refused = ganbench(*words, "--seeds", 2)
    run = tmp_path / "study" / "runs" / "gan-seed0"
    assert (refused.code, refused.err.splitlines()[-1]) == (
        2,
        f"ganbench: study/runs/gan-seed0 holds a run that was measured before {tmp_path / 'mine.safetensors'} changed; "
        "choose another --out",
    )
    summary = json.loads((run / "summary.json").read_text())
    del summary["features_sha256"]  # as earlier versions wrote it
    (run / "summary.json").write_text(json.dumps(summary))
    assert ganbench(*words, "--seeds", 2).code == 0
