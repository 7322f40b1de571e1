"""What all tests share: the real data where it is at hand, and one thread a process."""

from pathlib import Path

import pytest
import torch

torch.set_num_threads(1)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data that lies beside the checkout on the machines that have it."""
    for folder in Path(__file__).resolve().parents:
        if (candidate := folder / "shared" / "data").is_dir():
            return candidate
    pytest.skip("no shared/data beside the checkout")
