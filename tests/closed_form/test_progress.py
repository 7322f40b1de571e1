"""The line of progress: round, speed and last measurement."""

import pytest

from ganbench.fitting import Progress
from ganbench.progress import line


@pytest.mark.parametrize(
    ("round", "seconds", "said"),
    [
        (124_000, 100.0, "round 124,000  1,240 rounds/s"),
        (149, 100.0, "round 149  1.5 rounds/s"),
        (40, 100.0, "round 40  2.5 s/round"),
        (0, 0.0, "round 0"),
        (0, 3.0, "round 0"),
    ],
)
def test_fast_and_slow_trainings_have_a_speed(round: int, seconds: float, said: str) -> None:
    assert line(Progress(round, seconds, 0.5, {})) == said
    assert line(Progress(round, seconds, 0.5, {"fid": 3.25, "modes": 9.0})) == f"{said}  fid 3.25  modes 9"
