"""Images streamed from shards at web addresses: parquet files, as the Hugging Face hub keeps them, a few at a time."""

from __future__ import annotations

import hashlib
import io
import json
import time
import urllib.request
from collections import OrderedDict
from functools import partial
from http.client import HTTPException
from typing import Any, NamedTuple
from urllib.parse import urljoin, urlsplit

import numpy as np
import torch
from jaxtyping import Int, UInt8
from PIL import Image
from torch import Tensor

from ganbench.data.images import MINIMUM_IMAGES, Images, ImageSet
from ganbench.data.pictures import MIXED_SIZE, fitted, read_picture
from ganbench.types import UsageError, WorkError

SHARDS = "shards:"
"""Before the address of a JSON list of the addresses of parquet files, which may be relative to the list's."""

WINDOW = 4
"""Shards that are held at once, and among which the order is shuffled."""

SAMPLE = 2**28
"""Bytes of images, at most, that are held to be measured and looked at; at least those of one shard."""

_PATIENCE, _TIMEOUT, _TAIL = (0.0, 1.0, 4.0, 16.0), 60, 2**16
_LATER = (408, 429)
"""What a server answers that is to be asked again: it waited too long, or was asked too often."""


class Shard(NamedTuple):
    """A parquet file: its address, how many rows it has, and the SHA-256 of its footer, which describes them."""

    address: str
    rows: int
    footer: str


class Streamed:
    """Things (n, c, h, w) in shards that are fetched and decoded when the first of theirs is asked for.

    By `order` a few shards are walked through at a time, so each is fetched once an epoch. Rows that are no
    images are replaced by others of their shard.
    """

    device = torch.device("cpu")
    """Of the places by which things are asked for."""

    def __init__(
        self, shards: tuple[Shard, ...], column: str, images: Images, device: torch.device | str = "cpu"
    ) -> None:
        self.shards, self.column, self.images, self._to = shards, column, images, device
        self._starts = np.cumsum([0, *(shard.rows for shard in shards)])
        self._held: OrderedDict[int, np.ndarray] = OrderedDict()

    def to(self, device: torch.device | str) -> Streamed:
        """The same things, put on a device when they have been read."""
        return Streamed(self.shards, self.column, self.images, device)

    @property
    def fingerprint(self) -> str:
        """SHA-256 (hexadecimal) of what the shards' footers say, and of the size and colours."""
        facts = [self.column, self.images.size, self.images.colour, *((each.rows, each.footer) for each in self.shards)]
        return hashlib.sha256(json.dumps(facts).encode()).hexdigest()

    def __len__(self) -> int:
        return int(self._starts[-1])

    def order(self, rng: torch.Generator) -> Int[Tensor, " n"]:
        """A permutation of the places: shards in random order, and the rows of `WINDOW` of them shuffled at a time."""
        windows = torch.randperm(len(self.shards), generator=rng).split(WINDOW)
        parts = []
        for window in windows:
            rows = torch.cat([torch.arange(self._starts[i], self._starts[i + 1]) for i in window.tolist()])
            parts.append(rows[torch.randperm(len(rows), generator=rng)])
        return torch.cat(parts)

    def __getitem__(self, places: Int[Tensor, " m"]) -> UInt8[Tensor, "m c h w"]:
        asked = places.numpy()
        owners = np.searchsorted(self._starts, asked, side="right") - 1
        rows: list[np.ndarray] = [np.empty(0)] * len(asked)
        # By their last use: where a batch ends one window and begins the next, the shards of the first are let go.
        for owner in reversed(dict.fromkeys(owners[::-1].tolist())):
            pixels = self._pixels(owner)
            for i in np.flatnonzero(owners == owner):
                rows[i] = pixels[(asked[i] - self._starts[owner]) % len(pixels)]
        while len(self._held) > WINDOW:
            self._held.popitem(last=False)
        found = torch.from_numpy(np.stack(rows))
        return (found[:, None] if found.dim() == 3 else found.permute(0, 3, 1, 2)).to(self._to)

    def _pixels(self, index: int) -> UInt8[np.ndarray, "m h w"] | UInt8[np.ndarray, "m h w 3"]:
        if index not in self._held:
            self._held[index] = self.decoded(index)
        self._held.move_to_end(index)
        return self._held[index]

    def decoded(self, index: int) -> UInt8[np.ndarray, "m h w"] | UInt8[np.ndarray, "m h w 3"]:
        """The images of one shard, fetched anew.

        Raises UsageError where it has changed, WorkError where it cannot be fetched or has no images.
        """
        shard = self.shards[index]
        content = _fetch(shard.address)
        try:
            footer = _footer(content, shard.address)[1]
        except UsageError as error:
            raise WorkError(f"{error}, as it was before") from None
        if footer != shard.footer:
            raise UsageError(f"{shard.address} has changed since the training began, which cannot go on without it")
        try:
            table = _parquet().read_table(io.BytesIO(content), columns=[self.column])
        except (ValueError, OSError) as error:  # pyarrow's own are of these kinds
            raise WorkError(f"{shard.address} is damaged: {error}") from None
        size, grey = self.images.size or MIXED_SIZE, Images(colour=self.images.colour)
        made = []
        for cell in table.column(self.column):
            encoded = cell.as_py()
            encoded = encoded["bytes"] if isinstance(encoded, dict) else encoded
            picture = read_picture(partial(_open, encoded), grey)
            if picture is not None:
                made.append(np.asarray(fitted(picture if grey.colour == "grey" else picture.convert("RGB"), size)))
        if not made:
            raise WorkError(f"{shard.address}: none of its {shard.rows:,} rows can be read as an image")
        return np.stack(made)


def read_shards(name: str, images: Images) -> ImageSet:
    """The set of a list of shards: a sample of its images is held, and `things` streams all of them. It has no labels.

    Images are squares of `images.size`, by default 64, in RGB unless grey is asked for.

    Raises UsageError where the package that reads parquet is missing, the name is no web address, or the list or its
    shards are not as they should be; WorkError where they cannot be fetched.
    """
    where = name.removeprefix(SHARDS)
    _parquet()
    _require_web(where)
    try:
        listed = json.loads(_fetch(where))
        if not (isinstance(listed, list) and listed and all(isinstance(each, str) for each in listed)):
            raise ValueError
    except ValueError:
        raise UsageError(f"{name}: a JSON list of the addresses of parquet files is needed there") from None
    addresses = [urljoin(where, each) for each in listed]
    for address in addresses:
        _require_web(address)
    footers, in_parts = [], True
    for address in addresses:
        end = _fetch(address, tail=_TAIL)
        footers.append(_footer(end, address))
        in_parts = in_parts and len(end) <= _TAIL
    columns = {_column(metadata, address) for (metadata, _), address in zip(footers, addresses, strict=True)}
    if len(columns) > 1:
        raise UsageError(f"{name}: its shards have their images in different columns, {', '.join(sorted(columns))}")
    known = zip(addresses, footers, strict=True)
    shards = tuple(Shard(address, metadata.num_rows, footer) for address, (metadata, footer) in known)
    stream = Streamed(tuple(shard for shard in shards if shard.rows), columns.pop(), images)
    if len(stream) < MINIMUM_IMAGES:
        raise UsageError(f"{name}: its shards have {len(stream)} rows, where {MINIMUM_IMAGES} images are needed")
    sample = _sample(stream)
    notes = [
        f"{name}: {len(stream):,} images in {len(stream.shards):,} shards are streamed; measured by {len(sample):,} "
        "of them"
    ]
    if not in_parts:
        notes.append(f"{name}: the server sends no parts of files, so all shards were fetched to learn their sizes")
    return ImageSet(name, sample, notes=tuple(notes), stream=stream)


def _sample(stream: Streamed) -> np.ndarray:
    """Images of as many whole shards, by a fixed random order, as may be held."""
    held: list[np.ndarray] = []
    for index in np.random.default_rng(0).permutation(len(stream.shards)):
        held.append(stream.decoded(int(index)))
        if sum(part.nbytes for part in held) + held[-1].nbytes > SAMPLE:
            break
    return np.concatenate(held)


def _parquet() -> Any:
    try:
        import pyarrow.parquet
    except ImportError:
        raise UsageError('streamed shards need a package that reads parquet: pip install "ganbench[hub]"') from None
    return pyarrow.parquet


def _require_web(address: str) -> None:
    # Else a list from the web could name files of this machine.
    try:
        named = urlsplit(address).scheme in ("http", "https") and address.isascii()
    except ValueError:
        named = False
    if not named:
        raise UsageError(f"{SHARDS} needs addresses that begin with http:// or https://, not {address!r}")


def _open(encoded: Any) -> Image.Image:
    return Image.open(io.BytesIO(encoded))


def _fetch(address: str, tail: int | None = None) -> bytes:
    """What is at an address, or its last bytes, where the server can send these alone. Raises WorkError if it fails."""
    request = urllib.request.Request(address, headers={"Range": f"bytes=-{tail}"} if tail else {})
    for patience in _PATIENCE:
        time.sleep(patience)
        answer = _answer(request)
        if isinstance(answer, bytes):
            return answer
        error = answer
        if 400 <= (code := getattr(error, "code", 0)) < 500 and code not in _LATER:
            break  # refused, not lost
    raise WorkError(f"{address} cannot be fetched: {getattr(error, 'reason', None) or error}")


def _answer(request: urllib.request.Request) -> bytes | Exception:
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT) as answer:
            content: bytes = answer.read()  # raises IncompleteRead where the connection is lost
            return content
    except (OSError, HTTPException) as error:
        return error


def _footer(content: bytes, address: str) -> tuple[Any, str]:
    """The metadata of a parquet file, of which the last bytes are enough, and the SHA-256 of its footer."""
    length = int.from_bytes(content[-8:-4], "little") + 8
    if content[-4:] != b"PAR1":
        raise UsageError(f"{address} is no parquet file")
    if length > len(content):
        content = _fetch(address, tail=length)
    try:
        return _parquet().read_metadata(io.BytesIO(content[-length:])), hashlib.sha256(content[-length:]).hexdigest()
    except Exception as error:  # of many kinds, all from damaged bytes
        raise UsageError(f"{address} is no whole parquet file: {error}") from None


def _column(metadata: Any, address: str) -> str:
    """The first column of encoded images: bytes, alone or as the hub keeps them beside a path."""
    import pyarrow

    for field in metadata.schema.to_arrow_schema():
        held = [each.type for each in field.type if each.name == "bytes"] if pyarrow.types.is_struct(field.type) else []
        if any(pyarrow.types.is_binary(kind) or pyarrow.types.is_large_binary(kind) for kind in (field.type, *held)):
            return str(field.name)
    raise UsageError(f"{address} has no column of images: bytes, or a struct with bytes")
