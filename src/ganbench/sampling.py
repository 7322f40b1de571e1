"""Looking at networks without moving a training: fakes from a generator, verdicts of a critic."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from ganbench.data.batches import Batches
from ganbench.learners import copy_buffers
from ganbench.objectives import Pair
from ganbench.state import State, batch_norms
from ganbench.types import Latent, Prior, Sample, Turn

CHUNK = 4096
"""How many latents are drawn at once."""

PASS = 512
"""How many things go through a network at once."""


@contextmanager
def looking(network: nn.Module) -> Iterator[None]:
    """Within, the network is in evaluation mode and takes no gradients; after it, as it was."""
    was_training = network.training
    network.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        network.train(was_training)


@contextmanager
def rehearsing(*networks: nn.Module, seed: int) -> Iterator[None]:
    """Within, networks may work as in training, without gradients; after it, all that they moved is as it was.

    Those are buffers and torch's global random streams, from which layers draw; within, these begin at the seed.
    """
    kept = [{name: buffer.clone() for name, buffer in network.named_buffers()} for network in networks]
    devices = {p.device for network in networks for p in network.parameters() if p.is_cuda}
    with torch.random.fork_rng(devices=list(devices)), torch.no_grad():
        torch.manual_seed(seed)
        try:
            yield
        finally:
            for network, buffers in zip(networks, kept, strict=True):
                copy_buffers(network, buffers)


@contextmanager
def among(critic: nn.Module, batches: Iterable[Sample]) -> Iterator[None]:
    """Within, the critic's batch norms have the statistics of those batches when it is evaluated.

    Their running statistics are a mixture of those of real and of generated things, which training never uses.
    """
    norms = batch_norms(critic)
    momenta = [norm.momentum for norm in norms]
    with rehearsing(critic, seed=0):
        try:
            for norm in norms:
                norm.reset_running_stats()
                norm.momentum = None  # the mean over all batches
            for batch in batches if norms else ():
                critic(batch.x, batch.y)
            yield
        finally:
            for norm, momentum in zip(norms, momenta, strict=True):
                norm.momentum = momentum


def latents(
    prior: Prior, count: int, labels: Tensor | None, *, seed: int, device: torch.device | str = "cpu"
) -> Latent:
    """What so many fakes start from, with the labels (count,) that are asked for. The first are the same whatever the
    count.
    """
    rng = torch.Generator(device).manual_seed(seed)
    parts = [prior.draw(None, CHUNK, rng) for _ in range(0, count, CHUNK)]
    code = None if parts[0].code is None else torch.cat([p.code for p in parts if p.code is not None])[:count]
    return Latent(torch.cat([p.z for p in parts])[:count], labels, code)


def generate(generator: nn.Module, latent: Latent) -> Float[Tensor, "count ..."]:
    """The fakes of given latents, on the CPU, in the units that the networks see."""
    with looking(generator):
        return torch.cat([generator(piece).float().cpu() for piece in pieces(latent)])


def pieces(latent: Latent) -> Iterator[Latent]:
    """A latent cut into those of a pass each, so that not all things need to be held in float32 at once."""
    for start in range(0, len(latent.z), PASS):
        yield _part(latent, slice(start, start + PASS))


def _part(latent: Latent, rows: slice | Tensor) -> Latent:
    return Latent(latent.z[rows], _rows(latent.y, rows), _rows(latent.code, rows))


def _rows(t: Tensor | None, rows: slice | Tensor) -> Tensor | None:
    return None if t is None else t[rows]


def draw(
    generator: nn.Module,
    prior: Prior,
    count: int,
    labels: Int[Tensor, " count"] | None = None,
    *,
    seed: int,
    device: torch.device | str = "cpu",
) -> Float[Tensor, "count ..."]:
    """Fakes from their own random stream, on the CPU, in the units that the networks see."""
    return generate(generator, latents(prior, count, labels, seed=seed, device=device))


def score(
    critic: nn.Module,
    x: Float[np.ndarray, "n ..."] | Float[Tensor, "n ..."],
    labels: Int[Tensor, " n"] | None = None,
    *,
    device: torch.device | str = "cpu",
) -> Float[np.ndarray, " n"]:
    """The critic's scores of things in the units that the networks see."""
    things = torch.as_tensor(x)
    with looking(critic):
        parts = [
            critic(things[start : start + PASS].float().to(device), _rows(labels, slice(start, start + PASS))).score
            for start in range(0, len(things), PASS)
        ]
    return torch.cat(parts).float().cpu().numpy()


def judge(state: State, real: Sample, fake: Float[Tensor, "n ..."], latent: Latent, *, size: int) -> Pair:
    """The critic's scores of n real and n generated things, as it gives them on its own turns.

    They go through it as there, so many of each at a time: batch norms then take the statistics of each part, and packs
    hold different things. A last batch that is not full is filled up with the first things.
    """
    count, pairs = len(fake), []
    with rehearsing(state.critic.network, seed=0):
        for start in range(0, count, size):
            rows = torch.arange(start, start + size, device=fake.device) % count
            sample = Sample(real.x[rows], _rows(real.y, rows))
            pairs.append(_scores(state, sample, fake[rows], _part(latent, rows)))
    real_scores, fake_scores = _joined(pairs)
    kept = count * len(fake_scores) // (len(pairs) * size)  # of a critic that judges packs, a score for each
    return Pair(real_scores[:kept], fake_scores[:kept])


def verdicts(state: State, batches: Batches, count: int, *, seed: int) -> Pair:
    """The critic's scores of real and generated things as on its own turns, in as many batches as hold `count`."""
    rng = torch.Generator(state.critic.vector.device).manual_seed(seed)
    pairs = []
    with rehearsing(state.critic.network, state.generator.network, seed=seed):
        for index in range(math.ceil(count / batches.size)):
            real = batches[index]
            latent = state.prior.draw(real.y, len(real.x), rng)
            pairs.append(_scores(state, real, state.generator.network(latent), latent))
    return Pair(*_joined(pairs))


def _scores(state: State, real: Sample, fake: Tensor, latent: Latent) -> Pair:
    turn = Turn(real, fake, latent, state.critic.network, torch.Generator(), joint=state.joint)
    return Pair(turn.scores.real, turn.scores.fake)


def _joined(pairs: list[Pair]) -> tuple[Tensor, Tensor]:
    real, fake = (torch.cat(scores).float().cpu() for scores in zip(*((p.real, p.fake) for p in pairs), strict=True))
    return real, fake
