"""A generator that was trained elsewhere, by a function of a person's own code."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

import numpy as np
from torch import nn

from ganbench.explore.subject import Subject
from ganbench.types import UsageError


def subject_from(spec: str) -> Subject:
    """What `module:function` returns: a module from noise (batch, d) to images in [-1, 1], and d.

    The module is looked for in the working folder and wherever Python finds modules; the function, called without
    arguments, builds the network and reads its weights however it will. Nothing else is read.

    Raises:
        UsageError: there is no such function, it fails, or returns something else.
    """
    name, _, function = spec.partition(":")
    if not name or not function:
        raise UsageError(f"--generator {spec}: write module:function, such as mine:generator for mine.py here")
    folder = str(Path.cwd())
    sys.path.insert(0, folder)
    try:
        found = getattr(import_module(name), function)()
    # A person's own code can fail in any way.
    except Exception as error:
        reason = str(error).partition("\n")[0] or "no more is said"
        raise UsageError(f"--generator {spec}: {type(error).__name__}: {reason}") from error
    finally:
        sys.path.remove(folder)
    match found:
        case (nn.Module() as module, int() | np.integer() as noise):
            return Subject.of_module(spec, module, int(noise))
        case tuple():
            given = f"({', '.join(type(part).__name__ for part in found)})"
        case _:
            given = type(found).__name__
    raise UsageError(
        f"--generator {spec}: the function is to return a torch.nn.Module and the dimension of its noise, "
        f"as in `return network, 128`, not {given}"
    )
