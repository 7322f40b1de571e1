"""Rounds a second against a plain loop, at the sizes of the 2020 lab, on one core and in one process.

    python benchmarks/rounds.py

The plain loop is written as such scripts usually are: eager fp32, a DataLoader over a TensorDataset, an optimiser that
is not fused, and losses read with `.item()` at each step. Both play the same game with the same networks and turns, one
after the other in short stretches, and the ratio is the median over stretches.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from ganbench.configuration import configure
from ganbench.data import load_points
from ganbench.machine import hidden_dtype
from ganbench.training import play_round
from ganbench.workbench import Workbench

HIDDEN, BATCH, NOISE = 256, 500, 5
STRETCHES, ROUNDS = 15, 20
CRITIC_TURNS = {"gan": 1, "wgan": 5, "wgan-gp": 5}


def plain_rounds(name: str, points: Tensor) -> Iterator[dict[str, float]]:
    """A training as it is usually written, a round at a time."""
    generator = nn.Sequential(
        nn.Linear(NOISE, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, 2)
    )
    critic = nn.Sequential(
        nn.Linear(2, HIDDEN), nn.LeakyReLU(0.2), nn.Linear(HIDDEN, HIDDEN), nn.LeakyReLU(0.2), nn.Linear(HIDDEN, 1)
    )
    if name == "wgan":
        optimizers = [torch.optim.RMSprop(net.parameters(), lr=5e-5) for net in (critic, generator)]
    else:
        optimizers = [torch.optim.Adam(net.parameters(), lr=2e-4, betas=(0.5, 0.999)) for net in (critic, generator)]
    critic_optimizer, generator_optimizer = optimizers
    loader = DataLoader(TensorDataset(points), batch_size=BATCH, shuffle=True, drop_last=True)
    batches = endless(loader)
    bce = nn.BCEWithLogitsLoss()
    while True:
        losses = {}
        for _ in range(CRITIC_TURNS[name]):
            (real,) = next(batches)
            fake = generator(torch.randn(len(real), NOISE)).detach()
            score_real, score_fake = critic(real), critic(fake)
            if name == "gan":
                loss = bce(score_real, torch.ones_like(score_real)) + bce(score_fake, torch.zeros_like(score_fake))
            else:
                loss = score_fake.mean() - score_real.mean()
            if name == "wgan-gp":
                share = torch.rand(len(real), 1)
                between = (share * real + (1 - share) * fake).requires_grad_()
                (gradient,) = torch.autograd.grad(critic(between).sum(), between, create_graph=True)
                loss = loss + 0.1 * ((gradient.norm(dim=1) - 1) ** 2).mean()
            critic_optimizer.zero_grad()
            loss.backward()
            critic_optimizer.step()
            if name == "wgan":
                for p in critic.parameters():
                    p.data.clamp_(-0.01, 0.01)
            losses["critic"] = loss.item()
        score = critic(generator(torch.randn(BATCH, NOISE)))
        loss = F.softplus(-score).mean() if name == "gan" else -score.mean()
        generator_optimizer.zero_grad()
        loss.backward()
        generator_optimizer.step()
        losses["generator"] = loss.item()
        yield losses


def endless(loader: DataLoader) -> Iterator[list[Tensor]]:
    while True:
        yield from loader


def our_bench(name: str, precision: str) -> Workbench:
    changes = [
        ("batch_size", BATCH),
        ("precision", precision),
        ("turns", {"critic": CRITIC_TURNS[name]}),
        *((f"{side}.network.widths", [HIDDEN, HIDDEN]) for side in ("critic", "generator")),
    ]
    return Workbench(configure(name, "letter-m", changes=changes), load_points("letter-m"))


def seconds_a_round(play: Callable[[], object]) -> float:
    start = time.perf_counter()
    for _ in range(ROUNDS):
        play()
    return (time.perf_counter() - start) / ROUNDS


def matrix_rate(dtype: torch.dtype) -> float:
    """FLOP/s of the products that the hidden layers consist of, at best."""
    a, b = torch.randn(BATCH, HIDDEN, dtype=dtype), torch.randn(HIDDEN, HIDDEN, dtype=dtype)
    times = []
    for _ in range(50):
        start = time.perf_counter()
        for _ in range(20):
            a @ b
        times.append((time.perf_counter() - start) / 20)
    return 2 * BATCH * HIDDEN * HIDDEN / min(times)


def main() -> None:
    torch.set_num_threads(1)
    points = torch.tensor(load_points("letter-m").points, dtype=torch.float32)
    auto = hidden_dtype("auto", torch.device("cpu"), HIDDEN)
    rates = {dtype: matrix_rate(dtype) for dtype in {torch.float32, auto}}
    for dtype, rate in rates.items():
        print(f"matrix products of {BATCH} x {HIDDEN} by {HIDDEN} x {HIDDEN} in {dtype}: {rate / 1e9:.0f} GFLOP/s")
    print(f"{'recipe':<9}{'precision':<10}{'plain/s':>9}{'ours/s':>9}{'ratio':>7}  (least to greatest)   of the rate")
    for name in CRITIC_TURNS:
        for precision in dict.fromkeys(("fp32", "auto")):
            row(name, precision, points, rates[auto if precision == "auto" else torch.float32])


def row(name: str, precision: str, points: Tensor, rate: float) -> None:
    plain, bench = plain_rounds(name, points), our_bench(name, precision)

    def play() -> None:
        play_round(bench.state, bench.recipe, bench.batches)

    for _ in range(2):
        seconds_a_round(lambda: next(plain)), seconds_a_round(play)
    pairs = [(seconds_a_round(lambda: next(plain)), seconds_a_round(play)) for _ in range(STRETCHES)]
    ratios = sorted(theirs / ours for theirs, ours in pairs)
    theirs, ours = (statistics.median(side) for side in zip(*pairs, strict=True))
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU], with_flops=True) as profile:
        play()
    share = sum(event.flops or 0 for event in profile.key_averages()) / ours / rate
    print(
        f"{name:<9}{precision:<10}{1 / theirs:>9.0f}{1 / ours:>9.0f}{statistics.median(ratios):>7.2f}"
        f"  ({ratios[0]:.2f} to {ratios[-1]:.2f})  {share:>17.0%}"
    )


if __name__ == "__main__":
    main()
