"""Batches of a set by seeded permutations: of one tensor on the device, of what stays on the disk, or of a stream."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor

from ganbench.data.shards import Streamed
from ganbench.data.stored import Stored
from ganbench.seeds import derive
from ganbench.types import Sample


class Batches:
    """An endless, seekable stream: batch i is the same whatever was drawn before it.

    The stream walks through one seeded permutation of the set after another, so each thing is drawn once before any is
    drawn again. A training gives each turn of the critic the next batch; one that reaches the end of an epoch goes on
    in the next. Things: (n, ...); batches: (size, ...). Bytes are pixels: they stay bytes in memory or on the disk,
    and a batch of them is scaled from 0 .. 255 to [-1, 1]. An order takes eight bytes a thing. A stream has orders of
    its own, by which few of its shards are needed at a time.
    """

    def __init__(
        self,
        things: Float[Tensor, "n ..."] | UInt8[Tensor, "n ..."] | Stored | Streamed,
        labels: Int[Tensor, " n"] | None = None,
        *,
        size: int,
        seed: int,
    ) -> None:
        self.things, self.labels, self.size, self.seed = things, labels, size, seed
        self._order: tuple[int, Tensor] | None = None
        self._last: tuple[int, Sample] | None = None

    def __getitem__(self, index: int) -> Sample:
        # The last batch is kept: the generator's turns ask for the critic's, which from a disk or the web is dear.
        if self._last is None or self._last[0] != index:
            self._last = (index, self._read(index))
        return self._last[1]

    def _read(self, index: int) -> Sample:
        start, parts = index * self.size, []
        end = start + self.size
        while start < end:
            epoch, offset = divmod(start, len(self.things))
            parts.append(self._permutation(epoch)[offset : offset + end - start])
            start += len(parts[-1])
        chosen = parts[0] if len(parts) == 1 else torch.cat(parts)
        x = self.things[chosen]
        if x.dtype == torch.uint8:
            x = x.float().div_(127.5).sub_(1)
        return Sample(x, None if self.labels is None else self.labels[chosen])

    def _permutation(self, epoch: int) -> Tensor:
        if self._order is None or self._order[0] != epoch:
            rng = torch.Generator().manual_seed(derive(self.seed, "order", epoch))
            things = self.things
            order = things.order(rng) if isinstance(things, Streamed) else torch.randperm(len(things), generator=rng)
            self._order = (epoch, order.to(self.things.device))
        return self._order[1]
