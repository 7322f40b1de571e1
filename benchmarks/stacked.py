"""Runs an hour where several runs of one shape train as one stack of models, against one run after the other.

    python benchmarks/stacked.py

The stack has a further axis for the run: every layer is one batched product, both players' weights of all runs are one
vector each, and one step of the optimiser moves them all. It has nothing else (no logs, no terms, no reports), so that
what it gains is an upper bound. Both play `gan` in fp32, on a GPU as recordings, in short stretches that take turns;
the ratio is the median.
"""

from __future__ import annotations

import itertools
import math
import statistics
import time
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from ganbench.configuration import configure
from ganbench.data import load_points
from ganbench.learners import flatten, slots
from ganbench.machine import resolve_device, settle
from ganbench.workbench import Workbench

NOISE, ROUNDS, STRETCHES = 5, 20, 9
SHAPES = ((256, 500), (64, 256), (32, 64))
"""Width of the two hidden layers, and batch: the 2020 lab's, and smaller ones, in which calls weigh more."""

Layers = list[tuple[Tensor, Tensor]]


def layers(runs: int, sizes: tuple[int, ...], device: torch.device) -> Layers:
    """Weights (runs, in, out) and biases (runs, 1, out) as torch starts a linear layer."""
    found = []
    for a, b in itertools.pairwise(sizes):
        bound = 1 / math.sqrt(a)
        uniform = [torch.empty(runs, rows, b, device=device).uniform_(-bound, bound) for rows in (a, 1)]
        found.append((torch.nn.Parameter(uniform[0]), torch.nn.Parameter(uniform[1])))
    return found


def through(stack: Layers, x: Tensor, slope: float) -> Tensor:
    for weight, bias in stack[:-1]:
        x = F.leaky_relu(torch.baddbmm(bias, x, weight), slope)
    weight, bias = stack[-1]
    return torch.baddbmm(bias, x, weight)


def stacked_rounds(runs: int, width: int, batch: int, device: torch.device) -> Callable[[], None]:
    """The round of a stack of runs."""
    points = load_points("letter-m")
    data = torch.tensor(points.standardiser.forward(points.points), dtype=torch.float32, device=device)
    critic = layers(runs, (2, width, width, 1), device)
    generator = layers(runs, (NOISE, width, width, 2), device)
    weights = {"critic": [p for pair in critic for p in pair], "generator": [p for pair in generator for p in pair]}
    vectors = {name: flatten(list(each)) for name, each in weights.items()}
    gradient_slots = {}
    for name, vector in vectors.items():
        vector.grad = torch.zeros_like(vector)
        gradient_slots[name] = slots(vector.grad, weights[name])
    optimizers = {
        name: torch.optim.Adam([v], lr=2e-4, betas=(0.5, 0.999), fused=True, capturable=v.is_cuda)
        for name, v in vectors.items()
    }

    def step(name: str, losses: Tensor) -> None:
        gradients = torch.autograd.grad(losses.sum(), weights[name])
        torch._foreach_copy_(gradient_slots[name], gradients)
        optimizers[name].step()

    def play() -> None:
        real = data[torch.randint(len(data), (runs, batch), device=device)]
        with torch.no_grad():
            fake = through(generator, torch.randn(runs, batch, NOISE, device=device), 0.0)
        scores = through(critic, torch.cat((real, fake), dim=1), 0.2)
        score_real, score_fake = scores.split(batch, dim=1)
        step("critic", (F.softplus(-score_real) + F.softplus(score_fake)).mean((1, 2)))
        fake = through(generator, torch.randn(runs, batch, NOISE, device=device), 0.0)
        step("generator", F.softplus(-through(critic, fake, 0.2)).mean((1, 2)))

    return recorded(play) if device.type == "cuda" else play


def recorded(play: Callable[[], None]) -> Callable[[], None]:
    """The round as one call, once libraries and optimisers have settled."""
    for _ in range(3):
        play()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        play()

    def replay() -> None:
        graph.replay()
        torch.cuda.synchronize()  # as each round of a run does

    return replay


def single_round(width: int, batch: int, device: torch.device) -> Callable[[], None]:
    """The round of one of our runs."""
    changes = [("batch_size", batch), ("precision", "fp32"), ("prior.dimension", NOISE), ("device", device.type)]
    changes += [(f"{side}.network.widths", [width, width]) for side in ("critic", "generator")]
    changes += [("rounds", 1_000_000)]
    rounds = Workbench(configure("gan", "letter-m", changes=changes), load_points("letter-m")).play()

    def play() -> None:
        next(rounds)

    return play


def seconds_a_round(play: Callable[[], None], device: torch.device) -> float:
    start = time.perf_counter()
    for _ in range(ROUNDS):
        play()
    if device.type == "cuda":
        torch.cuda.synchronize()
    return (time.perf_counter() - start) / ROUNDS


def main() -> None:
    settle(1)
    device = resolve_device("auto")
    print(f"on the {device.type}: width, batch, runs in the stack, times the runs an hour of one after the other")
    for width, batch in SHAPES:
        one = single_round(width, batch, device)
        for runs in (4, 16) if device.type == "cpu" else (4, 16, 64):
            stack = stacked_rounds(runs, width, batch, device)
            seconds_a_round(one, device), seconds_a_round(stack, device)
            pairs = [(seconds_a_round(one, device), seconds_a_round(stack, device)) for _ in range(STRETCHES)]
            ratios = sorted(runs * single / all_ for single, all_ in pairs)
            middle, least, greatest = statistics.median(ratios), ratios[0], ratios[-1]
            print(f"{width:>5}{batch:>6}{runs:>5}{middle:>8.2f}  ({least:.2f} to {greatest:.2f})")


if __name__ == "__main__":
    main()
