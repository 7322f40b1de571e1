"""Exported generators, run by onnxruntime, make what `sample` makes."""

import json
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from onnx import TensorProto
from torch import Tensor, nn

from ganbench import export
from ganbench.api import Run, fit, prepare
from ganbench.data import ImageSet
from ganbench.export import write_onnx
from ganbench.recipes import recipe_named
from ganbench.types import WorkError
from tests.undrawn import draw_nothing

ROUNDS = 3
SMALL: dict[str, Any] = {"rounds": ROUNDS, "batch_size": 16, "measure": {"count": 32, "final": 32}}
OF_POINTS = {f"{side}.network.widths": [16, 16] for side in ("critic", "generator")}
OF_IMAGES = {f"{side}.network.channels": 4 for side in ("critic", "generator")} | {"features": "random-conv"}
DENSE = OF_IMAGES | {f"{side}.network.dense": 16 for side in ("critic", "generator")}

RNG = np.random.default_rng(0)
POINTS = RNG.normal(size=(200, 2)) * [1, 10] + [1000, -50]
COLOURS = RNG.integers(0, 256, (64, 16, 24, 3), dtype=np.uint8)
LABELLED = ImageSet("shades", COLOURS[:, :, :16, 0], np.arange(64) % 3, ("dark", "grey", "light"))

CASES: dict[str, tuple[str, Any, dict[str, Any]]] = {
    "points": ("best", POINTS, OF_POINTS | {"generator.optimizer.lr": 0.01}),
    "points in bf16": ("gan", POINTS, OF_POINTS | {"precision": "bf16"}),
    "images": ("gan", COLOURS, DENSE),
    "labels": ("cgan", LABELLED, DENSE),
    "learnt labels": ("r3gan-conditional", LABELLED, OF_IMAGES),
    "styles": ("stylegan2", COLOURS, OF_IMAGES),
    "codes": ("infogan", LABELLED, DENSE),
}
INPUTS = {"labels": ["z", "label"], "learnt labels": ["z", "label"], "codes": ["z", "code"]}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Run]:
    """A run a case: few rounds of small networks, without pictures."""
    folder = tmp_path_factory.mktemp("runs")
    with pytest.MonkeyPatch.context() as patch:
        draw_nothing(patch)
        return {
            case: fit(recipe, data, folder / case, progress=False, **SMALL, **changes)
            for case, (recipe, data, changes) in CASES.items()
        }


def made(session: onnxruntime.InferenceSession, run: Run, count: int) -> np.ndarray:
    """What the file makes of the noise, labels and codes that `sample` starts from."""
    latent = run.workbench("last").latents(count, seed=3)
    parts = {"z": latent.z, "label": latent.y, "code": latent.code}
    (x,) = session.run(None, {name: part.numpy() for name, part in parts.items() if part is not None})
    return x


@pytest.mark.parametrize("case", CASES)
def test_an_exported_generator_makes_what_is_sampled(ganbench: Callable, runs: dict[str, Run], case: str) -> None:
    run = runs[case]
    ended = ganbench("export", run.path, "--out", "new/g.onnx", "--checkpoint", "last")
    assert (ended.code, ended.err, len(ended.out.splitlines())) == (0, "", 2)
    assert float(ended.out.split()[-1]) <= 1e-4
    session = onnxruntime.InferenceSession("new/g.onnx")
    assert [put.name for put in session.get_inputs()] == INPUTS.get(case, ["z"])
    for count in (1, 7):
        x, sampled = made(session, run, count), run.sample(count, seed=3, checkpoint="last")
        if sampled.dtype == np.uint8:
            assert x.shape == (count, *run.data.shape)
            as_pixels = 255 * (x[:, 0] if sampled.ndim == 3 else x.transpose(0, 2, 3, 1))
            assert np.abs(as_pixels - sampled).max() < 0.51  # pixels are rounded
        else:
            near = 0.1 if run.configuration.precision == "bf16" else 2e-4
            assert np.abs((x - sampled) / [1, 10]).max() < near


def test_a_run_in_bf16_is_exported_in_fp32(ganbench: Callable, tmp_path: Path, runs: dict[str, Run]) -> None:
    assert ganbench("export", runs["points in bf16"].path, "--out", "g.onnx").code == 0
    model = onnx.shape_inference.infer_shapes(onnx.load(tmp_path / "g.onnx"), strict_mode=True)
    floats = (TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.FLOAT16, TensorProto.BFLOAT16)
    between = {value.type.tensor_type.elem_type for value in (*model.graph.value_info, *model.graph.output)}
    kinds = between | {weight.data_type for weight in model.graph.initializer}
    assert kinds.intersection(floats) == {TensorProto.FLOAT}


def test_the_file_is_whole_and_says_what_it_is(ganbench: Callable, tmp_path: Path, runs: dict[str, Run]) -> None:
    assert ganbench("export", runs["labels"].path, "--out", "g.onnx", "--checkpoint", ROUNDS - 1).code == 0
    assert [path.name for path in tmp_path.glob("g*")] == ["g.onnx"]  # the weights are in it
    model = onnx.load(tmp_path / "g.onnx")
    onnx.checker.check_model(model, full_check=True)
    said = {entry.key: entry.value for entry in model.metadata_props}
    assert (said["recipe"], said["data"], said["round"]) == ("cgan", "shades", str(ROUNDS - 1))
    assert json.loads(said["classes"]) == ["dark", "grey", "light"]
    assert json.loads(said["prior"]) == {
        "kind": "noise", "dimension": 64, "distribution": "normal", "low": -1.0, "high": 1.0
    }  # fmt: skip


def test_the_file_tells_nothing_of_the_machine(ganbench: Callable, tmp_path: Path, runs: dict[str, Run]) -> None:
    assert ganbench("export", runs["points"].path, "--out", "g.onnx").code == 0
    content = (tmp_path / "g.onnx").read_bytes()
    assert b".py" not in content
    assert str(Path(export.__file__).parent).encode() not in content


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--out", "g.pt"], "--out g.pt: a generator is exported to a file that ends in .onnx"),
        (["--out", "g"], "--out g: a generator is exported to a file that ends in .onnx"),
        (["--out", "g.onnx", "--checkpoint", "99"], "no whole checkpoint 99 (best, last, or a round of: "),
        (["--out", "g.onnx", "--checkpoint", "first"], "no whole checkpoint 'first'"),
    ],
)
def test_wrong_words_are_named(ganbench: Callable, runs: dict[str, Run], words: list[str], sentence: str) -> None:
    ended = ganbench("export", runs["points"].path, *words)
    assert (ended.code, ended.out) == (2, "")
    assert sentence in ended.err


def test_a_folder_that_holds_no_run_is_refused(ganbench: Callable) -> None:
    ended = ganbench("export", "nowhere", "--out", "g.onnx")
    assert ended.code == 2
    assert "nowhere: there is no run here" in ended.err


@pytest.mark.parametrize("package", export.NEEDED)
def test_without_the_extra_it_is_named(
    ganbench: Callable, tmp_path: Path, runs: dict[str, Run], monkeypatch: pytest.MonkeyPatch, package: str
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    ended = ganbench("export", runs["points"].path, "--out", "g.onnx")
    assert ended.code == 2
    assert package in ended.err
    assert 'pip install "ganbench[onnx]"' in ended.err
    assert not (tmp_path / "g.onnx").exists()


def test_a_file_that_cannot_be_written(ganbench: Callable, tmp_path: Path, runs: dict[str, Run]) -> None:
    (tmp_path / "g.onnx").mkdir()
    ended = ganbench("export", runs["points"].path, "--out", "g.onnx")
    assert ended.code == 1
    assert "g.onnx cannot be written" in ended.err


def test_points_that_fp32_cannot_tell_apart_are_refused(tmp_path: Path) -> None:
    """At 10^6 the numbers of fp32 are 1/16 apart."""
    bench = prepare("gan", POINTS / [1, 10] + 1e6, **SMALL, **OF_POINTS)
    with pytest.raises(WorkError, match="standard deviations from 0"):
        write_onnx(bench, tmp_path / "g.onnx")


class Own(nn.Module):
    """A linear generator of points that can be changed by what follows it."""

    def __init__(self, follow: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.layer, self.follow = nn.Linear(5, 2), follow

    def forward(self, z: Tensor) -> Tensor:
        return self.follow(self.layer(z))


def exported(follow: Callable[[Tensor], Tensor], path: Path) -> float:
    recipe = recipe_named("gan")
    own = replace(recipe, generator=replace(recipe.generator, network=Own(follow)))
    return write_onnx(prepare(own, POINTS, batch_size=16), path)


def test_a_network_of_ones_own_is_exported(tmp_path: Path) -> None:
    path = tmp_path / "g.onnx"
    assert exported(torch.tanh, path) <= 1e-4
    z = RNG.normal(size=(1000, 5)).astype(np.float32)
    (x,) = onnxruntime.InferenceSession(path).run(None, {"z": z})
    # Within [-1, 1] of standard units: one standard deviation around the mean.
    assert np.all(np.abs(x - POINTS.mean(axis=0)) <= POINTS.std(axis=0) * 1.001)


@pytest.mark.parametrize(
    ("follow", "reason"),
    [
        (lambda x: x if x.sum() > 0 else -x, "cannot be written as ONNX"),
        (lambda x: torch.linalg.svd(x, full_matrices=False).U, "cannot be written as ONNX"),
        (lambda x: x + torch.randn_like(x), "differs from torch by"),
    ],
    ids=["branches on numbers", "a decomposition", "noise of its own"],
)
def test_a_network_without_a_form_in_onnx_leaves_no_file(
    tmp_path: Path, follow: Callable[[Tensor], Tensor], reason: str
) -> None:
    with pytest.raises(WorkError, match=reason):
        exported(follow, tmp_path / "g.onnx")
    assert not (tmp_path / "g.onnx").exists()
