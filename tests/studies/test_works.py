"""What stands in the place of a training: recognisers on real and generated characters, audits of planted errors."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from ganbench.configuration import configure
from ganbench.data import Images, ImageSet, load
from ganbench.data.digits import digits
from ganbench.data.drawn_captchas import captchas
from ganbench.data.prepared import Origin, Part, write_prepared
from ganbench.errors import UsageError
from ganbench.metrics import classifier_training, features, features_for
from ganbench.runs import RunFolder
from ganbench.settings import from_tree
from ganbench.studies import recognition
from ganbench.studies.auditing import Audit, judged, planted
from ganbench.studies.exploring import Exploring
from ganbench.studies.plans import Trained
from ganbench.studies.recognition import Recognition, unseen
from ganbench.studies.work import InsteadOfTraining, PlannedWork
from ganbench.workbench import Workbench
from tests.cli.conftest import Outcome

TINY = [("batch_size", 8), ("rounds", 2), ("critic.network.channels", 4), ("generator.network.channels", 4)]


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sixty captchas to train on and others to test, as `ganbench data prepare captcha` lays them down."""
    path = tmp_path_factory.mktemp("data") / "prepared"
    parts = {}
    for name, count, seed in (("train", 60, 5), ("test", 20, 6)):
        drawn = captchas(count, seed)
        rows = [(f"{i}.png", "ABCD") for i in range(count)]
        parts[name] = Part(drawn.pixels, drawn.labels, rows)
    write_prepared(path, Origin("captcha", "drawn", {}), parts, drawn.classes)
    return path


def perform(work: PlannedWork, data: Path, folder: Path, seed: int = 0, recipe: str = "best") -> dict[str, Any]:
    configuration = configure(recipe, str(data), changes=[*TINY, ("seed", seed)], medium="images")
    bench = Workbench(configuration, load(str(data)))
    work.check(configuration, bench.data)
    run = RunFolder.create(folder, bench.configuration, bench.data)
    return dict(InsteadOfTraining(work)(bench, run, resume=False, watch=lambda _: None, interrupted=lambda: False))


def seen_by_recognisers(monkeypatch: pytest.MonkeyPatch) -> list[tuple[ImageSet, int]]:
    """What recognisers are trained on from here on, and in how many steps."""
    seen = []
    train = classifier_training.train_classifier

    def spy(images: ImageSet, *args: Any, steps: int, **kwargs: Any) -> Any:
        seen.append((images, steps))
        return train(images, *args, steps=steps, **kwargs)

    monkeypatch.setattr(recognition, "train_classifier", spy)
    return seen


def keys(images: ImageSet) -> set[bytes]:
    return {pixels.tobytes() for pixels in images.pixels}


def test_no_unseen_image_is_trained_on_and_steps_are_equal(
    prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = seen_by_recognisers(monkeypatch)
    learnt: list[ImageSet] = []
    made = recognition.Workbench

    def bench(configuration: Any, data: ImageSet) -> Workbench:
        learnt.append(data)
        return made(configuration, data)

    monkeypatch.setattr(recognition, "Workbench", bench)
    works = [
        Recognition(network="lenet", steps=7, real=64),
        Recognition(network="lenet", steps=7, real=64, generated=40),
        Recognition(network="lenet", steps=7, generated=40),
        Recognition(network="lenet", steps=7, generated=40, learnt_from=32),
    ]
    for i, work in enumerate(works):
        metrics = perform(work, prepared, tmp_path / str(i))["metrics"]["final"]
        assert set(metrics) == set(Recognition.metrics)
        assert all(0 <= value <= 1 for value in metrics.values())
    assert [(len(images), steps) for images, steps in seen] == [(64, 7), (104, 7), (40, 7), (40, 7)]
    assert [len(images) for images in learnt] == [64, 240, 32]
    alone, both = seen[0][0], seen[1][0]
    np.testing.assert_array_equal(both.pixels[:64], alone.pixels)  # the very same real ones, and
    assert keys(learnt[0]) == keys(alone)  # the generator learnt from these alone
    hidden = keys(unseen(configure("best", str(prepared), medium="images")))
    assert not any(hidden & keys(images) for images, _ in seen)
    assert not any(hidden & keys(images) for images in learnt)
    assert (tmp_path / "1" / "figures" / "sheet.png").exists()


def test_generated_images_have_the_labels_that_were_asked_for(
    prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each class that the generator has seen equally often, up to one."""
    seen = seen_by_recognisers(monkeypatch)
    perform(Recognition(steps=2, generated=70), prepared, tmp_path / "run")
    counts = np.bincount(seen[0][0].labels, minlength=32)
    assert counts.sum() == 70
    assert counts.max() - counts.min() <= 1


def test_a_recognition_follows_from_its_seed(prepared: Path, tmp_path: Path) -> None:
    work = Recognition(steps=10, real=200, generated=20, network="lenet")
    first, again, other = (perform(work, prepared, tmp_path / f"{i}", seed)["metrics"] for i, seed in enumerate("001"))
    assert first == again
    assert first != other


def test_a_work_that_is_stopped_leaves_no_summary(prepared: Path, tmp_path: Path) -> None:
    for name, work in (("r", Recognition(steps=5, real=32, generated=8)), ("a", Audit(folds=2, count=64))):
        bench = Workbench(configure("best", str(prepared), changes=TINY, medium="images"), load(str(prepared)))
        run = RunFolder.create(tmp_path / name, bench.configuration, bench.data)
        ended = InsteadOfTraining(work)(bench, run, resume=False, watch=lambda _: None, interrupted=lambda: True)
        assert ended["status"] == "interrupted"
        assert run.summary is None


@pytest.mark.parametrize(
    ("work", "recipe", "said"),
    [
        (Recognition(steps=1, real=10_000), "best", "has 240"),
        (Recognition(steps=1, generated=10), "thesis-wgan", "set labels"),
        (Audit(count=1_000), "best", "has 240"),
        (Audit(count=8, folds=3), "best", "from 2 to as many as there are images or strings, 2"),
        (Audit(count=3), "best", "2 images or more, not 0"),
        (Audit(count=8, folds=2, share=0.99), "best", "leaves no right one"),
    ],
)
def test_what_the_data_do_not_allow_is_found_before(prepared: Path, work: PlannedWork, recipe: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        work.check(configure(recipe, str(prepared), medium="images"), load(str(prepared)))


def test_a_network_that_cannot_see_the_images_is_found_before(tmp_path: Path) -> None:
    images = captchas(8, 3)
    small = replace(images, pixels=images.pixels[:, :12, :12])
    with pytest.raises(UsageError, match="16 x 16"):
        Recognition(steps=1, real=4, network="lenet").check(configure("best", "captcha", medium="images"), small)


def test_recognition_needs_a_part_to_be_judged_on(tmp_path: Path) -> None:
    drawn = captchas(8, 3)
    with pytest.raises(UsageError, match="no test part"):
        Recognition(steps=1, real=4).check(configure("best", str(tmp_path), medium="images"), drawn)


@pytest.mark.parametrize(
    ("tree", "said"),
    [
        ({"steps": 5, "real": 1}, "2 images or more"),
        ({"steps": 5, "real": 50, "learnt_from": 10}, "none is trained where generated is 0"),
        ({"steps": 5, "real": "some"}, "real"),
        ({"real": 5}, "steps"),
    ],
)
def test_settings_of_a_recognition_that_say_nothing(tree: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        from_tree(Trained, {"work": {"kind": "recognition", **tree}})


def test_planted_errors_are_so_many_and_all_wrong() -> None:
    labels = np.random.default_rng(0).integers(0, 5, 10_000)
    wrong = planted(labels, 5, 0.04, seed=3)
    rows = np.flatnonzero(wrong != labels)
    assert len(rows) == 400
    assert wrong.min() >= 0
    assert wrong.max() <= 4
    steps = np.bincount((wrong[rows] - labels[rows]) % 5, minlength=5)
    assert steps[0] == 0
    assert np.all(abs(steps[1:] - 100) < 5 * np.sqrt(400 * 0.25 * 0.75))  # each other class equally likely
    np.testing.assert_array_equal(wrong, planted(labels, 5, 0.04, seed=3))
    assert (wrong != planted(labels, 5, 0.04, seed=4)).any()


def test_shares_of_an_audit() -> None:
    doubted = np.array([True, False, True, False, False, False])
    wrong = np.array([True, True, False, False, False, False])
    assert judged(doubted, wrong) == {"found": 0.5, "wrongly_flagged": 0.25}


def test_an_audit_of_drawn_digits_finds_what_was_planted(tmp_path: Path) -> None:
    """Ten classes that are told apart after a few hundred images: most errors are found, few other labels doubted."""
    drawn = digits(600)
    halved = np.pad(drawn.pixels, ((0, 0), (2, 2), (2, 2))).reshape(600, 16, 2, 16, 2).mean(axis=(2, 4))
    data, part = tmp_path / "data", Part(halved.astype(np.uint8), drawn.labels)
    write_prepared(data, Origin("digits", "drawn", {}), {"train": part}, drawn.classes)
    work = Audit(share=0.05, folds=2, network="lenet")
    found = perform(work, data, tmp_path / "run")["metrics"]["final"]
    assert found["found"] > 0.8
    assert found["wrongly_flagged"] < 0.1
    assert RunFolder(tmp_path / "run").summary["work"]["kind"] == "audit"  # type: ignore[index]


def test_quick_works_are_no_greater() -> None:
    assert Recognition(steps=500, real="all").quick(20) == Recognition(steps=20, real=64)
    assert Recognition(steps=5, real=8, generated=900).quick(20) == Recognition(steps=5, real=8, generated=64)
    assert Recognition(steps=50, generated=900, learnt_from=70).quick(20).learnt_from == 70
    assert Audit(count=64).quick(20).count == 64


def test_a_study_of_works(ganbench: Callable[..., Outcome], prepared: Path, tmp_path: Path) -> None:
    """From the file to verdict, table and report; what a work does not measure is refused."""
    part = {
        "says": "reads",
        "measure": {"kind": "end", "metric": "captcha_accuracy", "scale": "difference"},
        "of": "few",
        "below": 1.1,
    }
    cells = {name: {"work": {"kind": "recognition", "steps": 2, "real": n}} for name, n in (("few", 20), ("more", 40))}
    tree = {
        "title": "Characters",
        "about": "Nothing.",
        "experiments": {"captchas": {"data": str(prepared), "recipe": "best", "cells": cells}},
        "claims": {"A1": {"sentence": "It reads.", "parts": [part, {**part, "against": ["more"]}]}},
    }
    (tmp_path / "own.yaml").write_text(yaml.safe_dump(tree))
    done = ganbench("reproduce", "own.yaml", "--out", "out", "--seeds", 2, "--jobs", 1)
    assert done.code == 0, done.err
    assert "captcha_accuracy" in (tmp_path / "out" / "table.csv").read_text()
    report = (tmp_path / "out" / "report.html").read_text()
    assert all(told in report for told in ("captcha_accuracy", "work.real"))  # what was measured; the cells' difference
    part["measure"] = {"kind": "end", "metric": "fid"}
    (tmp_path / "own.yaml").write_text(yaml.safe_dump(tree))
    wrong = ganbench("reproduce", "own.yaml", "--out", "other")
    assert wrong.code == 2
    assert "unknown metric of recognition 'fid'" in wrong.err


def test_work_whose_generator_diverges_has_diverged_and_is_not_done_again(
    ganbench: Callable[..., Outcome], prepared: Path, tmp_path: Path
) -> None:
    part = {"says": "reads", "measure": {"kind": "end", "metric": "captcha_accuracy"}, "of": "wild", "below": 1.1}
    wild = {"objective": "least-squares", "critic.optimizer": {"kind": "sgd", "lr": 1e30}}
    cell = {"set": {**dict(TINY), "rounds": 5, **wild}, "work": {"kind": "recognition", "steps": 2, "generated": 32}}
    tree = {
        "title": "Characters",
        "about": "Nothing.",
        "experiments": {"captchas": {"data": str(prepared), "recipe": "best", "cells": {"wild": cell}}},
        "claims": {"A1": {"sentence": "It reads.", "parts": [part]}},
    }
    (tmp_path / "own.yaml").write_text(yaml.safe_dump(tree))
    written = []
    for _ in range(2):
        done = ganbench("reproduce", "own.yaml", "--out", "out", "--seeds", 1, "--jobs", 1)
        assert done.code == 0, done.err
        assert "A1  undecided" in done.out
        summary = tmp_path / "out" / "runs" / "captchas" / "wild-seed0" / "summary.json"
        written.append((summary.stat().st_mtime_ns, json.loads(summary.read_text())))
    assert written[0] == written[1]
    assert (written[0][1]["status"], written[0][1]["metrics"]["final"]) == ("diverged", {})
    assert "the generator&#39;s training diverged" in (tmp_path / "out" / "report.html").read_text()


def test_other_cnn_learns_from_the_test_part_alone(
    prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(features, "ENOUGH", 1)
    seen = []

    def quickly(images: ImageSet, **kwargs: Any) -> Any:
        seen.append(images)
        return classifier_training.train_classifier(images, steps=3)

    monkeypatch.setattr(features, "train_classifier", quickly)
    data = load(str(prepared))
    assert isinstance(data, ImageSet)
    assert features_for(data).name == "other-cnn"  # which is what they get unasked
    assert features_for(data, "other-cnn").name == "other-cnn"
    assert keys(seen[0]) <= keys(captchas(20, 6))
    assert not keys(seen[0]) & keys(data)
    other = Images(size=28, colour="rgb")
    assert features_for(load(str(prepared), other), "other-cnn").name == "other-cnn"  # type: ignore[arg-type]
    assert keys(seen[1]) <= keys(load(captchas(20, 6), other))  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="labelled test part"):
        features_for(replace(data, source=""), "other-cnn")


def test_directions_are_named_beside_chance(tmp_path: Path) -> None:
    """Of a generator that has learnt little, too: shares are shares, the control is not the directions themselves."""
    configuration = configure("best", "digits", changes=[*TINY, ("generator.labels", "none")], medium="images")
    bench = Workbench(configuration, digits(64))
    run = RunFolder.create(tmp_path / "run", bench.configuration, bench.data)
    work = Exploring(directions=2)
    work.check(configuration, bench.data)
    shares: list[float] = []
    found = work.measure(bench, run, shares.append)
    assert set(found) == set(Exploring.metrics)
    assert 0 <= found["named"] <= 1
    assert found["named"] - 1 <= found["named_beyond_chance"] <= found["named"]
    assert found["times_random"] >= 0  # of images that are all black nothing changes
    assert sorted(shares) == shares
    assert shares[-1] == pytest.approx(1)
    assert {p.name for p in (tmp_path / "run" / "figures").iterdir()} == {"direction-1.png", "direction-2.png"}
