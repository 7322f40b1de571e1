"""How this process was started; without torch, which takes a second to import."""

from __future__ import annotations

import os


def asked_processes() -> int:
    """How many processes torchrun started for one training; 1 where it started none."""
    return int(os.environ.get("WORLD_SIZE", "1")) if "TORCHELASTIC_RUN_ID" in os.environ else 1
