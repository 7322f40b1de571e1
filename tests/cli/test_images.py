"""Training on images from the command line: what a run of them holds, and the sentences for what does not fit."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from ganbench.api import Run
from ganbench.data import load
from ganbench.runs import RunFolder
from ganbench.types import Latent
from tests.cli.conftest import Outcome
from tests.cli.images import COLOURS, CONVOLUTIONS, DENSE, DISTANCES, asked, colours, digits_at_hand, finished, sets
from tests.undrawn import undrawn

__all__ = ["asked", "colours", "digits_at_hand", "undrawn"]

READ = {"label_kl", "modes", "label_entropy", "readable", "legible", "confidence"}
PICTURES = {
    "labels.png",
    "sheet.png",
    "interpolation.png",
    "neighbours.png",
    "metrics.png",
    "losses.png",
    "weights.png",
}
AUTOENCODER = [*CONVOLUTIONS, "critic.network.code=5", "generator.network.dense=16"]
CASES: list[tuple[str, list[str], set[str], set[str], set[str]]] = [
    ("gan", DENSE, set(), set(), set()),
    ("cgan", DENSE, set(), {"label_accuracy"}, set()),
    ("infogan", DENSE, {"critic.code", "generator.code"}, set(), {"codes.png"}),
    ("ebgan", AUTOENCODER, {"generator.pull-away"}, set(), set()),
    ("began", AUTOENCODER, {"gauge.k", "gauge.convergence"}, set(), {"convergence.png"}),
    ("wgan-gp", DENSE, {"critic.gradient-penalty"}, set(), set()),
]
"""Recipe, settings, and what it has beside what all have: numbers of the log, metrics, pictures."""


@pytest.mark.parametrize(("recipe", "changes", "logged", "measured", "drawn"), CASES, ids=[case[0] for case in CASES])
def test_a_run_on_digits_is_the_folder_that_the_contract_describes(
    ganbench: Callable[..., Outcome],
    tmp_path: Path,
    recipe: str,
    changes: list[str],
    logged: set[str],
    measured: set[str],
    drawn: set[str],
) -> None:
    words = ["--data", "digits", "--rounds", 2, "--snapshot-every", 2, "--out", "run", *sets(changes)]
    run = finished(ganbench("train", recipe, *words), tmp_path / "run")
    files = {"config.yaml", "log.jsonl", "metrics.jsonl", "report.html", "summary.json"}
    named = {path.name for path in run.path.iterdir() if not path.name.startswith(".")} - {"alarms.jsonl"}
    assert named == files | {"checkpoints", "samples", "figures"}
    assert [set(row) for row in run.rows("log")] == [{"round", "seconds", "critic", "generator"} | logged] * 2
    metrics = DISTANCES | READ | measured
    assert {row["round"] for row in run.rows("metrics")} == {0, 2}
    assert all(set(row) == {"round", "seconds", "epoch"} | metrics for row in run.rows("metrics"))
    assert run.summary is not None
    assert (run.summary["recipe"], run.summary["data"]) == (recipe, "digits")
    assert all(set(run.summary["metrics"][which]) == metrics for which in ("final", "best"))
    assert set(run.summary["metrics"]["floor"]) == metrics | {"label_accuracy"}  # that of the classifier
    samples = [np.load(path) for path in sorted(run.samples.iterdir())]
    assert [(s.dtype, s.shape) for s in samples] == [(np.dtype(np.uint8), (64, 28, 28))] * 2
    pictures = {path.name for path in run.figures.iterdir()}
    assert pictures == PICTURES | drawn | {"00000000.png", "00000002.png", "training.webp"}
    for name in pictures:
        with Image.open(run.figures / name) as picture:
            assert min(picture.size) > 50
    page = (run.path / "report.html").read_text(encoding="utf-8")
    assert set(re.findall(r'\bsrc="([^":]*:)', page)) == {"data:"}
    assert page.count("<img") == len(PICTURES | drawn) + 1
    assert "digits-cnn" in page


def test_images_are_looked_at_after_1_15_and_30_epochs(
    ganbench: Callable[..., Outcome], colours: Path, tmp_path: Path, undrawn: None
) -> None:
    """Three batches of 16 are an epoch of 48 images."""
    words = ["--data", colours, "--rounds", 91, "--snapshot-every", 1000, "--out", "run", *sets(DENSE)]
    run = finished(ganbench("train", "gan", *words), tmp_path / "run")
    assert [row["round"] for row in run.rows("metrics")] == [0, 3, 45, 90, 91]


def test_a_folder_without_enough_images_is_measured_by_random_features(asked: Run) -> None:
    """Which read no classes, so that pixels are looked at instead."""
    assert set(asked.summary["metrics"]["final"]) == DISTANCES | {"sliced_w"}
    assert "random-conv" in (asked.path / "report.html").read_text(encoding="utf-8")


def test_a_sheet_has_a_noise_a_row_and_a_label_a_column(asked: Run) -> None:
    bench, columns = asked.workbench("last"), np.array([2, 0])
    table = bench.table(columns.tolist(), rows=3).reshape(3, 2, 16, 16, 3).astype(int)
    noise = bench.latents(3, labels=np.zeros(3, dtype=np.int64)).z
    for row, column in np.ndindex(3, 2):
        alone = Latent(noise[row : row + 1], torch.tensor(columns[[column]]))
        image = bench.data.restored(bench.generate(alone))[0]
        assert np.abs(table[row, column] - image).max() <= 1


def test_a_killed_conditional_run_goes_on_bit_for_bit(
    ganbench: Callable[..., Outcome], colours: Path, tmp_path: Path, undrawn: None
) -> None:
    words = ["--data", str(colours), "--rounds", "5", "--snapshot-every", "1", *sets(DENSE)]
    whole = finished(ganbench("train", "acgan", *words, "--out", "whole"), tmp_path / "whole")
    slow = Path(__file__).parents[1] / "studies" / "slow.py"
    killed = subprocess.run(
        [sys.executable, str(slow), "train", "acgan", *words, "--out", "killed"],
        cwd=tmp_path,
        env=os.environ | {"DEADLY": "NonSaturating", "OMP_NUM_THREADS": "1"},
        stderr=subprocess.DEVNULL,
    )
    assert killed.returncode < 0
    assert [row["round"] for row in RunFolder(tmp_path / "killed").rows("log")] == [1, 2]
    resumed = finished(ganbench("train", "--resume", "--out", "killed"), tmp_path / "killed")
    for name in ("log", "metrics", "alarms"):
        rows = [[{**row, "seconds": 0} for row in run.rows(name)] for run in (whole, resumed)]
        assert rows[0] == rows[1]
    tensors = [load_file(run.checkpoints / "00000005.safetensors") for run in (whole, resumed)]
    assert tensors[0].keys() == tensors[1].keys()
    assert all((tensors[0][name] == tensors[1][name]).all() for name in tensors[0])


def test_recipes_are_compared_on_images(ganbench: Callable[..., Outcome], tmp_path: Path, colours: Path) -> None:
    words = ["--data", colours, "--rounds", 2, "--seeds", 1, "--jobs", 1, "--out", "study", *sets(DENSE)]
    ended = ganbench("compare", "gan,cgan", *words)
    assert ended.code == 0, ended.err
    summary = json.loads((tmp_path / "study" / "summary.json").read_text())
    assert summary["ranked_by"] == "fid"
    means = {cell["cell"]: cell["metrics"]["fid"]["mean"] for cell in summary["cells"]}
    assert [row["cell"] for row in summary["ranking"]] == sorted(means, key=lambda cell: means[cell])
    page = (tmp_path / "study" / "report.html").read_text(encoding="utf-8")
    assert page.count("<img") >= 2 * 2  # of each run a sheet and a film at least


def test_features_are_no_choice_of_a_study(ganbench: Callable[..., Outcome], colours: Path) -> None:
    """Distances over several features cannot be compared."""
    words = ["--data", colours, "--jobs", 1, "--seeds", 1, "--rounds", 1, "--out", "study", *sets(DENSE)]
    ended = ganbench("compare", "gan", *words, "--set", "features=random-conv,mnist-cnn")
    assert ended.code == 2
    assert "features" in ended.err


@pytest.mark.parametrize("name", ["cgan", "ebgan", "r3gan-conditional", "text-mlp-wgan"])
def test_a_recipe_for_images_shows_its_layers(ganbench: Callable[..., Outcome], name: str) -> None:
    shown = ganbench("recipes", name)
    assert shown.code == 0
    tables = re.findall(r"The (\w+) for things of shape \(1, 28, 28\): ([\d,]+) parameters\n((?:  .+\n)+)", shown.out)
    assert [player for player, _, _ in tables] == ["critic", "generator"]
    for _, total, rows in tables:
        counts = [int(row.split()[-1].replace(",", "")) for row in rows.splitlines()]
        assert sum(counts) == int(total.replace(",", ""))
    assert "  critic.network.kind" not in shown.out
    assert re.search(r"^  critic\.network = \w+", shown.out, re.MULTILINE)


def test_a_recipe_is_shown_for_given_data(ganbench: Callable[..., Outcome], colours: Path) -> None:
    shown = ganbench("recipes", "cgan", "--data", colours).out
    assert "The critic for things of shape (3, 16, 16)" in shown
    assert re.search(r"64 x 6 x 4 x 4", shown)  # three colours and three labels
    assert ganbench("recipes", "cgan", "--data", "moons").code == 2


@pytest.fixture
def wrong_data(tmp_path: Path, colours: Path) -> Path:
    """A working folder with images of an odd size, and with some that have no labels."""
    np.save(tmp_path / "odd.npy", np.random.default_rng(0).integers(0, 256, (40, 27, 27), dtype=np.uint8))
    np.save(tmp_path / "plain.npy", np.random.default_rng(0).integers(0, 256, (40, 16, 16), dtype=np.uint8))
    (tmp_path / "colours").symlink_to(colours)
    return tmp_path


ODD = "27 x 27 cannot be halved, as convolutions need; choose another size, such as --set images.size=32"
WRONG: list[tuple[str, str, list[str], str]] = [
    ("cgan", "plain.npy", [], "needs labels"),
    ("acgan", "plain.npy", [], "needs labels"),
    ("r3gan-conditional", "plain.npy", [], "needs labels"),
    ("cgan", "moons", [], "'cgan' is for images; these data are points"),
    ("dcgan", "odd.npy", [], ODD),
    ("r3gan", "odd.npy", [], ODD),
    ("gan", "moons", ["critic.network=dcgan"], "use the mlp"),
    ("gan", "colours", ["generator.network=autoencoder"], "an autoencoder is a critic"),
    ("acgan", "colours", ["critic.network=autoencoder"], "it has no heads"),
    ("cgan", "colours", ["generator.labels=projection"], "projection is for critics"),
    ("cgan", "colours", ["labels=insid"], "unknown use of labels 'insid'; did you mean 'inside'?"),
    ("gan", "plain.npy", ["labels=inside"], "needs labels"),
    ("r3gan", "colours", ["labels=inside"], "for the networks mlp and dcgan; residual"),
    ("ebgan", "colours", ["labels=inside"], "takes no labels"),
    ("acgan", "colours", ["labels=none"], "needs a generator that is told the label"),
    ("acgan", "colours", ["labels=inside"], "tells the critic the class"),
    ("gan", "colours", ["critic.network.smoothing=16"], "a generator's images are smoothed"),
    ("cgan", "colours", ["critic.labels=concta"], "'concat'"),
    ("cgan", "colours", ["wrappers.pack=pack"], "takes no labels"),
    ("acgan", "colours", ["wrappers.pack=pack"], "has no heads"),
    ("infogan", "colours", [*DENSE, "prior=noise"], "prior=coded"),
    ("gan", "colours", [*DENSE, "features=nmist-cnn"], "did you mean mnist-cnn"),
    ("gan", "colours", [*DENSE, "features=mnist-cnn"], "28 x 28"),
    ("gan", "colours", ["images.colour=gray"], "'grey'"),
    ("gan", "colours", ["images.size=0"], "images.size"),
]


@pytest.mark.parametrize(
    ("recipe", "data", "changes", "fragment"),
    WRONG,
)
def test_what_does_not_fit_gets_a_sentence(
    ganbench: Callable[..., Outcome], wrong_data: Path, recipe: str, data: str, changes: list[str], fragment: str
) -> None:
    ended = ganbench("train", recipe, "--data", data, "--out", "run", "--rounds", 1, *sets(changes))
    assert (ended.code, fragment in ended.err) == (2, True), ended.err
    assert ended.err.startswith("ganbench: ")


@pytest.mark.parametrize(("recipe", "data"), [("cgan", "plain.npy"), ("dcgan", "odd.npy")])
def test_a_mistake_leaves_no_folder(ganbench: Callable[..., Outcome], wrong_data: Path, recipe: str, data: str) -> None:
    assert ganbench("train", recipe, "--data", data, "--out", "run").code == 2
    assert not (wrong_data / "run").exists()


def test_another_size_and_colour_can_be_asked_for(
    ganbench: Callable[..., Outcome], wrong_data: Path, undrawn: None
) -> None:
    for data, changes, shape in (
        ("odd.npy", ["images.size=32"], (4, 32, 32)),
        ("colours", ["images.colour=grey", "images.size=24"], (4, 24, 24)),
    ):
        out = f"{data}-run"
        words = ["--data", data, "--rounds", 1, "--out", out, *sets([*CONVOLUTIONS, *changes])]
        finished(ganbench("train", "dcgan", *words), wrong_data / out)
        assert ganbench("sample", out, "--count", 4, "--out", f"{data}-4.npy").code == 0
        assert np.load(wrong_data / f"{data}-4.npy").shape == shape


def test_an_own_set_is_what_its_run_reads_again(asked: Run, colours: Path) -> None:
    assert asked.data.fingerprint == load(colours).fingerprint
    assert asked.data.classes == COLOURS


@pytest.mark.parametrize(("data", "code"), [("colours", 0), ("plain.npy", 2)])
def test_best_uses_labels_where_there_are_any(
    ganbench: Callable[..., Outcome], wrong_data: Path, undrawn: None, data: str, code: int
) -> None:
    """On images without labels it trains all the same, and cannot be asked for one."""
    done = ganbench("train", "best", "--data", data, "--out", "run", "--rounds", 2, *sets(DENSE))
    assert done.code == 0, done.err
    drawn = ganbench("sample", "run", "--count", 2, "--out", "two.npz", "--labels", "1")
    assert drawn.code == code, drawn.err
