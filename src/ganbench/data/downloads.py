"""Data sets by name: downloaded once into a cache folder, with checksums."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pooch
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn

from ganbench.types import WorkError


@dataclass(frozen=True, slots=True)
class Download:
    """Files and their SHA-256, the addresses of folders that hold them, and the names of the classes if not numbers.

    `labels` are the SHA-256 of the labels themselves, a byte each, by which the set is known however it is packed.
    """

    description: str
    addresses: tuple[str, ...]
    files: Mapping[str, str]
    classes: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()


DOWNLOADS: dict[str, Download] = {
    "mnist": Download(
        "60,000 handwritten digits, 28 x 28 grey, downloaded once (12 MB)",
        (
            "https://storage.googleapis.com/cvdf-datasets/mnist/",
            "https://ossci-datasets.s3.amazonaws.com/mnist/",
        ),
        {
            "train-images-idx3-ubyte.gz": "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
            "train-labels-idx1-ubyte.gz": "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
            "t10k-images-idx3-ubyte.gz": "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
            "t10k-labels-idx1-ubyte.gz": "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
        },
    ),
    "fashion-mnist": Download(
        "60,000 pieces of clothing, 28 x 28 grey, downloaded once (31 MB)",
        (
            "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
            "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
        ),
        {
            "train-images-idx3-ubyte.gz": "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
            "train-labels-idx1-ubyte.gz": "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
            "t10k-images-idx3-ubyte.gz": "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
            "t10k-labels-idx1-ubyte.gz": "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
        },
        ("T-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot"),
        (
            "657fbd221bfc9f4198cc14b5619cc33ec57c58dd0e47af4d99d6650759e869a7",
            "3d0e6c6ea990b53b6f8f500a41cac93881d981b315f84578b7d915342ade01e9",
        ),
    ),
}
"""Name to what is downloaded. Addresses are tried in their order."""


def class_names(labels: bytes) -> tuple[str, ...]:
    """The names of the classes of the set in `DOWNLOADS` that has these labels in a part; none where no set has."""
    found = hashlib.sha256(labels).hexdigest()
    return next((each.classes for each in DOWNLOADS.values() if found in each.labels), ())


def cache_folder() -> Path:
    """Where downloads are kept: the folder in the environment variable GANBENCH_CACHE, or the system's for caches."""
    return Path(os.environ.get("GANBENCH_CACHE") or pooch.os_cache("ganbench"))


def fetch(name: str) -> Path:
    """The folder with the files of a name in `DOWNLOADS`, of which those that are missing or damaged are downloaded.

    Raises WorkError, with the files and where to place them, if no address gives a file.
    """
    wanted, folder = DOWNLOADS[name], cache_folder() / name
    for file, checksum in wanted.files.items():
        reasons: list[str] = []
        if not any(_try(address + file, checksum, folder, reasons) for address in wanted.addresses):
            raise WorkError(
                f"{name} could not be downloaded ({'; '.join(dict.fromkeys(reasons))}); "
                f"place {', '.join(wanted.files)} in {folder}"
            )
    return folder


def _try(address: str, checksum: str, folder: Path, reasons: list[str]) -> bool:
    """Whether the file is in the folder now; if not, why is added to the reasons."""
    pooch.get_logger().setLevel("WARNING")  # else a line a file, above the progress bar
    try:
        with _Bar(address.rpartition("/")[2]) as bar:
            pooch.retrieve(
                address,
                f"sha256:{checksum}",
                fname=address.rpartition("/")[2],
                path=folder,
                downloader=pooch.HTTPDownloader(progressbar=bar, timeout=20),
            )
    # pooch says with a ValueError that a checksum differs; what requests raises are OSErrors.
    except (OSError, ValueError) as error:
        reasons.append(_reason(error, address, folder))
        return False
    return True


def _reason(error: Exception, address: str, folder: Path) -> str:
    host = address.split("/")[2]
    if isinstance(error, ValueError):
        return f"{host} sent another file than expected"
    if (answer := getattr(error, "response", None)) is not None:
        return f"{host} answered {answer.status_code}"
    # Errors of requests know what was requested, those of the file system do not.
    return f"no connection to {host}" if hasattr(error, "request") else f"{folder} cannot be written"


class _Bar:
    """What pooch asks of a progress bar, shown by rich; nothing where the output is no terminal."""

    def __init__(self, file: str) -> None:
        columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
        self._shown = Progress(*columns, console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty())
        self._task = self._shown.add_task(file, total=None)

    def __enter__(self) -> _Bar:
        return self

    def __exit__(self, *_: object) -> None:
        self._shown.stop()

    @property
    def total(self) -> float | None:
        return self._shown.tasks[0].total

    @total.setter
    def total(self, size: float) -> None:
        self._shown.start()  # only here, as most files are in the cache
        self._shown.update(self._task, total=size)

    def update(self, size: int) -> None:
        self._shown.advance(self._task, size)

    def reset(self) -> None:
        self._shown.reset(self._task)

    def close(self) -> None:
        self._shown.stop()
