"""Names of feature networks that stand for files: which file it is, from every folder, and what is in it."""

from __future__ import annotations

from pathlib import Path

from ganbench.data.files import sha256

INCEPTION = "inception:"
"""Before the path of a file of Inception."""
SUFFIX = ".safetensors"
"""Of the files of `ganbench classify train`."""


def named_file(asked: str) -> Path | None:
    """The file that a name of features stands for; None of names that stand for none.

    >>> named_file("inception:pt/inception.pth"), named_file("mnist-cnn")
    (PosixPath('pt/inception.pth'), None)
    """
    if asked.startswith(INCEPTION):
        return Path(asked.removeprefix(INCEPTION)).expanduser()
    return Path(asked).expanduser() if asked.endswith(SUFFIX) else None


def full_features(asked: str) -> str:
    """The name that stands for the same features in every folder: the path of a file is made absolute.

    >>> full_features("mnist-cnn")
    'mnist-cnn'
    """
    file = named_file(asked)
    if file is None:
        return asked
    return (INCEPTION if asked.startswith(INCEPTION) else "") + str(file.absolute())


def features_sha256(asked: str) -> str | None:
    """The SHA-256 (hexadecimal) of the file that the features are in; None where they are in none that is there."""
    file = named_file(asked)
    return sha256(file) if file is not None and file.is_file() else None
