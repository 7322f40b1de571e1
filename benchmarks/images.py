"""Images a second on the MNIST text's networks, batches of 64, against a plain loop: on a GPU, or with two threads.

    python benchmarks/images.py [FOLDER OF MNIST'S IDX FILES]

The plain loop is written as such scripts usually are: eager fp32, a DataLoader that transforms image by image in
Python, Adam that is not fused, `.item()` at each step, gradients of the critic's weights also on the generator's
turn. Each loop has a process of its own, in which only rounds after the first few are timed; the two take turns, and
the ratio is the median. Beside our loops stands their share of the rate at which the machine multiplies large matrices
of the type that the hidden layers are computed in; on a GPU also how long the same rounds take when each operation is
asked for by itself. Without a folder the images are the built-in digits.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from ganbench.api import prepare
from ganbench.data import load
from ganbench.machine import hidden_dtype, resolve_device
from ganbench.training import play_round

THREADS, BATCH, NOISE = 2, 64, 62
DEVICE = resolve_device("auto")
ON_GPU = DEVICE.type == "cuda"
REPEATS, WARM, ROUNDS = (3, 20, 400) if ON_GPU else (3, 5, 40)
WAYS = ("plain", "fp32", "auto") + ("asked",) * ON_GPU


class Pictures(Dataset):
    """Images one by one, as a data set with Python transforms gives them."""

    def __init__(self, pixels: np.ndarray) -> None:
        self.pictures = [Image.fromarray(image) for image in pixels]

    def __len__(self) -> int:
        return len(self.pictures)

    def __getitem__(self, index: int) -> Tensor:
        return torch.from_numpy(np.array(self.pictures[index]))[None].float().div(255).sub(0.5).div(0.5)


def plain_rounds(pixels: np.ndarray) -> Iterator[dict[str, float]]:
    """A training as it is usually written, a round at a time."""
    generator = nn.Sequential(
        nn.Linear(NOISE, 1024), nn.BatchNorm1d(1024), nn.ReLU(),
        nn.Linear(1024, 6272), nn.BatchNorm1d(6272), nn.ReLU(), nn.Unflatten(1, (128, 7, 7)),
        nn.ConvTranspose2d(128, 64, 4, 2, 1), nn.BatchNorm2d(64), nn.ReLU(),
        nn.ConvTranspose2d(64, 1, 4, 2, 1), nn.Tanh(),
    ).to(DEVICE)  # fmt: skip
    critic = nn.Sequential(
        nn.Conv2d(1, 64, 4, 2, 1), nn.LeakyReLU(0.2),
        nn.Conv2d(64, 128, 4, 2, 1), nn.BatchNorm2d(128), nn.LeakyReLU(0.2), nn.Flatten(),
        nn.Linear(6272, 1024), nn.BatchNorm1d(1024), nn.LeakyReLU(0.2), nn.Linear(1024, 1),
    ).to(DEVICE)  # fmt: skip
    critic_optimizer, generator_optimizer = (
        torch.optim.Adam(network.parameters(), lr=2e-4, betas=(0.5, 0.999)) for network in (critic, generator)
    )
    loader: DataLoader[Any] = DataLoader(Pictures(pixels), batch_size=BATCH, shuffle=True, drop_last=True)
    bce, one, zero = nn.BCEWithLogitsLoss(), torch.ones(BATCH, 1, device=DEVICE), torch.zeros(BATCH, 1, device=DEVICE)
    while True:
        for real in loader:
            real = real.to(DEVICE)
            fake = generator(torch.rand(BATCH, NOISE, device=DEVICE))
            critic_optimizer.zero_grad()
            critic_loss = bce(critic(real), one) + bce(critic(fake.detach()), zero)
            critic_loss.backward()
            critic_optimizer.step()
            generator_optimizer.zero_grad()
            generator_loss = bce(critic(generator(torch.rand(BATCH, NOISE, device=DEVICE))), one)
            generator_loss.backward()
            generator_optimizer.step()
            yield {"critic": critic_loss.item(), "generator": generator_loss.item()}


def milliseconds(way: str, source: str) -> float:
    """How long a round takes, in this process."""
    torch.set_num_threads(THREADS)
    data = load(source)
    if way == "plain":
        rounds: Iterator[object] = plain_rounds(data.pixels)  # type: ignore[union-attr]
    elif way == "asked":
        bench = prepare("text-gan", data)
        rounds = (play_round(bench.state, bench.recipe, bench.batches) for _ in iter(int, 1))
    else:
        rounds = prepare("text-gan", data, threads=THREADS, precision=way).play()
    for _ in range(WARM):
        next(rounds)
    synchronise()
    start = time.perf_counter()
    for _ in range(ROUNDS):
        next(rounds)
    synchronise()
    return 1e3 * (time.perf_counter() - start) / ROUNDS


def synchronise() -> None:
    if ON_GPU:
        torch.cuda.synchronize()


def matrix_rate(dtype: torch.dtype) -> float:
    """FLOP/s of large matrix products, at best."""
    torch.set_num_threads(THREADS)
    side = 8192 if ON_GPU else 1024
    a, b = (torch.randn(side, side, dtype=dtype, device=DEVICE) for _ in range(2))
    times = []
    for _ in range(50):
        start = time.perf_counter()
        a @ b
        synchronise()
        times.append(time.perf_counter() - start)
    return 2 * side**3 / min(times)


def operations(source: str) -> int:
    """FLOP of a round, as torch counts those of products and convolutions."""
    rounds = prepare("text-gan", load(source), precision="fp32", device="cpu").play()
    next(rounds)
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU], with_flops=True) as profile:
        next(rounds)
    return sum(event.flops or 0 for event in profile.key_averages())


def main(source: str) -> None:
    taken: dict[str, list[float]] = {way: [] for way in WAYS}
    for _ in range(REPEATS):
        for way in WAYS:
            done = subprocess.run([sys.executable, __file__, source, way], check=True, capture_output=True, text=True)
            taken[way].append(float(done.stdout))
    plain, work = statistics.median(taken["plain"]), operations(source)
    rates = {way: matrix_rate(hidden_dtype(way, DEVICE, 1024)) for way in ("fp32", "auto")}
    for way, times in taken.items():
        typical = statistics.median(times)
        ratios = [a / b for a, b in zip(taken["plain"], times, strict=True)]
        print(
            f"{way:<6}{typical:7.1f} ms a round ({min(times):.1f} to {max(times):.1f}), {1e3 * BATCH / typical:6.0f} "
            f"images/s, {plain / typical:.2f} times the plain loop ({min(ratios):.2f} to {max(ratios):.2f})"
        )
        if way in rates:
            reached = 1e3 * work / typical
            print(f"{'':6} {reached / 1e9:.0f} of {rates[way] / 1e9:.0f} GFLOP/s, {reached / rates[way]:.0%}")


if __name__ == "__main__":
    folder = sys.argv[1] if len(sys.argv) > 1 else "digits"
    if len(sys.argv) > 2:
        print(milliseconds(sys.argv[2], folder))
    else:
        main(folder)
