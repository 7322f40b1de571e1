"""`ganbench` with unhurried rounds and no pictures, so that a test can come in between.

A study's workers import the main file again: what is replaced here is replaced there. The process that plays the
third round of the objective that `DEADLY` names is killed; where it names `ask`, the one that has asked for the second
trial of a search.
"""

import os
import signal
import time

from ganbench import training
from ganbench.gallery.images import ImageGallery
from ganbench.gallery.points import PointGallery

for gallery in (PointGallery, ImageGallery):
    gallery.snapshot = gallery.finish = lambda self, told: None  # type: ignore[assignment, method-assign]
play_round = training.play_round


def unhurried(state, *others):  # type: ignore[no-untyped-def]
    time.sleep(0.05)
    if state.round == 2 and type(others[0].objective).__name__ == os.environ.get("DEADLY"):
        os.kill(os.getpid(), signal.SIGKILL)
    return play_round(state, *others)


training.play_round = unhurried

if os.environ.get("DEADLY") == "ask":
    import optuna

    ask = optuna.Study.ask

    def deadly(study):  # type: ignore[no-untyped-def]
        trial = ask(study)
        if trial.number == 1:
            os.kill(os.getpid(), signal.SIGKILL)
        return trial

    optuna.Study.ask = deadly  # type: ignore[method-assign]

if __name__ == "__main__":
    from ganbench.cli import main

    main()
