"""What the tests of commands on images share: small data, small networks, and a finished run."""

import functools
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ganbench.api import Run, fit
from ganbench.configuration import parse_change
from ganbench.data import sources
from ganbench.runs import RunFolder
from tests.cli.conftest import Outcome

COLOURS = ("blue", "green", "red")
DISTANCES = {
    "fid", "fid_spread", "kid", "kid_spread", "precision", "recall", "density", "coverage", "nearest_train", "copies",
}  # fmt: skip
MEASURED = ["measure.count=64", "measure.final=64", "batch_size=16"]
CONVOLUTIONS = ["critic.network.channels=4", "generator.network.channels=4", *MEASURED]
DENSE = [*CONVOLUTIONS, "critic.network.dense=16", "generator.network.dense=16"]


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
