"""Games with a proof of convergence, and the project's own choice."""

from __future__ import annotations

from dataclasses import replace

from ganbench.averages import Decay, Window
from ganbench.networks import DCGAN, MLP, Augment, Fourier, Network, Residual, Style
from ganbench.objectives import NonSaturating, Relativistic
from ganbench.optimizers import Adam
from ganbench.priors import Noise
from ganbench.recipes.base import BATCH, NOISE, Player, Recipe
from ganbench.schedules import Cosine, Exponential
from ganbench.terms import GradientPenalty
from ganbench.types import LabelUse, Medium

_NETWORKS: dict[Medium, Network] = {"points": MLP(activation="leaky-relu"), "images": Residual()}


def r3gan(medium: Medium = "points") -> Recipe:
    """The relativistic game with R1 and R2 on every critic turn.

    Huang et al. 2024, arXiv:2501.05441: squared gradient norms at data and at fakes with gamma falling from 1 to 0.1
    (weights of half that), Adam with beta1 0, a running average of the generator, no normalisation.
    """
    return _r3gan(medium, "none", "none")


def r3gan_conditional(medium: Medium = "images") -> Recipe:
    """As `r3gan`, with labels: a learnt vector beside the generator's noise, and one on which the features are
    projected.

    Huang et al. 2024, arXiv:2501.05441, appendix on class-conditional training.
    """
    return _r3gan(medium, "projection", "embedding")


def _r3gan(medium: Medium, critic_labels: LabelUse, generator_labels: LabelUse) -> Recipe:
    anneal = Cosine(final=0.1)
    adam = Adam(lr=2e-4, betas=(0.0, 0.99))
    terms = {
        "r1": GradientPenalty("real", target=0, weight=0.5, anneal=anneal),
        "r2": GradientPenalty("fake", target=0, weight=0.5, anneal=anneal),
    }
    return Recipe(
        objective=Relativistic(),
        critic=Player(network=_NETWORKS[medium], labels=critic_labels, optimizer=adam, terms=terms),
        generator=Player(network=_NETWORKS[medium], labels=generator_labels, optimizer=adam),
        prior=NOISE[medium],
        batch_size=BATCH[medium],
        average=Decay(0.999),
        rounds={"points": 4000, "images": 9380}[medium],
    )


def best_for_points(medium: Medium = "points") -> Recipe:
    """The project's own choice for points: R3GAN's game, made to resolve fine detail in half a minute on one core.

    The relativistic game with R1 and R2 (arXiv:2501.05441), and five things found by experiment on the letter, the grid
    and the ring, with other seeds than those reported:

    - Fourier features (arXiv:2006.10739) before both networks. Without them the critic cannot see modes whose width is
      a hundredth of the data's, nor the generator make them.
    - A deep, narrow generator (6 layers of 96) and a small critic (3 of 64): many rounds a second count for more than
      width. Weights start as He et al. have them, the first biases spread over the data.
    - The penalties' gamma falls from 0.5 to 0.01 over the first half: first the whole shape, then the detail.
    - The learning rates stay high (0.002) for two fifths of the training, then fall, the generator's to a hundredth,
      the critic's to a fifth: the critic stays quick enough to follow a generator that settles.
    - The generator is averaged over the last twentieth of its turns, whatever the length of the training.
    """
    gamma = Exponential(final=0.02, end=0.5)
    adam = Adam(lr=2e-3, betas=(0.5, 0.99))
    return Recipe(
        objective=Relativistic(),
        critic=Player(
            network=MLP((64,) * 3, "leaky-relu", features=Fourier(scales=(1.0, 4.0), count=16), init="he"),
            optimizer=adam,
            rate=Exponential(final=0.2, start=0.4),
            terms={
                "r1": GradientPenalty("real", target=0, weight=0.25, anneal=gamma),
                "r2": GradientPenalty("fake", target=0, weight=0.25, anneal=gamma),
            },
        ),
        generator=Player(
            network=MLP((96,) * 6, "relu", features=Fourier(scales=(1.0, 2.0), count=32), init="he"),
            optimizer=adam,
            rate=Exponential(final=0.01, start=0.4),
        ),
        prior=Noise(dimension=0),
        average=Window(share=0.05),
        rounds=7000,
    )


def best_for_images(medium: Medium = "images") -> Recipe:
    """The project's own choice for images: the non-saturating game on small convolutional networks, made to be quick.

    What counts on a processor without a GPU is what is learnt in a second. Found on MNIST among a dozen variants of
    networks, games and rates, one run each with a seed that no result is reported of:

    - DCGAN's pair (arXiv:1511.06434) with half its channels and a fully connected layer of 512: a quarter of the
      products of the pair that the other recipes have. Without the fully connected layers FID stayed above 7.
    - A generator that moves five times as fast as the critic (0.002 against 0.0004), and beta2 0.9 for both: after 900
      rounds FID was 2.2; with 0.0002 and 0.99 3.3, with 0.0005 for both 5.4, with half of both rates 19.
    - Rates that fall to a tenth after two fifths of the training, and the generator averaged over its last tenth.
    - Labels, where the data have them: a projection in the critic (arXiv:1802.05637), concatenated in the generator.
      After 500 rounds FID over 10,000 images was 0.27, and 2.4 without; concatenated in both it was 4.1, since the
      generator then lost variety. `--set labels=none` does without.
    """
    rate = Exponential(final=0.1, start=0.4)
    return Recipe(
        objective=NonSaturating(),
        critic=Player(
            network=DCGAN(channels=32, dense=512, activation="leaky-relu"),
            labels="projection",
            optimizer=Adam(lr=4e-4, betas=(0.5, 0.9)),
            rate=rate,
        ),
        generator=Player(
            network=DCGAN(channels=32, dense=512),
            labels="concat",
            optimizer=Adam(lr=2e-3, betas=(0.5, 0.9)),
            rate=rate,
        ),
        unlabelled="allowed",
        prior=Noise(dimension=64),
        batch_size=64,
        average=Window(share=0.1),
        rounds=4000,
    )


def best_for_colour(medium: Medium = "colour images") -> Recipe:
    """The project's own choice for colour images: as `best` for images, smaller yet, and with augmentation.

    - DCGAN's pair (arXiv:1511.06434) with a quarter of its channels and nothing fully connected. At 64 x 64 a critic's
      turn of R3GAN's residual pair with as many channels costs five times as much, since R1 and R2 differentiate
      twice.
    - The critic sees images moved at random (arXiv:2006.10738), since small sets are soon learnt by heart. Two minutes
      of one core came to FIDs of 0.10 and 0.17 on 3,200 faces (two seeds); without to 0.22 and 0.15; with the paper's
      changes of colour and its cut-outs as well to 0.53 and 0.74, since the critic then learns too slowly.
    - Plain rectifiers in the critic: 0.12 and 0.14, with more variety.
    - Batches of 32, and a generator that moves two and a half times as fast as the critic (0.001 against 0.0004): at
      five times it came off the rails with such batches.
    - The rest, also the use of labels, is that of `best` for images.
    """
    base, pair = best_for_images("images"), DCGAN(channels=16)
    critic = replace(base.critic, network=pair)
    generator = replace(base.generator, network=pair, optimizer=Adam(lr=1e-3, betas=(0.5, 0.9)))
    return replace(
        base, critic=critic, generator=generator, wrappers={"augment": Augment(("translation",))}, batch_size=32
    )


def stylegan2(medium: Medium = "images") -> Recipe:
    """The non-saturating game with R1, a style-based generator and a residual critic, all small.

    Karras et al. 2019, arXiv:1912.04958 (after arXiv:1812.04948): Adam with betas (0, 0.99), R1 on every critic turn
    where the paper has it on every 16th, a running average of the generator. Path length regularisation is left out,
    and so is what `Style` names. The paper's gamma of 10 at 256 x 256 is 1 here, as its authors have it for small
    images. Its rate of 2e-3 goes with weights scaled at run time and a mapping network that learns a hundred times as
    slowly; without these a generator at 2e-3 had few different images (recall 0.006 after 655 rounds of MNIST, and 0.41
    at 5e-4, one seed each), so that it is 5e-4 for the generator and 1e-3 for the critic.
    """
    return Recipe(
        objective=NonSaturating(),
        critic=Player(
            network=Residual(channels=16, most=128),
            optimizer=Adam(lr=1e-3, betas=(0.0, 0.99)),
            terms={"r1": GradientPenalty("real", target=0, weight=0.5)},
        ),
        generator=Player(network=Style(), optimizer=Adam(lr=5e-4, betas=(0.0, 0.99))),
        prior=NOISE["images"],
        batch_size=BATCH["images"],
        average=Decay(0.999),
        rounds=9380,
    )
