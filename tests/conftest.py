"""What all tests share: the real data where it is at hand, and one thread a process."""

from pathlib import Path

import hypothesis
import pytest
import torch
from jaxtyping import install_import_hook

# Shapes and types are checked at every call of these. Not of what says itself, in a sentence, that a shape is wrong;
# nor of the training core, where asking whether something is a `Scores` would compute the verdicts of a turn.
CHECKED = ("networks", "priors", "sampling", "data.batches", "workbench")
install_import_hook([f"ganbench.{part}" for part in CHECKED], "beartype.beartype")

torch.set_num_threads(1)

# The same examples every time, so that a change is judged by what it changed; `make test-all` looks for new ones.
hypothesis.settings.register_profile("repeatable", derandomize=True)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data that lies beside the checkout on the machines that have it."""
    for folder in Path(__file__).resolve().parents:
        if (candidate := folder / "shared" / "data").is_dir():
            return candidate
    pytest.skip("no shared/data beside the checkout")
