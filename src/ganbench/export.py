"""A run's generator as an ONNX file, which other programs and languages can run."""

from __future__ import annotations

import json
import logging
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from ganbench.data import DataSet, PointSet
from ganbench.errors import first_line
from ganbench.networks import set_precision
from ganbench.sampling import generate
from ganbench.types import Latent, UsageError, WorkError
from ganbench.workbench import Workbench

NEEDED = ("onnx", "onnxscript", "onnxruntime")
"""The packages of the extra `onnx`."""

COMPARED = 64
"""Latents on which a file is compared with torch."""

LIMIT = 1e-4
"""The greatest difference that passes for rounding, in the units that the networks see: a standard deviation of the
points, half the way from black to white."""


def write_onnx(bench: Workbench, path: Path) -> float:
    """Writes the generator that `sample` draws from, and gives how far its things are from torch's at most.

    Inputs: `z` (batch, noise) float32; for a conditional generator `label` (batch,) int64; for one with codes `code`
    (batch, code) float32. Output: `x` float32, points (batch, d) in the data's own units or images (batch, channels,
    height, width) from 0 to 1. All is computed in fp32, whatever the run's precision. The file's metadata are `recipe`,
    `data`, `round`, and in JSON `classes` (names in the order of the labels) and `prior` (what `z` and `code` are drawn
    from). The difference, on 64 latents run by onnxruntime, is in the units that the networks see.

    Raises:
        UsageError: a package of the extra `onnx` is missing.
        WorkError: the generator has no form in ONNX or differs there from torch by more than 1e-4, the points are too
            far from 0 for fp32, or the file cannot be written.
    """
    _require_packages()
    scale, shift = _units(bench.data)
    network = deepcopy(bench.state.sampler).cpu().eval()
    set_precision(network, lambda width: torch.float32)
    # Of other latents, and fewer: what follows from them must not become a constant of the file unseen.
    example, inputs = _inputs(bench.latents(COMPARED // 2, seed=1)), _inputs(bench.latents(COMPARED))
    try:
        content = _content(Deployed(network, scale, shift), example, _facts(bench))
        x = _run(content, inputs)
    # A person's own network can hold anything, and the exporter says no in many ways.
    except Exception as error:
        raise WorkError(f"this generator cannot be written as ONNX: {_reason(error)}") from error
    expected = generate(network, _latent(**inputs)).double().numpy() * scale + shift
    difference = float(np.max(np.abs(x - expected) / scale)) if x.shape == expected.shape else np.inf
    if not difference <= LIMIT:  # which a NaN is not either
        raise WorkError(
            f"{path} was not written: run as ONNX the generator differs from torch by {difference:.1e}, "
            f"more than {LIMIT:g}"
        )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    except OSError as error:
        raise WorkError(f"{path} cannot be written: {error.strerror}") from None
    return difference


class Deployed(nn.Module):
    """A generator that takes tensors and gives things in the units that people read: `scale * x + shift`."""

    scale: Tensor
    shift: Tensor

    def __init__(self, generator: nn.Module, scale: np.ndarray, shift: np.ndarray) -> None:
        super().__init__()
        self.generator = generator
        self.register_buffer("scale", torch.from_numpy(scale).float())
        self.register_buffer("shift", torch.from_numpy(shift).float())

    def forward(
        self,
        z: Float[Tensor, "batch noise"],
        label: Int[Tensor, " batch"] | None = None,
        code: Float[Tensor, "batch code"] | None = None,
    ) -> Float[Tensor, "batch ..."]:
        return self.generator(_latent(z, label, code)) * self.scale + self.shift


def _require_packages() -> None:
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        what = "package is" if len(missing) == 1 else "packages are"
        raise UsageError(f'export: {", ".join(missing)}: the {what} needed: pip install "ganbench[onnx]"')


def _units(data: DataSet) -> tuple[Float[np.ndarray, "*d"], Float[np.ndarray, "*d"]]:
    """Scale and shift from the units that the networks see: of each coordinate, or of all pixels."""
    if not isinstance(data, PointSet):
        return np.array(0.5), np.array(0.5)
    scale, shift = data.standardiser.scale, data.standardiser.mean
    deviations = float(np.max(np.abs(shift) / scale))
    if deviations * np.finfo(np.float32).eps / 2 > LIMIT:
        raise WorkError(
            f"{data.name} lies {deviations:.0f} standard deviations from 0, where fp32 no longer tells its points "
            "apart; train on points that are moved nearer to 0"
        )
    return scale, shift


def _inputs(latent: Latent) -> dict[str, Tensor]:
    """The parts of a latent that there are, by the names of the file's inputs."""
    parts = {"z": latent.z, "label": latent.y, "code": latent.code}
    return {name: part.cpu() for name, part in parts.items() if part is not None}


def _latent(z: Tensor, label: Tensor | None = None, code: Tensor | None = None) -> Latent:
    return Latent(z, label, code)


def _facts(bench: Workbench) -> dict[str, str]:
    """What a person who only has the file needs to know of it."""
    configuration = bench.configuration
    return {
        "recipe": configuration.recipe,
        "data": bench.data.title,
        "round": str(bench.state.round),
        "classes": json.dumps(bench.told.classes),
        "prior": json.dumps(configuration.tree()["prior"]),
    }


def _content(deployed: Deployed, example: Mapping[str, Tensor], facts: Mapping[str, str]) -> bytes:
    """The whole file, its weights in it."""
    batch = torch.export.Dim("batch")
    with _quiet():
        program = torch.onnx.export(
            deployed.eval(),
            kwargs=dict(example),
            dynamo=True,
            verbose=False,
            output_names=["x"],
            dynamic_shapes={name: {0: batch} for name in example},
        )
    assert program
    for node in program.model.graph.all_nodes():
        node.metadata_props.clear()  # stack traces, with the paths of the machine that wrote them
    program.model.metadata_props.update(facts)
    return program.model_proto.SerializeToString()


def _run(content: bytes, inputs: Mapping[str, Tensor]) -> Float[np.ndarray, "batch ..."]:
    import onnxruntime

    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    (x,) = session.run(["x"], {name: part.numpy() for name, part in inputs.items()})
    return x


def _reason(error: BaseException) -> str:
    """What was wrong first; the errors above it tell of the exporter's stages."""
    while error.__cause__:
        error = error.__cause__
    return first_line(error)


@contextmanager
def _quiet() -> Iterator[None]:
    """Within, the exporter neither warns nor logs, of torch's own parts as a rule; what fails it raises."""
    before = logging.root.manager.disable
    logging.disable()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
