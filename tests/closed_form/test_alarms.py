"""Alarms: each is raised in a state that was made to be wrong in its way, and in none that is sound."""

import json
import math
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from ganbench import fitting
from ganbench.alarms import Watch
from ganbench.configuration import configure
from ganbench.data import DataSet, ImageSet, PointSet, load_points
from ganbench.fitting import Session
from ganbench.learners import Learner
from ganbench.networks import Plain
from ganbench.progress import line
from ganbench.runs import RunFolder
from ganbench.training import Report
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


@torch.no_grad()
def put(learner: Learner, values: list[float]) -> None:
    """Gives a player's parameters, one after another, these values."""
    parts = torch.tensor(values).split([p.numel() for p in learner.parameters])
    for parameter, part in zip(learner.parameters, parts, strict=True):
        parameter.copy_(part.view_as(parameter))


@torch.no_grad()
def sure_critic(of: Workbench, slope: float = 1.0) -> None:
    """Real things, which lie about 0, score 40; generated ones, which all lie at (100, 0), 40 - 100 slope."""
    put(of.state.critic, [-slope, 0.0, 40.0])
    of.state.generator.vector.zero_()
    of.state.generator.parameters[-1][0] = FAR


def kinds(watch: Watch, measured: dict[str, float]) -> list[str]:
    return [alarm.kind for alarm in watch.alarms(measured)]


def test_a_sound_training_raises_none() -> None:
    assert kinds(Watch(bench()), SOUND) == []


@pytest.mark.parametrize(("precision", "coverage", "told"), [(0.0, 0.0, True), (0.004, 0.0, True), (0.3, 0.0, False)])
def test_images_that_lie_nowhere_near_the_data_are_told_of_first(precision: float, coverage: float, told: bool) -> None:
    measured = {"precision": precision, "coverage": coverage, "modes": 2.0}
    assert kinds(Watch(bench()), measured) == ["unlike the data"] * told + ["mode loss"]
    assert kinds(Watch(bench(share=0.1)), measured) == []


@pytest.mark.parametrize("modes", [0, 3, 7])
def test_lost_modes_are_counted(modes: int) -> None:
    (alarm,) = Watch(bench()).alarms({"modes": float(modes)})
    assert (alarm.kind, alarm.number) == ("mode loss", 8 - modes)
    assert f"{modes} modes are generated where as many real things show 8" in alarm.sentence


def test_where_no_modes_are_known_none_are_missed() -> None:
    assert kinds(Watch(bench(data=load_points("moons"))), {"w1": 1.0}) == []


@pytest.mark.parametrize(("accuracy", "raised"), [(0.1, True), (0.52, True), (0.54, False), (0.96, False)])
def test_a_generator_that_does_not_draw_what_it_is_asked_for_is_told(
    accuracy: float, raised: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of ten classes a tenth is read as asked by chance, of real ones here 0.96: halfway is 0.53."""
    digits = ImageSet("bars", np.zeros((200, 16, 16), np.uint8), np.arange(200) % 10)
    made = Workbench(configure("gan", "bars", changes=[("rounds", 40)], medium="images"), digits)
    made.state.round = 20
    floor = SimpleNamespace(floor={"label_accuracy": 0.96}, floor_spread={"label_accuracy": 0.01})
    monkeypatch.setattr(made, "ruler", lambda count: floor)
    told = [alarm for alarm in Watch(made).alarms({"label_accuracy": accuracy}) if alarm.kind == "labels ignored"]
    assert [alarm.number for alarm in told] == [accuracy] * raised
    assert all(f"{accuracy:.0%}" in alarm.sentence and "96%" in alarm.sentence for alarm in told)


def test_a_young_training_is_left_alone() -> None:
    young = bench(share=0.1)
    sure_critic(young)
    assert kinds(Watch(young), {"modes": 0.0}) == []


def test_a_critic_that_is_sure_of_everything_is_saturated() -> None:
    won = bench()
    sure_critic(won)
    (alarm,) = Watch(won).alarms(SOUND)
    assert (alarm.kind, alarm.number) == ("saturation", 1.0)
    assert "1.0000" in alarm.sentence


def test_a_critic_that_is_sure_of_one_side_alone_is_not_saturated() -> None:
    for critic in ([0.0, 0.0, 40.0], [0.0, 0.0, -40.0]):
        biased = bench()
        put(biased.state.critic, critic)
        assert kinds(Watch(biased), SOUND) == []


@pytest.mark.parametrize("recipe", ["wgan", "wgan-gp"])
def test_a_critic_that_estimates_a_distance_cannot_win(recipe: str) -> None:
    won = bench(recipe)
    sure_critic(won)
    assert kinds(Watch(won), SOUND) == []


@pytest.mark.parametrize("recipe", ["gan-minimax", "hinge", "r3gan"])
def test_every_game_that_can_be_won_has_its_saturation(recipe: str) -> None:
    won = bench(recipe)
    sure_critic(won)
    assert kinds(Watch(won), SOUND) == ["saturation"]


def test_a_least_squares_critic_has_won_where_it_hits_both_targets() -> None:
    """Scores that are far beyond the targets are as wrong for it as scores between them."""
    won = bench("lsgan")
    sure_critic(won)
    assert kinds(Watch(won), SOUND) == []
    put(won.state.critic, [-1 / FAR, 0.0, 1.0])  # about 1 at real things, 0 at (100, 0)
    assert kinds(Watch(won), SOUND) == ["saturation"]


class Corners(nn.Module):
    """Batch norm, then 40 where the first number is +1 or -1 by it, and -40 where it is 0."""

    def __init__(self) -> None:
        super().__init__()
        self.norm, self.weight = nn.BatchNorm1d(2), nn.Parameter(torch.tensor([40.0]))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.weight * (2 * self.norm(x)[:, :1].abs() - 1)


def normed(critic: nn.Module, changes: tuple[tuple[str, Any], ...] = ()) -> Workbench:
    """Real things lie at (1, 0) and (-1, 0) with a little noise; generated ones all at (100, 0)."""
    rng = np.random.default_rng(0)
    data = PointSet("two", np.repeat([[1.0, 0.0], [-1.0, 0.0]], 512, axis=0) + rng.normal(scale=1e-3, size=(1024, 2)))
    changes = (*LINEAR[1:], *TINY, ("batch_size", 64), ("critic.network", Plain(critic)), *changes)
    made = Workbench(configure("gan", "two", changes=changes), data)
    made.state.round = 20
    with torch.no_grad():
        made.state.generator.vector.zero_()
        made.state.generator.parameters[-1][0] = FAR
    return made


def test_a_critic_with_batch_norm_is_heard_as_in_training() -> None:
    """Each half is normed by itself there. By running statistics the fakes would lie at 100, and be taken for real."""
    right = normed(Corners())
    real, fake = (scores.sigmoid().mean() for scores in (right.verdicts(256).real, right.verdicts(256).fake))
    assert (float(real), float(fake)) == pytest.approx((1, 0), abs=1e-3)
    assert kinds(Watch(right), {}) == ["saturation"]


def test_a_critic_that_batch_norm_blinds_has_not_won() -> None:
    """A linear one: the mean of each half is 0 in training, however far apart they lie."""
    blind = nn.Sequential(nn.BatchNorm1d(2), nn.Linear(2, 1))
    unsure = normed(blind)
    with torch.no_grad():
        linear = next(m for m in unsure.state.critic.network.modules() if isinstance(m, nn.Linear))
        linear.weight.copy_(torch.tensor([[-1.0, 0.0]]))
        linear.bias.fill_(40.0)
        for _ in range(50):  # running statistics that tell the halves apart
            unsure.verdicts(64)
            unsure.state.critic.network(torch.randn(64, 2))
    verdicts = unsure.verdicts(256)
    assert float(verdicts.fake.mean()) == pytest.approx(40, abs=1e-3)
    assert float(verdicts.real.mean()) == pytest.approx(40, abs=1e-3)
    assert kinds(Watch(unsure), {}) == []


def test_points_are_scored_as_among_real_ones() -> None:
    """Where running statistics of a mixture of real and generated things are of neither."""
    made = normed(nn.Sequential(nn.BatchNorm1d(2, affine=False), nn.Linear(2, 1, bias=False)))
    before = {name: buffer.clone() for name, buffer in made.state.critic.network.named_buffers()}
    with torch.no_grad():
        put(made.state.critic, [1.0, 0.0])
    at = np.array([[0.0, 0.0], [1.0, 0.0], [100.0, 0.0]])
    # In standard units the real points are at +-1, so that their norm leaves points as they are.
    assert made.scores(at) == pytest.approx(at[:, 0], abs=0.2, rel=0.05)
    assert all(torch.equal(buffer, before[name]) for name, buffer in made.state.critic.network.named_buffers())


def test_weights_that_run_away_are_told_when_they_begin_to_and_as_they_double() -> None:
    made = bench()
    put(made.state.critic, [0.0, 0.0, 1.0])
    watch, told = Watch(made), []
    for length in (9.0, 11.0, 12.0, 21.0, 23.0, 3.0, 1e30):
        put(made.state.critic, [0.0, 0.0, length])
        alarm = watch.divergence({"critic": 1.0})
        told.append(alarm and alarm.number)
    assert told == [None, pytest.approx(11), None, None, pytest.approx(23), None, pytest.approx(1e30)]
    runaway = watch.runaway()
    assert runaway is not None
    assert "the critic's weights are 1e+30 times" in runaway.sentence


def test_what_is_not_finite_is_counted() -> None:
    made = bench()
    watch = Watch(made)
    made.state.generator.vector[:2] = math.nan
    alarm = watch.divergence({"critic": math.inf, "generator": 0.0})
    assert alarm is not None
    assert (alarm.kind, alarm.number) == ("divergence", 3)


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
    assert any(f"! mode loss {lost[0]['number']:.3g}" in each for each in told)
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


def test_a_training_that_diverges_is_told_of_before_it_ends(tmp_path: Path) -> None:
    """A linear critic whose slope's norm n goes to |n - 0.1 * 2 * 50 (n - 1)| and a little: away from 1 nine times."""
    changes = [*LINEAR, *TINY, ("critic.optimizer", {"kind": "sgd", "lr": 0.1}), ("rounds", 400), ("turns.critic", 1)]
    changes += [("critic.terms.gradient-penalty.weight", 50.0), ("snapshot_every", 400)]
    configuration = configure("wgan-gp", "ring8", changes=changes)
    made, folder = Workbench(configuration, RING), RunFolder.create(tmp_path / "run", configuration, RING)
    told: list[str] = []
    summary = fitting.fit(made, folder, watch=lambda reached: told.append(line(reached)))
    rows = [row for row in summary["alarms"] if row["kind"] == "divergence"]
    assert summary["status"] == "diverged"
    assert rows[0]["round"] < rows[-1]["round"] == summary["rounds"]
    assert 10 < rows[0]["number"] < rows[1]["number"] / 2
    assert "not finite" in rows[-1]["sentence"]
    assert rows[-1]["number"] >= 1
    assert f"! divergence {rows[0]['number']:.3g}" in "".join(told)
    assert "not finite" in (tmp_path / "run" / "report.html").read_text(encoding="utf-8")


def test_a_resumed_run_tells_no_growth_twice(tmp_path: Path, undrawn: None) -> None:
    made, folder = run(tmp_path / "run")
    vector = made.state.critic.vector
    vector.fill_(1.0)
    session = Session(made, folder)
    vector.fill_(15.0)
    assert session.log(Report(1, 0.0, {}))
    session.snapshot()
    resumed = Session(made, folder)
    resumed.restore()
    assert [alarm.short for alarm in resumed.alarms] == ["divergence 15"]
    for length in (16.0, 31.0):
        vector.fill_(length)
        resumed.log(Report(2, 0.0, {}))
    assert [row["number"] for row in folder.rows("alarms")] == pytest.approx([15, 31])
