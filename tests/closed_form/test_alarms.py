"""Alarms: each is raised in a state that was made to be wrong in its way, and in none that is sound."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from ganbench import fitting
from ganbench.alarms import Watch
from ganbench.configuration import configure
from ganbench.data import DataSet, ImageSet, load_points
from ganbench.fitting import Session
from ganbench.progress import line
from ganbench.runs import RunFolder
from ganbench.workbench import Workbench
from tests.undrawn import undrawn

__all__ = ["undrawn"]

RING = load_points("ring8")
LINEAR: list[tuple[str, Any]] = [("critic.network.widths", []), ("generator.network.widths", [])]
TINY = [("measure", {"count": 64, "final": 64}), ("batch_size", 16), ("rounds", 40), ("snapshot_every", 10)]
SOUND = {"modes": 8.0}
FAR = 100.0


def bench(recipe: str = "gan", data: DataSet = RING, share: float = 0.5) -> Workbench:
    """Linear players that are so far in their training, the critic without an opinion."""
    made = Workbench(configure(recipe, data.name, changes=[*LINEAR, *TINY]), data)
    made.state.round = round(40 * share)
    made.state.critic.vector.zero_()
    return made


def sure_critic(of: Workbench, slope: float = 1.0) -> None:
    """Real things, which lie about 0, score 40; generated ones, which all lie at (100, 0), 40 - 100 slope."""
    of.state.critic.vector.copy_(torch.tensor([-slope, 0.0, 40.0]))
    of.state.generator.vector.zero_()
    of.state.generator.vector[-2] = FAR


def kinds(watch: Watch, measured: dict[str, float]) -> list[str]:
    return [alarm.kind for alarm in watch.alarms(measured)]


def test_a_sound_training_raises_none() -> None:
    assert kinds(Watch(bench()), SOUND) == []


@pytest.mark.parametrize("modes", [0, 3, 7])
def test_lost_modes_are_counted(modes: int) -> None:
    (alarm,) = Watch(bench()).alarms({"modes": float(modes)})
    assert (alarm.kind, alarm.number) == ("mode loss", 8 - modes)
    assert f"{modes} modes are generated where as many real things show 8" in alarm.sentence


def test_where_no_modes_are_known_none_are_missed() -> None:
    assert kinds(Watch(bench(data=load_points("moons"))), {"w1": 1.0}) == []


def test_a_young_training_is_left_alone() -> None:
    young = bench(share=0.1)
    sure_critic(young)
    assert kinds(Watch(young), {"modes": 0.0}) == []


def test_a_critic_that_is_sure_of_everything_is_saturated() -> None:
    won = bench()
    sure_critic(won)
    (alarm,) = Watch(won).alarms(SOUND)
    assert alarm.kind == "saturation"
    assert alarm.number == pytest.approx(float(torch.sigmoid(torch.tensor(40 - FAR))), rel=0.01)
    assert "1.0000" in alarm.sentence


def test_a_critic_that_is_sure_of_one_side_alone_is_not_saturated() -> None:
    for critic in ([0.0, 0.0, 40.0], [0.0, 0.0, -40.0]):
        biased = bench()
        biased.state.critic.vector.copy_(torch.tensor(critic))
        assert kinds(Watch(biased), SOUND) == []


@pytest.mark.parametrize("recipe", ["wgan", "lsgan", "hinge", "r3gan"])
def test_a_score_that_is_no_probability_cannot_saturate(recipe: str) -> None:
    won = bench(recipe)
    sure_critic(won)
    assert kinds(Watch(won), SOUND) == []


def gradients(watch: Watch, sizes: list[float]) -> list[list[str]]:
    """What is raised as the generator's gradient goes through these lengths."""
    vector = watch.bench.state.generator.vector
    raised = []
    for size in sizes:
        vector.grad = torch.zeros_like(vector)
        vector.grad[0] = size
        raised.append(kinds(watch, SOUND))
    return raised


def test_a_gradient_that_fades_against_its_largest_has_vanished() -> None:
    fading = ["vanishing gradient"]
    assert gradients(Watch(bench()), [1e-9, 3.0, 1.0, 1e-2, 1e-5, 1e-8, 3.0]) == [[], [], [], [], fading, fading, []]
    watch = Watch(bench())
    gradients(watch, [4.0, 1e-5])
    (alarm,) = watch.alarms(SOUND)
    assert alarm.number == pytest.approx(1e-5 / 4)
    assert "2.5e-06" in alarm.sentence


def test_a_gradient_that_is_gone_has_vanished() -> None:
    """Such as that of a generator whose rectified layer is dead."""
    assert gradients(Watch(bench()), [3.0, 0.0]) == [[], ["vanishing gradient"]]


def test_a_small_gradient_is_no_alarm_where_it_always_was_small() -> None:
    assert gradients(Watch(bench()), [2e-9, 1e-9, 3e-9]) == [[]] * 3


def test_a_perfect_generator_raises_no_alarm() -> None:
    """Sixteen images of ten classes lack some class nearly always: the floor says how many a perfect draw shows."""
    rng = np.random.default_rng(0)
    labels = np.arange(200) % 10
    images = ImageSet(
        "bars", (rng.integers(0, 20, (200, 16, 16)) + 20 * labels[:, None, None]).astype(np.uint8), labels
    )
    changes = [("features", "random-conv"), ("rounds", 40), ("measure", {"count": 16, "final": 16})]
    made = Workbench(configure("gan", "bars", changes=changes, medium="images"), images)
    made.state.round = 20
    drawn = images.take(rng.permutation(200)[: made.ruler(16).draws]).labels
    assert drawn is not None
    assert kinds(Watch(made), {"modes": float(len(set(drawn.tolist())))}) == []


def run(folder: Path) -> tuple[Workbench, RunFolder]:
    configuration = configure("gan", "ring8", changes=[*LINEAR, *TINY])
    return Workbench(configuration, RING), RunFolder.create(folder, configuration, RING)


def test_a_runs_alarms_are_kept_and_told(tmp_path: Path) -> None:
    """A linear generator cannot have the ring's modes."""
    made, folder = run(tmp_path / "run")
    told: list[str] = []
    summary = fitting.fit(made, folder, watch=lambda reached: told.append(line(reached)))
    rows = folder.rows("alarms")
    assert rows == summary["alarms"]
    assert {row["round"] for row in rows} <= {10, 20, 30, 40}
    lost = [row for row in rows if row["kind"] == "mode loss"]
    assert lost
    measured = {row["round"]: row for row in folder.rows("metrics")}
    assert all(row["number"] == 8 - measured[row["round"]]["modes"] for row in lost)
    assert any("! mode loss" in each for each in told)
    assert lost[-1]["sentence"] in (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    assert json.loads((tmp_path / "run" / "summary.json").read_text())["alarms"] == rows


def test_a_resumed_run_still_knows_the_largest_gradient(tmp_path: Path, undrawn: None) -> None:
    made, folder = run(tmp_path / "run")
    for resumed, size in ((False, 3.0), (True, 1e-6)):
        session = Session(made, folder)
        if resumed:
            session.restore()
        made.state.round += 20
        made.state.generator.vector.grad = torch.full_like(made.state.generator.vector, size)
        session.snapshot()
    assert "vanishing gradient" in [row["kind"] for row in folder.rows("alarms")]
