"""What is said below each picture of a run, in the order in which reports show them."""

from __future__ import annotations

from ganbench.runs import RunFolder
from ganbench.workbench import EPOCHS

POINTS = {
    "scatter.png": "Real and generated points at the end, over what the critic says.",
    "training.webp": "The training, from snapshot to snapshot.",
    "metrics.png": "Metrics at each snapshot against seconds of training; dashed: the floor at the same sizes.",
    "losses.png": "What each player paid.",
    "estimate.png": "The critic's own estimate beside the exact distance.",
    "weights.png": "The critic's weights, a panel a layer.",
}
IMAGES = {
    "sheet.png": "Generated images at the end; with labels, one noise vector a row and one label a column.",
    "training.webp": "The training, from snapshot to snapshot, with the same noise throughout.",
    "metrics.png": "Metrics at each snapshot against seconds of training; dashed: the floor at the same sizes.",
    "losses.png": "What each player paid.",
    "convergence.png": "BEGAN's measure of convergence, and k.",
    "interpolation.png": "From one noise vector to another, in equal steps.",
    "codes.png": "One noise vector a row, and one part of the code changed along it.",
    "labels.png": "Classes as the features read them, in the data and in 2,000 generated images.",
    "neighbours.png": "Generated images, each beside the training images that are nearest to it over the features.",
    "weights.png": "The critic's weights, a panel a layer.",
}
ENDS = ("scatter.png", "sheet.png")
"""What is generated at the end, of points and of images."""


def captions(folder: RunFolder) -> dict[str, str]:
    """The captions of those pictures that are in the run's folder, by file."""
    rows = folder.rows("metrics")
    of_images = bool(rows) and "epoch" in rows[0]
    said = {**_epochs(rows), **IMAGES} if of_images else POINTS
    return {name: caption for name, caption in said.items() if (folder.figures / name).exists()}


def _epochs(rows: list[dict[str, float]]) -> dict[str, str]:
    """Of the sheets after the first epochs of note."""
    said = {}
    for epoch in EPOCHS:
        after = [row for row in rows if row["epoch"] >= epoch]
        if after:
            count = f"{after[0]['epoch']:.3g}"
            said[f"{after[0]['round']:08d}.png"] = (
                f"During the training, after {count} {'epoch' if count == '1' else 'epochs'}."
            )
    return said
