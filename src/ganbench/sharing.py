"""One training on several processes, each of which takes its part of every batch through the networks.

All processes hold the same state and draw the same random numbers. Batches, games, terms and memories are those of the
whole batch, and know nothing of processes; shared out are the passes through the networks alone. Let P_r be the
choice of the rows of process r, so that the sum of P_r^T P_r is the identity. A pass f is then

    f(x) = sum_r P_r^T f(P_r x)

P_r x is a part, and the sum of P_r^T y_r, which gathers the parts of all, the whole. As every process computes the same
loss from the same whole, the one is the other's backward: gradients at a pass's inputs come out whole, those at
its weights are sums over the processes. Both are differentiable any number of times, as gradient penalties need.

Packs of things that are judged together stay together: process r has the packs r, r + n, r + 2n and so on. Of a batch
of real and then generated things it has so many of each, in this order.

Messages of a turn: what goes out of and into each pass, and one vector as long as the player's weights.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import fields, is_dataclass, replace
from datetime import timedelta
from functools import partial
from typing import Any, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from ganbench.errors import UsageError, WorkError, first_line
from ganbench.launch import asked_processes

PATIENCE = timedelta(hours=2)
"""How long a process waits for the others, the first of which also measures. Of a lost one they hear at once."""

T = TypeVar("T")

_told = False
_together = False
_under_way: tuple[int, int] | None = None
"""Of the pass that is shared out at the moment, how many things this process has, and how many make a pack."""


class LostError(WorkError):
    """A process of the training is gone."""


def processes() -> int:
    """How many processes do this training."""
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


def rank() -> int:
    """This process's place among them; the first, 0, alone writes and speaks."""
    return dist.get_rank() if processes() > 1 else 0


@contextmanager
def joined() -> Iterator[None]:
    """Within, the processes that torchrun started are one training's. Without torchrun nothing happens.

    What the first process raises before it has told the others what to do ends them too.
    """
    if asked_processes() == 1:
        yield
        return
    place, devices = int(os.environ.get("LOCAL_RANK", "0")), torch.cuda.device_count()
    if 0 < devices <= place:
        raise UsageError(
            f"torchrun started a process for GPU {place}, and this machine has {devices}: ask for as many processes as "
            "GPUs, or hide these (CUDA_VISIBLE_DEVICES=) to train on the CPU"
        )
    if devices:
        torch.cuda.set_device(place)
    try:
        dist.init_process_group("cpu:gloo,cuda:nccl" if devices else "gloo", timeout=PATIENCE)
    except (RuntimeError, ValueError) as error:
        raise WorkError(f"the processes that torchrun started cannot meet: {first_line(error)}") from None
    try:
        yield
    except LostError:  # the others are gone, and to say good-bye would be to wait for them
        raise
    except BaseException as error:
        if rank() == 0 and not _told and isinstance(error, (UsageError, WorkError)):
            _send(error)
        dist.destroy_process_group()  # whose threads, alive when the process ends, abort it
        raise
    dist.destroy_process_group()


def require_joined() -> None:
    """Raises UsageError where torchrun started several processes that would each do the whole of the same."""
    if asked_processes() > 1 and processes() == 1:
        raise UsageError("torchrun is for `torchrun ... -m ganbench train`; a script of your own takes one process")


def tell(orders: Callable[[], Any]) -> None:
    """From the first process: what the others need to know to do the same, made only where there are others."""
    global _told
    if processes() > 1:
        _send(orders())
        _told = True


def heard() -> Any:
    """What the first process told. Ends this process where the first could not begin, with its exit code."""
    box = [None]
    _ask(lambda: dist.broadcast_object_list(box, src=0))
    if isinstance(box[0], Exception):
        raise SystemExit(2 if isinstance(box[0], UsageError) else 1)
    return box[0]


def _send(what: Any) -> None:
    _ask(lambda: dist.broadcast_object_list([what], src=0))


def agreed(seconds: float, going: bool) -> tuple[float, bool]:
    """The first process's clock, and whether all of them want to go on."""
    if processes() == 1:
        return seconds, going
    said = torch.tensor([seconds if rank() == 0 else 0.0, float(not going)], dtype=torch.float64)
    _ask(lambda: dist.all_reduce(said))
    return float(said[0]), not said[1]


@contextmanager
def together() -> Iterator[None]:
    """Within, all processes do the same, so that passes can be shared out. Outside each is on its own."""
    global _together
    _together = processes() > 1
    try:
        yield
    finally:
        _together = False


def add_up(x: Tensor) -> None:
    """Puts the sum over the processes in the place of a vector."""
    if _together:
        _ask(lambda: dist.all_reduce(x))


def sharers() -> int:
    """Among how many processes the pass that is under way is shared out."""
    return processes() if _under_way else 1


def noise_of_each(draw: Callable[[int], Tensor], count: int) -> Tensor:
    """Noise for `count` things or packs of a batch, of which `draw(n)` draws n rows.

    What a module draws for each thing has to come from here: in a shared pass it is drawn for the whole batch, as all
    processes draw it, and this process's rows are taken.
    """
    if _under_way is None:
        return draw(count)
    own, pack = _under_way
    return _rows(draw(count * processes()), rank(), processes(), max(1, pack * count // own))


def summed(x: Tensor) -> Tensor:
    """The sum over the sharers of a pass, differentiable."""
    return _Sum.apply(x)


class SharedOut:
    """A network each of whose passes is shared out: among processes, and into pieces that are done one after another.

    `block` things in a row go together. With more than one of the `pieces`, what a piece computed is forgotten and
    computed anew for its gradients, so that one piece's memory is enough. Outputs and gradients are those of
    the whole batch at once, up to the order of summation.
    """

    def __init__(self, network: nn.Module, block: int = 1, pieces: int = 1) -> None:
        self.network, self.block, self.pieces = network, block, pieces

    def __call__(self, *inputs: Any) -> Any:
        if not _together:
            return self._piecewise(inputs)
        own = [_each(lambda x: _Part.apply(x, self.block), value) for value in inputs]
        return _each(lambda y: _Whole.apply(y, 1), self._piecewise(own))

    def _piecewise(self, inputs: Any) -> Any:
        if self.pieces == 1:
            return self._passed(_together, *inputs)
        made = []
        for piece in range(self.pieces):
            rows = partial(_rows, place=piece, count=self.pieces, block=self.block)
            own = [_each(rows, value) for value in inputs]
            made.append(checkpoint(self._passed, _together, *own, use_reentrant=False))
        return _each(lambda *parts: torch.stack(parts, 1).flatten(0, 1), *made)

    def _passed(self, shared: bool, *inputs: Any) -> Any:
        """One pass; what is computed anew for gradients, when the turn is over, is shared out as it was before."""
        if not shared:
            return self.network(*inputs)
        with _passing(_count(inputs[0]), self.block):
            return self.network(*inputs)


@contextmanager
def _passing(own: int, pack: int) -> Iterator[None]:
    global _under_way
    _under_way = own, pack
    try:
        yield
    finally:
        _under_way = None


def _count(given: Any) -> int:
    """How many things there are in what a pass is given: a batch, or what has one in its first field."""
    return len(given if isinstance(given, Tensor) else getattr(given, fields(given)[0].name))


class _Part(torch.autograd.Function):
    """This process's rows; its backward is the whole."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, block: int) -> Tensor:
        ctx.block = block
        return _rows(x, rank(), processes(), block).clone()

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        return _Whole.apply(gradient, ctx.block), None


class _Whole(torch.autograd.Function):
    """The rows of all processes in the batch's order; its backward is the part."""

    @staticmethod
    def forward(ctx: Any, y: Tensor, block: int) -> Tensor:
        ctx.block = block
        parts = [torch.empty_like(y, memory_format=torch.contiguous_format) for _ in range(processes())]
        _ask(lambda: dist.all_gather(parts, y.contiguous()))
        return torch.stack([part.unflatten(0, (-1, block)) for part in parts], 1).flatten(0, 2)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        return _Part.apply(gradient, ctx.block), None


class _Sum(torch.autograd.Function):
    """The sum over processes, each of which has its own use for it; so its backward is the sum, too."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        total = x.clone(memory_format=torch.contiguous_format)
        _ask(lambda: dist.all_reduce(total))
        return total

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        return _Sum.apply(gradient)


def _rows(x: Tensor, place: int, count: int, block: int) -> Tensor:
    """Of packs of `block` rows every `count`-th, from the one at `place` on."""
    return x.unflatten(0, (-1, count, block))[:, place].flatten(0, 1)


def _each(change: Callable[..., Tensor], first: Any, *others: Any) -> Any:
    """What a pass takes or gives, with all tensors in it changed; those of several such things go together."""
    if isinstance(first, Tensor):
        return change(first, *others)
    if not is_dataclass(first) or isinstance(first, type):
        return first
    values = {field.name: [getattr(each, field.name) for each in (first, *others)] for field in fields(first)}
    return replace(first, **{name: _each(change, *value) for name, value in values.items()})


def _ask(collective: Callable[[], T]) -> T:
    """Speaks with the other processes. Raises LostError where one of them is gone."""
    try:
        return collective()
    except RuntimeError as error:
        raise LostError("a process of this training was lost, or cannot be spoken with") from error
