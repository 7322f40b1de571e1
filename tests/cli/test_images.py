"""Commands on images: what a run of them holds, what is made and measured of it, and the sentences for mistakes."""

import functools
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from ganbench.api import Run, fit
from ganbench.configuration import parse_change
from ganbench.data import load, sources
from ganbench.runs import RunFolder
from ganbench.types import Latent
from tests.cli.conftest import Outcome
from tests.undrawn import undrawn

__all__ = ["undrawn"]

COLOURS = ("blue", "green", "red")
DISTANCES = {"fid", "fid_spread", "kid", "kid_spread", "precision", "recall", "density", "coverage", "nearest_train"}
READ = {"label_kl", "modes", "confidence"}
PICTURES = {"sheet.png", "interpolation.png", "neighbours.png", "metrics.png", "losses.png", "weights.png"}
MEASURED = ["measure.count=64", "measure.final=64", "batch_size=16"]
CONVOLUTIONS = ["critic.network.channels=4", "generator.network.channels=4", *MEASURED]
DENSE = [*CONVOLUTIONS, "critic.network.dense=16", "generator.network.dense=16"]
AUTOENCODER = [*CONVOLUTIONS, "critic.network.code=5", "generator.network.dense=16"]


def sets(changes: list[str]) -> list[str]:
    return [word for change in changes for word in ("--set", change)]


@pytest.fixture(scope="module", autouse=True)
def digits_at_hand() -> Iterator[None]:
    """Drawn once: that takes longer than all that is done with them here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sources, "digits", functools.cache(sources.digits))
        yield


@pytest.fixture(scope="module")
def colours(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of noise in three colours: 16 images of each, too few for a feature network of their own."""
    folder = tmp_path_factory.mktemp("data") / "colours"
    rng = np.random.default_rng(0)
    for channel, name in zip((2, 1, 0), COLOURS, strict=True):
        (folder / name).mkdir(parents=True)
        for number in range(16):
            pixels = rng.integers(0, 100, (16, 16, 3), dtype=np.uint8)
            pixels[..., channel] += 130
            Image.fromarray(pixels).save(folder / name / f"{number}.png")
    return folder


@pytest.fixture(scope="module")
def asked(colours: Path) -> Run:
    """A finished run of `cgan` on the colours."""
    changes = dict(parse_change(change) for change in DENSE)
    return fit("cgan", colours, colours.parent / "cgan", progress=False, rounds=3, **changes)


def finished(ended: Outcome, path: Path) -> RunFolder:
    assert ended.code == 0, ended.err
    run = RunFolder.open(path)
    assert run.summary is not None
    assert run.summary["status"] == "finished"
    return run


CASES: list[tuple[str, list[str], set[str], set[str], set[str]]] = [
    ("gan", DENSE, set(), set(), set()),
    ("cgan", DENSE, set(), {"label_accuracy"}, set()),
    ("infogan", DENSE, {"critic.code", "generator.code"}, set(), {"codes.png"}),
    ("ebgan", AUTOENCODER, {"generator.pull-away"}, set(), set()),
    ("began", AUTOENCODER, {"k", "convergence"}, set(), {"convergence.png"}),
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
    named = {path.name for path in run.path.iterdir()} - {"alarms.jsonl"}
    assert named == files | {"checkpoints", "samples", "figures"}
    assert [set(row) for row in run.rows("log")] == [{"round", "seconds", "critic", "generator"} | logged] * 2
    metrics = DISTANCES | READ | measured
    assert {row["round"] for row in run.rows("metrics")} == {0, 2}
    assert all(set(row) == {"round", "seconds"} | metrics for row in run.rows("metrics"))
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
        env=os.environ | {"DEADLY": "NonSaturating"},
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


def test_samples_are_bytes_with_their_labels(ganbench: Callable[..., Outcome], tmp_path: Path, asked: Run) -> None:
    for words in (("x.npy",), ("x.npz",), ("y.npz", "--labels", "red,blue")):
        ended = ganbench("sample", asked.path, "--count", 5, "--out", *words)
        assert ended.code == 0, ended.err
    plain, named, told = np.load(tmp_path / "x.npy"), np.load(tmp_path / "x.npz"), np.load(tmp_path / "y.npz")
    assert (plain.dtype, plain.shape) == (np.dtype(np.uint8), (5, 16, 16, 3))
    assert np.array_equal(plain, named["samples"])
    assert set(named["labels"]) <= {0, 1, 2}
    assert told["labels"].tolist() == [2, 0, 2, 0, 2]
    assert told["samples"].shape == plain.shape
    again = asked.sample(5, labels=np.array([2, 0, 2, 0, 2]))
    assert np.array_equal(told["samples"], again)


def test_grey_samples_have_no_channels(ganbench: Callable[..., Outcome], tmp_path: Path, undrawn: None) -> None:
    np.save(tmp_path / "grey.npy", np.random.default_rng(0).integers(0, 256, (40, 16, 16), dtype=np.uint8))
    words = ["--data", "grey.npy", "--rounds", 1, "--out", "run", *sets(DENSE)]
    finished(ganbench("train", "gan", *words), tmp_path / "run")
    for out in ("x.npy", "x.npz"):
        assert ganbench("sample", "run", "--count", 5, "--out", out).code == 0
    assert np.load(tmp_path / "x.npy").shape == (5, 16, 16)
    assert list(np.load(tmp_path / "x.npz")) == ["samples"]


def test_samples_as_pictures(ganbench: Callable[..., Outcome], tmp_path: Path, asked: Run) -> None:
    for out in ("new/sheet.png", "new/folder", "x.npy"):
        assert ganbench("sample", asked.path, "--count", 20, "--out", out).code == 0
    with Image.open(tmp_path / "new" / "sheet.png") as sheet:
        assert sheet.mode == "RGB"
        assert min(sheet.size) >= 3 * 16
    files = sorted((tmp_path / "new" / "folder").rglob("*.png"), key=lambda path: path.name)
    assert np.array_equal([np.asarray(Image.open(path)) for path in files], np.load(tmp_path / "x.npy"))


@pytest.mark.xfail(
    strict=True, reason="the folders are called by the numbers 0 and 2, which are no classes of the data"
)
def test_a_folder_of_labelled_samples_has_the_names_of_the_classes(
    ganbench: Callable[..., Outcome], tmp_path: Path, asked: Run
) -> None:
    assert ganbench("sample", asked.path, "--count", 20, "--out", "out", "--labels", "red,blue").code == 0
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"blue", "red"}


def test_samples_are_of_the_seed_and_checkpoint_asked_for(
    ganbench: Callable[..., Outcome], tmp_path: Path, asked: Run
) -> None:
    ways = {"a": (), "b": (), "seed": ("--seed", 1), "round": ("--checkpoint", 2), "last": ("--checkpoint", "last")}
    for name, words in ways.items():
        assert ganbench("sample", asked.path, "--count", 4, "--out", f"{name}.npy", *words).code == 0
    made = {name: np.load(tmp_path / f"{name}.npy") for name in ways}
    assert np.array_equal(made["a"], made["b"])
    assert not np.array_equal(made["a"], made["seed"])
    assert not np.array_equal(made["last"], made["round"])


@pytest.mark.parametrize(
    ("words", "fragment"),
    [
        (("--out", "x.npz", "--labels", "rde"), "did you mean 'red'? (allowed: blue, green, red)"),
        (("--out", "x.npz", "--labels", "0,red"), "unknown label '0'"),
        (("--out", "x.csv"), ".npy, .npz, .png"),
        (("--out", "x.jpg"), ".npy, .npz, .png"),
        (("--out", "full"), "not empty"),
        (("--out", "x.npy", "--checkpoint", "77"), "77"),
    ],
)
def test_wrong_samples_get_a_sentence(
    ganbench: Callable[..., Outcome], tmp_path: Path, asked: Run, words: tuple[str, ...], fragment: str
) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "letter.txt").write_text("dear")
    ended = ganbench("sample", asked.path, "--count", 4, *words)
    assert (ended.code, fragment in ended.err) == (2, True), ended.err
    assert not list(tmp_path.glob("x.*"))


def evaluated(ganbench: Callable[..., Outcome], *words: object) -> dict[str, Any]:
    ended = ganbench("evaluate", *words, "--json")
    assert ended.code == 0, ended.err
    return json.loads(ended.out)


def test_a_run_and_its_samples_are_measured_alike(
    ganbench: Callable[..., Outcome], colours: Path, asked: Run, tmp_path: Path
) -> None:
    """As files and as PNGs; 24 images are half of the data."""
    for out in ("x.npz", "x.npy", "folder"):
        assert ganbench("sample", asked.path, "--count", 24, "--out", out).code == 0
    of_run = evaluated(ganbench, asked.path, "--against", colours)
    assert (of_run["count"], of_run["features"], of_run["against"]) == (24, "random-conv", str(colours))
    assert set(of_run["metrics"]) == set(of_run["floor"]) == DISTANCES | {"sliced_w"}
    assert of_run["metrics"]["fid"] > of_run["floor"]["fid"]
    for out in ("x.npz", "x.npy", "folder"):
        assert evaluated(ganbench, out, "--against", colours)["metrics"] == pytest.approx(of_run["metrics"], rel=1e-4)
    shown = ganbench("evaluate", asked.path, "--against", colours).out
    assert "24" in shown
    assert "random-conv" in shown
    assert "points" not in shown


def test_real_images_are_near_the_floor(ganbench: Callable[..., Outcome], tmp_path: Path) -> None:
    fresh = sources.digits(1000, 1)
    np.savez(tmp_path / "fresh.npz", samples=fresh.pixels)
    found = evaluated(ganbench, "fresh.npz", "--against", "digits")
    assert found["features"] == "digits-cnn"
    assert found["count"] == 1000
    assert 0 < found["metrics"]["fid"] < 2 * found["floor"]["fid"]
    assert found["metrics"]["coverage"] == pytest.approx(found["floor"]["coverage"], abs=0.05)
    assert found["metrics"]["modes"] == 10
    assert found["metrics"]["label_kl"] < 0.02


@pytest.mark.xfail(strict=True, reason="api.evaluate measures samples without the labels that lie beside them")
def test_samples_with_labels_are_read(ganbench: Callable[..., Outcome], tmp_path: Path) -> None:
    fresh = sources.digits(1000, 1)
    assert fresh.labels is not None
    for name, labels in (("right", fresh.labels), ("wrong", (fresh.labels + 1) % 10)):
        np.savez(tmp_path / f"{name}.npz", samples=fresh.pixels, labels=labels)
        found = evaluated(ganbench, f"{name}.npz", "--against", "digits")["metrics"]
        assert found["label_accuracy"] == pytest.approx({"right": 1, "wrong": 0}[name], abs=0.03)


@pytest.mark.parametrize("what", ["wide.npy", "moons"])
def test_other_things_are_not_measured(
    ganbench: Callable[..., Outcome], tmp_path: Path, colours: Path, what: str
) -> None:
    np.save(tmp_path / "wide.npy", np.zeros((20, 16, 24), np.uint8))
    ended = ganbench("evaluate", what, "--against", colours)
    assert ended.code == 2
    assert "colour images of 16 x 16" in ended.err


@pytest.mark.xfail(strict=True, reason="studies.pages asks every run for scatter.png")
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
UNNAMED = pytest.mark.xfail(strict=True, reason="image_settings says 'size', where the field is images.size")
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
    ("cgan", "colours", ["critic.labels=concta"], "'concat'"),
    ("cgan", "colours", ["wrappers.pack=pack"], "takes no labels"),
    ("acgan", "colours", ["wrappers.pack=pack"], "has no heads"),
    ("infogan", "colours", [*DENSE, "prior=noise"], "prior=coded"),
    ("gan", "colours", [*DENSE, "features=nmist-cnn"], "did you mean mnist-cnn"),
    ("gan", "colours", [*DENSE, "features=mnist-cnn"], "28 x 28"),
    ("gan", "colours", ["images.colour=gray"], "'grey'"),
]


@pytest.mark.parametrize(
    ("recipe", "data", "changes", "fragment"),
    [
        *WRONG,
        pytest.param("gan", "colours", ["images.size=0"], "images.size", marks=UNNAMED),
    ],
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
