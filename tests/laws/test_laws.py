"""The laws that every recipe keeps. Adding a recipe to the dict buys it all of them."""

import pytest
import torch

from ganbench.data.batches import Batches
from ganbench.recipes import RECIPES, Recipe, recipe_named
from ganbench.sampling import among, draw, generate, judge, latents, score, verdicts
from ganbench.schedules import Side
from ganbench.settings import from_tree, to_tree
from ganbench.state import State
from ganbench.terms import GradientPenalty
from ganbench.training import Span, play_round, play_turn, train
from ganbench.types import Latent, Medium, Sample, Turn

POINTS = torch.randn(256, 2, generator=torch.Generator().manual_seed(1)) @ torch.tensor([[1.0, 0.5], [0.0, 0.3]])
IMAGES = torch.randint(0, 256, (128, 1, 16, 16), dtype=torch.uint8, generator=torch.Generator().manual_seed(2))
LABELS = torch.arange(len(IMAGES)) % 3
COLOURS = torch.randint(0, 256, (128, 3, 16, 16), dtype=torch.uint8, generator=torch.Generator().manual_seed(2))
THINGS = {"points": (POINTS, None), "images": (IMAGES, LABELS), "colour images": (COLOURS, LABELS)}
SMALL = {"channels": 4, "halvings": 2, "dense": 16, "widths": [16, 16], "code": 5}

LABELS_USED = " with labels "
CASES: list[tuple[str, Medium]] = [(name, medium) for name, makers in RECIPES.items() for medium in makers]
THESIS = ("thesis-gan", "thesis-wgan", "thesis-wgan-gp", "thesis-dcgan", "wdcgan", "wdcgan-opt", "wdcgan-gp")
CASES += [(f"{name}{LABELS_USED}inside", "images") for name in THESIS]
CASES += [(f"{name}{LABELS_USED}concat", "images") for name in ("thesis-wgan", "wdcgan-opt")]
every_recipe = pytest.mark.parametrize(("name", "medium"), CASES)
every_named_recipe = pytest.mark.parametrize(("name", "medium"), [case for case in CASES if case[0] in RECIPES])


def small(name: str, medium: Medium) -> Recipe:
    """The recipe with few things in a batch, narrow networks for images, and no long opening."""
    name, _, use = name.partition(LABELS_USED)
    tree = to_tree(recipe_named(name, medium)) | {"batch_size": 32}
    if use:
        tree["critic"]["labels"] = tree["generator"]["labels"] = use
    tree["turns"] |= {"opening": [], "every": None}
    if medium != "points":
        for player in (tree["critic"], tree["generator"]):
            player["network"] |= {field: size for field, size in SMALL.items() if player["network"].get(field)}
    return from_tree(Recipe, tree)


def begin(name: str, medium: Medium, seed: int = 0) -> tuple[State, Recipe, Batches]:
    recipe = small(name, medium)
    things, labels = THINGS[medium]
    batches = Batches(things, labels, size=recipe.batch_size, seed=seed)
    return State(recipe, batches[0].x.shape[1:], classes=0 if medium == "points" else 3, seed=seed), recipe, batches


def fakes(state: State, recipe: Recipe, batches: Batches) -> tuple[Sample, Latent, torch.Tensor]:
    """A real batch, and as many fakes made of its labels."""
    real = batches[5]
    latent = state.prior.draw(real.y, recipe.batch_size, torch.Generator().manual_seed(3))
    return real, latent, state.generator.network(latent).detach()


def snapshot(state: State) -> dict[str, torch.Tensor]:
    return {name: tensor.clone() for name, tensor in state.tensors().items()}


def same(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[k], b[k]) for k in a)


@every_recipe
def test_each_turn_moves_its_own_player_alone(name: str, medium: Medium) -> None:
    state, recipe, batches = begin(name, medium)
    sides: tuple[Side, Side] = ("critic", "generator")
    for side, other in (sides, sides[::-1]):
        moved, still = getattr(state, side), getattr(state, other)
        before = moved.vector.clone(), still.vector.clone()
        play_turn(side, state, recipe, batches)
        assert not torch.equal(moved.vector, before[0])
        assert torch.equal(still.vector, before[1])


@every_recipe
def test_every_parameter_of_the_moving_player_gets_a_gradient(
    name: str, medium: Medium, monkeypatch: pytest.MonkeyPatch
) -> None:
    state, recipe, batches = begin(name, medium)
    unused: list[str] = []
    grad = torch.autograd.grad

    def watched(outputs, inputs, **settings):  # type: ignore[no-untyped-def]
        if settings.pop("materialize_grads", False):
            found = grad(outputs, inputs, retain_graph=True, allow_unused=True)
            unused.extend(str(i) for i, gradient in enumerate(found) if gradient is None)
            settings["allow_unused"] = True
        return grad(outputs, inputs, **settings)

    monkeypatch.setattr(torch.autograd, "grad", watched)
    play_round(state, recipe, batches)
    # A score's constant does not change its gradient or a difference of scores, but it is in the graph of both.
    assert not unused


@every_recipe
def test_going_on_from_a_copy_is_bit_for_bit_the_same(name: str, medium: Medium) -> None:
    state, recipe, batches = begin(name, medium)
    copy = None
    for report in train(state, recipe, batches, Span(rounds=7)):
        if report.round == 3:
            copy = snapshot(state), state.counters()
    again, _, _ = begin(name, medium, seed=99)
    assert copy is not None
    again.restore(*copy)
    _, _, fresh_batches = begin(name, medium)
    for _ in train(again, recipe, fresh_batches, Span(rounds=7)):
        pass
    assert same(snapshot(state), snapshot(again))


@every_recipe
def test_permuting_a_batch_leaves_the_losses_unchanged(name: str, medium: Medium) -> None:
    state, recipe, batches = begin(name, medium)
    play_round(state, recipe, batches)
    draws = any(
        t.where in ("between", "around_real") for t in recipe.critic.terms.values() if isinstance(t, GradientPenalty)
    )
    if draws:
        pytest.skip("a term draws noise for each thing")
    real, latent, fake = fakes(state, recipe, batches)
    # Packed things are judged with their neighbours, so whole packs are permuted.
    pack = recipe.wrappers["pack"].count if "pack" in recipe.wrappers else 1  # type: ignore[attr-defined]
    order = torch.randperm(len(fake) // pack).repeat_interleave(pack) * pack + torch.arange(len(fake)) % pack
    state.critic.network.eval()
    state.critic.network.train(bool(pack > 1))

    def losses(order: torch.Tensor) -> list[float]:
        picked = Sample(real.x[order], None if real.y is None else real.y[order])
        code = None if latent.code is None else latent.code[order]
        asked = Latent(latent.z[order], picked.y, code)
        turn = Turn(picked, fake[order], asked, state.critic.network, torch.Generator())
        memory = recipe.objective.init()
        values = [recipe.objective.discriminator(turn.scores, memory), recipe.objective.generator(turn.scores, memory)]
        values += [term(turn) for term in (*recipe.critic.terms.values(), *recipe.generator.terms.values())]
        return [float(v.detach()) for v in values]

    assert losses(order) == pytest.approx(losses(torch.arange(len(fake))), rel=1e-4, abs=1e-6)


@every_recipe
def test_looking_does_not_move_the_training(name: str, medium: Medium) -> None:
    looked, unseen = begin(name, medium), begin(name, medium)
    for state, recipe, batches in (looked, unseen):
        play_round(state, recipe, batches)
        if state is looked[0]:
            global_state = torch.random.get_rng_state()
            draw(state.sampler, state.prior, 32, batches[0].y, seed=5)
            score(state.critic.network, batches[0].x, batches[0].y)
            verdicts(state, batches, 48, seed=6)
            latent = latents(state.prior, 32, batches[0].y, seed=7)
            judge(state, batches[0], generate(state.sampler, latent), latent, size=24)
            with among(state.critic.network, [batches[1], batches[2]]):
                score(state.critic.network, batches[0].x, batches[0].y)
            assert torch.equal(torch.random.get_rng_state(), global_state)
        play_round(state, recipe, batches)
    assert same(snapshot(looked[0]), snapshot(unseen[0]))


@every_recipe
def test_the_seed_decides_the_run(name: str, medium: Medium) -> None:
    runs = [begin(name, medium, seed) for seed in (4, 4, 5)]
    for state, recipe, batches in runs:
        play_round(state, recipe, batches)
    a, b, c = (snapshot(state) for state, _, _ in runs)
    assert same(a, b)
    assert not torch.equal(a["generator.vector"], c["generator.vector"])


@every_recipe
def test_one_joint_pass_judges_as_two_passes_do(name: str, medium: Medium) -> None:
    state, recipe, batches = begin(name, medium)
    # Spectral norms move with every pass, augmentation draws anew; batch norms pass as they stand, and so do packs.
    if "spectral-norm" in recipe.critic.constraints or "augment" in recipe.wrappers:
        state.critic.network.eval()
    real, latent, fake = fakes(state, recipe, batches)
    turns = [Turn(real, fake, latent, state.critic.network, torch.Generator(), joint=joint) for joint in (True, False)]
    for read in (
        lambda turn: turn.on_real.score,
        lambda turn: turn.on_fake.score,
        lambda turn: turn.gradient_at_real,
        lambda turn: turn.gradient_at_fake,
    ):
        torch.testing.assert_close(read(turns[0]), read(turns[1]), rtol=1e-4, atol=1e-6)


@every_recipe
def test_hidden_layers_in_bf16_go_on_bit_for_bit_too(name: str, medium: Medium) -> None:
    """Their layers compute with copies of their weights, which follow the weights."""
    states = [begin(name, medium)[0] for _ in range(2)]
    for state in states:
        state.set_precision(lambda width: torch.bfloat16)
    _, recipe, batches = begin(name, medium)
    for _ in train(states[0], recipe, batches, Span(rounds=2)):
        pass
    states[1].restore(snapshot(states[0]), states[0].counters())
    for state in states:
        for _ in train(state, recipe, batches, Span(rounds=4)):
            pass
    assert same(*(snapshot(state) for state in states))
    assert all(tensor.isfinite().all() for tensor in states[0].tensors().values() if tensor.is_floating_point())


@every_named_recipe
def test_a_recipe_is_read_back_as_it_was_written(name: str, medium: Medium) -> None:
    recipe = recipe_named(name, medium)
    assert from_tree(Recipe, to_tree(recipe, for_file=True)) == recipe


@pytest.mark.parametrize("name", [name for name in RECIPES if name.startswith("text-")])
def test_the_texts_recipes_see_mnist_ten_times(name: str) -> None:
    """60,000 images in batches of 64, by the critic's turns: ten epochs are 9,380 of them."""
    recipe = recipe_named(name, "images")
    assert recipe.batch_size == 64
    assert sum(recipe.turns.of_round(round).count("critic") for round in range(recipe.rounds)) == 9380


@every_named_recipe
def test_a_recipe_names_its_paper(name: str, medium: Medium) -> None:
    assert "arXiv:" in (RECIPES[name][medium].__doc__ or "")
