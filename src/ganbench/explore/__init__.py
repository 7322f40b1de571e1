"""What a generator has learnt, seen from its noise: directions that change its images, judged by what they change."""

from ganbench.explore.attributes import Attributes
from ganbench.explore.exploration import DIRECTIONS, METHODS, Exploration, explore
from ganbench.explore.projected import Targets, images_at, labels_for, targets_at, write_projection
from ganbench.explore.projection import Projection, project
from ganbench.explore.strips import STEPS, strip
from ganbench.explore.subject import Subject
from ganbench.explore.writing import check_out, write_exploration

__all__ = [
    "Attributes", "DIRECTIONS", "Exploration", "METHODS", "Projection", "STEPS", "Subject", "Targets", "check_out",
    "explore", "images_at", "labels_for", "project", "strip", "targets_at", "write_exploration",
    "write_projection",
]  # fmt: skip
