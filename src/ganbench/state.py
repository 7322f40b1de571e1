"""Everything that a training changes: two learners, the generator's average, and what is carried from turn to turn."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.dropout import _DropoutNd

from ganbench import sharing
from ganbench.constraints import SpectralNorm
from ganbench.learners import Learner, RunningAverage, compact, copy_buffers, spread
from ganbench.networks import InParts, set_precision
from ganbench.recipes.base import Recipe
from ganbench.seeds import derive
from ganbench.terms import ClassLoss
from ganbench.types import Head, Memory, Prior, Sizes, UsageError

UNSHARED = (_BatchNorm, _DropoutNd)
"""Layers that look at a batch as a whole, or draw noise for it."""

COUNTERS = ("round", "seconds", "critic_turns", "generator_turns", "turned")


class State:
    """Everything that a training changes. `train` moves it on; checkpoints hold all of it."""

    def __init__(
        self,
        recipe: Recipe,
        shape: tuple[int, ...],
        *,
        seed: int,
        classes: int = 0,
        device: torch.device | str = "cpu",
        pieces: int = 1,
    ) -> None:
        """A fresh state for things of the given shape and number of classes. The global random state is left as it was.

        Passes through the networks are made in so many `pieces`.

        Raises:
            UsageError: the recipe's networks do not fit such things, it needs labels and there are none, or its
                batches cannot be shared out.
        """
        device = torch.device(device)
        self.prior = recipe.prior.for_shape(shape)
        critic_sizes, generator_sizes = sizes(recipe, self.prior, shape, classes)
        with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
            torch.manual_seed(derive(seed, "networks"))
            critic = recipe.critic.network.critic(critic_sizes)
            for wrapper in reversed(list(recipe.wrappers.values())):
                critic = wrapper.wrap(critic)
            generator = recipe.generator.network.generator(generator_sizes)
            pack = critic_sizes.shape[0] // shape[0]
            self.critic = Learner(critic.to(device), recipe.critic, pack, pieces)
            self.generator = Learner(generator.to(device), recipe.generator, 1, pieces)
        norms = batch_norms(self.critic.network)
        ours = [norm for norm in norms if isinstance(norm, InParts)]
        self.joint = len(ours) == len(norms)
        for norm in ours:
            norm.most = recipe.batch_size // pack
        self.average = None if recipe.average is None else RunningAverage(self.generator, recipe.average)
        self._check_batch(recipe, pack, pieces)
        self.memory: Memory = {name: value.to(device) for name, value in recipe.objective.init().items()}
        then = recipe.turns.then
        self.pace: Memory = {} if then is None else {name: value.to(device) for name, value in then.init().items()}
        self.streams = {name: torch.Generator(device).manual_seed(derive(seed, name)) for name in ("latent", "terms")}
        self.layer_noise = torch.Generator(device).manual_seed(derive(seed, "layers")).get_state()
        self.round = 0
        self.seconds = 0.0
        self.critic_turns = 0
        self.generator_turns = 0
        self.turned = 0
        """The rounds after which the training turned to what comes `then`; 0 while it has not."""
        self.renewed = 0
        """How often tensors that moves write into were replaced by others."""

    def _check_batch(self, recipe: Recipe, pack: int, pieces: int) -> None:
        """Raises UsageError where the recipe's batches cannot be packed, normed or shared out."""
        size = recipe.batch_size
        if size % pack:
            raise UsageError(f"batch_size must be a multiple of the pack's {pack}, not {size}")
        count = sharing.processes()
        if size % (pack * count * pieces):
            parts = [f"{count} processes"] * (count > 1) + [f"{pieces} pieces"] * (pieces > 1)
            packs = f" packs of {pack}" if pack > 1 else ""
            raise UsageError(f"batch_size: {size} cannot be shared out evenly among {' and '.join(parts)}{packs}")
        norms = batch_norms(self.critic.network) + batch_norms(self.generator.network)
        if size == 1 and norms:
            raise UsageError("batch_size: 1 is too few for networks with batch norm, which need 2 or more")
        if pieces > 1 and norms:
            raise UsageError("pieces: networks with batch norm need the statistics of the whole batch at once")
        constraints = [*recipe.critic.constraints.values(), *recipe.generator.constraints.values()]
        if pieces > 1 and any(isinstance(each, SpectralNorm) for each in constraints):
            raise UsageError("pieces: spectral normalisation takes a step at each pass, and must see a batch at once")
        parts_of_networks = (part for network in self.networks for part in network.modules())
        if count > 1 and not all(isinstance(part, InParts) for part in parts_of_networks if isinstance(part, UNSHARED)):
            raise UsageError(
                "several processes cannot share a module of one's own with torch's batch norm or dropout, whose "
                "statistics and draws would be each process's own; ganbench.networks.layers has batch norms that can"
            )

    def set_precision(self, by_width: Callable[[int], torch.dtype]) -> None:
        """Has all networks compute their hidden layers in the type that suits the layers' width."""
        self.renewed += 1
        for network in self.networks:
            set_precision(network, by_width)
        self.critic.keep_copies()
        self.generator.keep_copies()

    @property
    def networks(self) -> list[nn.Module]:
        """All networks: the critic, the generator, and the generator's running average where there is one."""
        average = [self.average.network] if self.average else []
        return [self.critic.network, self.generator.network, *average]

    @property
    def sampler(self) -> nn.Module:
        """The generator to sample from: the running average where the recipe keeps one."""
        return self.average.network if self.average else self.generator.network

    @contextmanager
    def own_layer_noise(self) -> Iterator[None]:
        """Within, layers that draw from the device's global stream, such as dropout, draw from this training's own."""
        stream = global_stream(self.critic.vector.device)
        outside = stream.get_state()
        stream.set_state(self.layer_noise)
        try:
            yield
        finally:
            self.layer_noise = stream.get_state()
            stream.set_state(outside)

    @torch.no_grad()
    def tensors(self) -> dict[str, Tensor]:
        """All tensors by name; `restore` puts them back."""
        tensors = {f"memory.{k}": v for k, v in self.memory.items()}
        tensors |= {f"pace.{k}": v for k, v in self.pace.items()}
        tensors |= {f"stream.{k}": rng.get_state() for k, rng in self.streams.items()}
        tensors["stream.layers"] = self.layer_noise
        for name in ("critic", "generator"):
            learner: Learner = getattr(self, name)
            tensors[f"{name}.vector"] = compact(learner.vector, learner.parameters)
            tensors |= {f"{name}.buffer.{k}": v for k, v in learner.network.named_buffers()}
            tensors |= {f"{name}.optimizer.{k}": v for k, v in learner.moments().items()}
        if self.average:
            tensors["average.vector"] = compact(self.average.vector, self.average.parameters)
            tensors |= {f"average.buffer.{k}": v for k, v in self.average.network.named_buffers()}
        return tensors

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Of what `tensors` gives, those of the networks' parameters and buffers."""
        learners: dict[str, Learner | RunningAverage] = {"critic": self.critic, "generator": self.generator}
        if self.average:
            learners["average"] = self.average
        found: dict[str, tuple[int, ...]] = {}
        for name, learner in learners.items():
            found[f"{name}.vector"] = (sum(p.numel() for p in learner.parameters),)
            found |= {f"{name}.buffer.{key}": tuple(value.shape) for key, value in learner.network.named_buffers()}
        return found

    def counters(self) -> dict[str, Any]:
        """All that is not a tensor."""
        return {name: getattr(self, name) for name in COUNTERS}

    @torch.no_grad()
    def restore(self, tensors: Mapping[str, Tensor], counters: Mapping[str, Any]) -> None:
        """Puts back what `tensors` and `counters` gave."""
        for name in COUNTERS:
            setattr(self, name, counters[name])
        device = self.critic.vector.device
        self.renewed += 1
        self.memory = {k: v.clone().to(device) for k, v in _below(tensors, "memory.").items()}
        self.pace = {k: v.to(device) for k, v in _below(tensors, "pace.").items()}
        streams = {name: stream.cpu() for name, stream in _below(tensors, "stream.").items()}
        # Those of a GPU fit no CPU, where the run can be looked at alone.
        if len(streams["layers"]) == len(self.layer_noise):
            self.layer_noise = streams["layers"]
            for name, rng in self.streams.items():
                rng.set_state(streams[name])
        for name in ("critic", "generator"):
            learner: Learner = getattr(self, name)
            spread(tensors[f"{name}.vector"], learner.parameters, learner.vector)
            learner.refresh()
            copy_buffers(learner.network, _below(tensors, f"{name}.buffer."))
            learner.recall(_below(tensors, f"{name}.optimizer."))
        if self.average:
            spread(tensors["average.vector"], self.average.parameters, self.average.vector)
            copy_buffers(self.average.network, _below(tensors, "average.buffer."))


def global_stream(device: torch.device) -> torch.Generator:
    """What draws random numbers on a device where no stream is named."""
    if device.type == "cpu":
        return torch.default_generator
    return torch.cuda.default_generators[torch.cuda.current_device() if device.index is None else device.index]


def batch_norms(network: nn.Module) -> list[_BatchNorm]:
    return [module for module in network.modules() if isinstance(module, _BatchNorm)]


def sizes(recipe: Recipe, prior: Prior, shape: tuple[int, ...], classes: int) -> tuple[Sizes, Sizes]:
    """What the critic and the generator have to deal with.

    Raises:
        UsageError: the recipe needs labels, and there are none; or what it does with them makes no sense together.
    """
    terms = (*recipe.critic.terms.values(), *recipe.generator.terms.values())
    heads: frozenset[Head] = frozenset(head for term in terms for head in getattr(term, "heads", ()))
    used = (recipe.critic.labels, recipe.generator.labels)
    if recipe.clusters and "class" not in heads and used == ("none", "none"):
        raise UsageError("clusters: neither player uses labels; --set labels=... says how, or a recipe such as best")
    if classes == 0 and recipe.unlabelled == "allowed":
        used = ("none", "none")
    if classes == 0 and ("class" in heads or used != ("none", "none")):
        raise UsageError(
            "this recipe needs labels, which the data lack: a folder of images has them as subfolders, one of prepared "
            "faces by `data prepare faces --attribute`"
        )
    if "class" in heads and used[0] in ("concat", "embedding", "inside"):
        raise UsageError(
            f"critic.labels: {used[0]} tells the critic the class that its class loss has it read; "
            "use none or projection"
        )
    if used[1] == "none" and any(isinstance(term, ClassLoss) and "fake" in term.on for term in terms):
        raise UsageError(
            "generator.labels: a class loss on fakes needs a generator that is told the label: concat, embedding or "
            "inside, not none"
        )
    if "code" in heads and not prior.code_width:
        raise UsageError("prior: a code loss needs a prior that draws codes: --set prior=coded")
    seen = shape
    for wrapper in recipe.wrappers.values():
        seen = wrapper.seen(seen)
    if seen != shape and (heads or used[0] != "none"):
        raise UsageError("wrappers: a critic that judges several things at once takes no labels and has no heads")
    return (
        Sizes(seen, classes=classes, code=prior.code_width, labels=used[0], heads=heads),
        Sizes(shape, prior.dimension, classes, prior.code_width, used[1]),
    )


def _below(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
