"""ganbench: train any published GAN, measure it against the data's own noise floor, compare over seeds."""

__version__ = "0.1.0"
