"""Compares the ways to cut captchas: python docs/results/cutting.py captcha4_train.zip"""

import sys
from itertools import pairwise

import numpy as np
from scipy import ndimage

from ganbench.data.captchas import Captcha, Preparation, prepare_captchas
from ganbench.data.cells import CUTS, Cells, ink_of


def parted(captcha: Captcha, cut: str) -> int:
    """At how many of the places where a character ends and the next begins connected ink is parted."""
    ink = ink_of(captcha.image)
    parts = CUTS[cut](ink, len(captcha.text))
    if cut == "equal":  # these are in a row, not each in its place
        ends = np.cumsum([part.shape[1] for part in parts])
        parts = [
            np.pad(part, ((0, 0), (end - part.shape[1], ends[-1] - end))) for part, end in zip(parts, ends, strict=True)
        ]
    return sum((ndimage.binary_dilation(a, np.ones((3, 3))) & b).any() for a, b in pairwise(parts))


def nearest(train: list[Captcha], test: list[Captcha]) -> tuple[float, float]:
    """Shares of unseen characters, and captchas, that have the label of the cell nearest to each in the train part."""
    known, unseen = (np.concatenate([c.cells for c in part]).reshape(-1, 400) / 255 for part in (train, test))
    characters = np.array(list("".join(c.text for c in train)))
    given = np.array(list("".join(c.text for c in test)))
    closest = (np.square(known).sum(axis=1) - 2 * unseen @ known.T).argmin(axis=1)
    right = characters[closest] == given
    return float(right.mean()), float(right.reshape(len(test), -1).all(axis=1).mean())


def main(source: str) -> None:
    for cut in ("equal", "components"):
        found = prepare_captchas(source, Preparation(cells=Cells(cut=cut)))
        captchas = [*found.train, *found.test]
        places = sum(len(captcha.text) - 1 for captcha in captchas)
        ink = sum(parted(captcha, cut) for captcha in captchas)
        characters, whole = nearest(found.train, found.test)
        stock = len({cell.tobytes() for captcha in found.train for cell in captcha.cells})
        print(
            f"{cut}: {ink:,} of {places:,} places between characters are in ink; by the nearest cell {characters:.2%} "
            f"of characters and {whole:.1%} of captchas are read right; {stock:,} cells of the train part are "
            f"distinct, {found.known:.0%} of the test part's are among them"
        )


if __name__ == "__main__":
    main(sys.argv[1])
