"""What a CUDA graph does, done by a processor: so that recordings are tested where there is no GPU.

Operations are noted while they are asked for, and changed nothing when the recording ends: what they wrote is put back.
A replay does them again on the same memory. Of a graph's own memory nothing is kept from one replay to the next, as one
place in it serves many things: here whatever a recording made is made unusable before it is made again.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map_only

ASKS = ("aten::_local_scalar_dense", "aten::is_nonzero", "aten::equal")
"""What a graph cannot do: hand a number to Python."""


class Noted(TorchDispatchMode):
    """Notes what is asked for: the operation, what it was given, and what it gave."""

    def __init__(self) -> None:
        super().__init__()
        self.steps: list[tuple[Any, Any, Any, Any]] = []
        self.before: dict[int, tuple[Tensor, Tensor]] = {}
        self.own: set[int] = set()

    def __torch_dispatch__(self, function: Any, types: Any, given: Any = (), named: Any = None) -> Any:
        named = named or {}
        assert function._schema.name not in ASKS, f"{function} within a recording"
        found = _aliases((given, named))
        for tensor in tree_leaves(found):
            if isinstance(tensor, Tensor) and (place := tensor.untyped_storage().data_ptr()) not in self.own:
                self.before.setdefault(place, (tensor, _whole(tensor).clone()))
        made = function(*given, **named)
        known = {t.untyped_storage().data_ptr() for t in tree_leaves((given, named)) if isinstance(t, Tensor)}
        fresh = [t for t in tree_leaves(made) if isinstance(t, Tensor) and t.untyped_storage().data_ptr() not in known]
        self.own |= {t.untyped_storage().data_ptr() for t in fresh}
        self.steps.append((function, *found, [t.detach() for t in tree_leaves(made) if isinstance(t, Tensor)]))
        return made


def _aliases(given: Any) -> Any:
    """The same memory in tensors of their own, whose shape is not changed where that of the given ones is."""
    return tree_map_only(Tensor, lambda tensor: tensor.detach(), given)


def _whole(tensor: Tensor) -> Tensor:
    """All bytes of the memory that a tensor is a view of."""
    return torch.empty(0, dtype=torch.uint8).set_(tensor.untyped_storage())  # type: ignore[call-overload]


class Graph:
    """Stands in for torch.cuda.CUDAGraph."""

    def __init__(self) -> None:
        self.streams: list[torch.Generator] = [torch.default_generator]
        self.noted = Noted()

    def register_generator_state(self, stream: torch.Generator) -> None:
        self.streams.append(stream)

    @contextmanager
    def record(self) -> Iterator[None]:
        states = [stream.get_state() for stream in self.streams]
        with self.noted:
            yield
        for stream, state in zip(self.streams, states, strict=True):
            stream.set_state(state)
        for tensor, whole in self.noted.before.values():
            _whole(tensor).copy_(whole)

    @torch.no_grad()
    def replay(self) -> None:
        own = self.noted.own
        for _, _, _, made in self.noted.steps:
            for tensor in made:
                if tensor.untyped_storage().data_ptr() in own:
                    _whole(tensor).fill_(255)  # nan, of floating point
        for function, given, named, made in self.noted.steps:
            given, named = _aliases((given, named))
            again = [t for t in tree_leaves(function(*given, **named)) if isinstance(t, Tensor)]
            for tensor, value in zip(made, again, strict=True):
                if tensor.untyped_storage().data_ptr() != value.untyped_storage().data_ptr():
                    tensor.copy_(value)


def recording(monkeypatch: Any) -> None:
    """Has CUDA graphs recorded by the processor."""
    monkeypatch.setattr(torch.cuda, "CUDAGraph", Graph)
    monkeypatch.setattr(torch.cuda, "graph", lambda graph, pool: graph.record())
    monkeypatch.setattr(torch.cuda, "graph_pool_handle", lambda: None)
    monkeypatch.setattr(torch.nn.functional, "one_hot", _one_hot)


def _one_hot(y: Tensor, classes: int) -> Tensor:
    """Without the processor's look at whether the classes are in range, which a GPU does without."""
    return (y[..., None] == torch.arange(classes)).long()
