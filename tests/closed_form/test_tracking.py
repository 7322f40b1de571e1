"""What TensorBoard reads back is what the run's own files hold."""

import io
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from ganbench import fitting
from ganbench.configuration import Configuration, configure
from ganbench.data import DataSet, load_points
from ganbench.data.images import ImageSet
from ganbench.runs import RunFolder
from ganbench.tracking import Tracker
from ganbench.types import UsageError
from ganbench.workbench import Workbench
from tests.undrawn import draw_nothing

ROUNDS = 40
SMALL: list[tuple[str, Any]] = [
    ("batch_size", 16),
    ("snapshot_every", 10),
    ("measure", {"count": 32, "final": 32}),
    ("track", "tensorboard"),
]
MOONS = load_points("moons")
SECOND = 1.0
"""Between two trackers of a run: event files are read in the order of their names, which hold whole seconds."""
SHADES = ImageSet("shades", np.random.default_rng(0).integers(0, 256, (64, 16, 16), dtype=np.uint8))


def of_points(*changes: tuple[str, Any]) -> Configuration:
    widths = [(f"{side}.network.widths", [8]) for side in ("critic", "generator")]
    return configure("wgan-gp", "moons", changes=[*SMALL, *widths, ("rounds", ROUNDS), *changes])


def of_images() -> Configuration:
    sizes = [
        (f"{side}.network.{name}", size)
        for side in ("critic", "generator")
        for name, size in (("channels", 4), ("dense", 8))
    ]
    return configure("gan", "shades", None, [*SMALL, *sizes, ("features", "random-conv"), ("rounds", 20)], "images")


def never() -> bool:
    return False


def train(
    path: Path, configuration: Configuration, data: DataSet, stop: Callable[[Workbench], bool] | None = None
) -> None:
    """Trains in a folder, going on where there is a run already."""
    resume = path.exists()
    time.sleep(SECOND if resume else 0)
    folder = RunFolder.open(path) if resume else RunFolder.create(path, configuration, data)
    bench = Workbench(configuration, data)
    fitting.fit(bench, folder, resume=resume, interrupted=never if stop is None else lambda: stop(bench))


def shown(path: Path) -> EventAccumulator:
    """All that TensorBoard shows of a run."""
    return EventAccumulator(str(path / "tensorboard"), size_guidance={"scalars": 0, "images": 0, "tensors": 0}).Reload()


def assert_shows(path: Path) -> None:
    """Each number of the run's files once, at its round, and each frame."""
    folder, events = RunFolder(path), shown(path)
    for group, file in (("losses", "log"), ("metrics", "metrics")):
        rows = folder.rows(file)
        names = {name for row in rows for name in row if name not in ("round", "seconds", "epoch")}
        assert {tag for tag in events.Tags()["scalars"] if tag.startswith(group)} == {f"{group}/{n}" for n in names}
        for name in names:
            points = events.Scalars(f"{group}/{name}")
            assert [point.step for point in points] == [row["round"] for row in rows]
            assert [point.value for point in points] == pytest.approx([row[name] for row in rows], rel=1e-6)
    frames = {int(file.stem): file for file in folder.figures.glob("*.png") if file.stem.isdigit()}
    pictures = events.Images("frame")
    assert [picture.step for picture in pictures] == sorted(frames)
    for picture in pictures:
        with Image.open(io.BytesIO(picture.encoded_image_string)) as a, Image.open(frames[picture.step]) as b:
            assert np.array_equal(a.convert("RGB"), b.convert("RGB"))


@pytest.mark.parametrize(("make", "data"), [(of_points, MOONS), (of_images, SHADES)], ids=["points", "images"])
def test_all_that_a_run_writes_is_shown(tmp_path: Path, make: Callable[[], Configuration], data: DataSet) -> None:
    train(tmp_path / "run", make(), data)
    assert_shows(tmp_path / "run")


def test_the_configuration_is_shown_as_it_is_in_the_folder(tmp_path: Path) -> None:
    train(tmp_path / "run", of_points(("rounds", 1)), MOONS)
    (event,) = shown(tmp_path / "run").Tensors("configuration/text_summary")
    lines = event.tensor_proto.string_val[0].decode().splitlines()
    assert all(line.startswith("    ") for line in lines)  # a code block of Markdown
    assert [line[4:] for line in lines] == (tmp_path / "run" / "config.yaml").read_text().splitlines()


@pytest.mark.parametrize("stop", [10, 17])
def test_a_resumed_run_shows_each_round_once(tmp_path: Path, stop: int) -> None:
    train(tmp_path / "run", of_points(), MOONS, lambda bench: bench.state.round >= stop)
    train(tmp_path / "run", of_points(), MOONS)
    assert_shows(tmp_path / "run")


@pytest.mark.parametrize("death", [1, 27])
def test_what_a_killed_run_plays_again_is_shown_once(tmp_path: Path, death: int) -> None:
    """It goes on from its last snapshot; what it had written since then is no longer shown."""

    def die(bench: Workbench) -> bool:
        if bench.state.round >= death:
            raise RuntimeError("killed")
        return False

    with pytest.raises(RuntimeError, match="killed"):
        train(tmp_path / "run", of_points(), MOONS, die)
    train(tmp_path / "run", of_points(), MOONS)
    assert_shows(tmp_path / "run")


def test_later_files_take_the_place_of_the_rounds_they_begin_with(tmp_path: Path) -> None:
    for first, last, loss in ((0, 5, 1.0), (4, 7, 2.0)):
        tracker = Tracker(tmp_path / "tensorboard", first)
        for round in range(first, last + 1):
            tracker.losses(round, {"critic": loss})
        tracker.close()
        time.sleep(SECOND)
    points = [(point.step, point.value) for point in shown(tmp_path).Scalars("losses/critic")]
    assert points == [(0, 1), (1, 1), (2, 1), (3, 1), (4, 2), (5, 2), (6, 2), (7, 2)]


@pytest.fixture
def without_tensorboard(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("tensorboard", "torch.utils.tensorboard"):
        monkeypatch.setitem(sys.modules, name, None)


@pytest.mark.usefixtures("without_tensorboard")
def test_without_the_extra_no_round_is_played(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r'pip install "ganbench\[track\]"'):
        train(tmp_path / "run", of_points(), MOONS)
    assert not RunFolder(tmp_path / "run").rows("metrics")


@pytest.mark.usefixtures("without_tensorboard")
def test_a_run_that_is_not_tracked_needs_no_tensorboard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    draw_nothing(monkeypatch)
    train(tmp_path / "run", of_points(("track", "none"), ("rounds", 1)), MOONS)
    assert not (tmp_path / "run" / "tensorboard").exists()
