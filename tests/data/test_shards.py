"""Images streamed from parquet files that a server on this machine sends."""

import functools
import io
import json
import threading
from collections import Counter
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
import torch
from PIL import Image

from ganbench.api import prepare
from ganbench.data import load
from ganbench.data.batches import Batches
from ganbench.data.images import Images, ImageSet
from ganbench.data.shards import WINDOW
from ganbench.types import UsageError, WorkError

pyarrow = pytest.importorskip("pyarrow", reason="pyarrow, of the extra hub, is not installed")
SHARDS, ROWS, SIZE = 10, 8, 16


class Sender(SimpleHTTPRequestHandler):
    """Sends files, their last bytes where these are asked for, and counts which were sent whole."""

    parts: ClassVar[bool] = True
    """Whether it sends parts of files."""
    whole: ClassVar[Counter[str]] = Counter()
    busy: ClassVar[list[int]] = []
    """Answers that it gives before it sends anything."""

    def do_GET(self) -> None:
        if self.busy:
            self.send_error(self.busy.pop())
            return
        path, asked = Path(self.translate_path(self.path)), self.headers.get("Range")
        if asked is None or not self.parts or not path.is_file():
            self.whole[path.name] += 1
            super().do_GET()
            return
        content = path.read_bytes()[-int(asked.removeprefix("bytes=-")) :]
        self.send_response(206)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        pass


def encoded(value: int) -> bytes:
    content = io.BytesIO()
    Image.new("RGB", (SIZE, SIZE), (value, value, 255 - value)).save(content, "PNG")
    return content.getvalue()


def write(path: Path, rows: list[bytes], hubs: bool = True) -> None:
    import pyarrow.parquet

    cells = [{"bytes": row, "path": "x.png"} for row in rows] if hubs else rows
    pyarrow.parquet.write_table(pyarrow.table({"number": list(range(len(rows))), "image": cells}), path)


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Path, str]]:
    """A folder with shards of images that each have a grey level of their own, and its address."""
    monkeypatch.setattr("ganbench.data.shards._PATIENCE", (0.0, 0.0))
    monkeypatch.setattr("ganbench.data.shards.SAMPLE", 2 * ROWS * SIZE**2 * 3)
    for i in range(SHARDS):
        write(tmp_path / f"{i}.parquet", [encoded(i * ROWS + j) for j in range(ROWS)], hubs=i % 2 == 0)
    (tmp_path / "all.json").write_text(json.dumps([f"{i}.parquet" for i in range(SHARDS)]))
    Sender.whole = Counter()
    with ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Sender, directory=str(tmp_path))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield tmp_path, f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def read(address: str, colour: str = "rgb") -> ImageSet:
    found = load(f"shards:{address}/all.json", Images(size=SIZE, colour=colour))  # type: ignore[arg-type]
    assert isinstance(found, ImageSet)
    return found


def levels(batches: Batches, index: int) -> list[int]:
    return [int(level) for level in ((batches[index].x[:, 0, 0, 0] + 1) * 127.5).round()]


def test_each_image_once_an_epoch_and_each_shard_fetched_once(served: tuple[Path, str]) -> None:
    found = read(served[1])
    assert (found.shape, len(found)) == ((3, SIZE, SIZE), 2 * ROWS)
    batches = Batches(found.things().to("cpu"), size=5, seed=1)
    Sender.whole.clear()
    epoch = [level for i in range(SHARDS * ROWS // 5) for level in levels(batches, i)]
    assert sorted(epoch) == list(range(SHARDS * ROWS))
    assert Sender.whole == {f"{i}.parquet": 1 for i in range(SHARDS)}
    first = {level // ROWS for level in epoch[: WINDOW * ROWS]}
    assert len(first) == WINDOW
    assert [level // ROWS for level in epoch[:ROWS]] != [epoch[0] // ROWS] * ROWS  # shuffled among shards
    assert [level for i in range(16, 32) for level in levels(batches, i)] != epoch


def test_going_on_fetches_only_what_is_needed(served: tuple[Path, str]) -> None:
    found = read(served[1])
    expected = levels(Batches(found.things().to("cpu"), size=4, seed=1), 15)
    Sender.whole.clear()
    assert levels(Batches(found.things().to("cpu"), size=4, seed=1), 15) == expected
    assert Sender.whole.total() <= 4


def test_the_fingerprint_tells_other_shards_and_sizes(served: tuple[Path, str]) -> None:
    folder, address = served
    one = read(address)
    assert one.fingerprint == read(address).fingerprint != read(address, "grey").fingerprint
    assert read(address, "grey").shape == (1, SIZE, SIZE)
    write(folder / "3.parquet", [encoded(200)] * ROWS)
    assert read(address).fingerprint != one.fingerprint
    with pytest.raises(UsageError, match="has changed"):
        [one.things()[torch.tensor([i])] for i in range(0, SHARDS * ROWS, ROWS)]
    (folder / "3.parquet").write_bytes(b"<html>not now</html>")
    with pytest.raises(WorkError, match="is no parquet file, as it was before"):  # and may be again
        [one.things()[torch.tensor([i])] for i in range(0, SHARDS * ROWS, ROWS)]


def test_rows_that_are_no_images_are_replaced_by_others_of_their_shard(served: tuple[Path, str]) -> None:
    folder, address = served
    write(folder / "0.parquet", [b"no picture", *(encoded(100 + j) for j in range(ROWS - 1))])
    stream = read(address).things()
    assert set(stream[torch.arange(ROWS)][:, 0, 0, 0].tolist()) == set(range(100, 100 + ROWS - 1))


def test_a_server_that_sends_whole_files_alone_is_told(
    served: tuple[Path, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ganbench.data.shards._TAIL", 1000)
    of_parts = read(served[1])
    monkeypatch.setattr(Sender, "parts", False)
    whole = read(served[1])
    assert whole.fingerprint == of_parts.fingerprint
    assert not any("sends no parts" in note for note in of_parts.notes)
    assert any("sends no parts of files" in note for note in whole.notes)


def test_a_training_streams(served: tuple[Path, str]) -> None:
    """What it is trained on comes from the web, and what it is looked at with does not."""
    bench = prepare("wgan-gp", read(served[1]), rounds=2, batch_size=16)
    Sender.whole.clear()
    reports = list(bench.play())
    assert len(reports) == 2
    assert np.isfinite(float(reports[-1].losses["critic"]))
    assert set(Sender.whole) <= {f"{i}.parquet" for i in range(SHARDS)}
    assert sum(Sender.whole.values()) >= WINDOW
    Sender.whole.clear()
    assert np.isfinite(bench.verdicts(16).real.numpy()).all()
    assert not Sender.whole


def test_the_generators_turns_fetch_nothing(served: tuple[Path, str]) -> None:
    """They look at the critic's last batch, also where it lies in the shards of two windows."""
    turns = {"turns.critic": 1, "turns.generator": 3}
    bench = prepare("wgan-gp", read(served[1]), rounds=SHARDS * ROWS // 5, batch_size=5, **turns)
    Sender.whole.clear()
    list(bench.play())
    assert Sender.whole == {f"{i}.parquet": 1 for i in range(SHARDS)}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("nonsense", "JSON list"),
        ("[]", "JSON list"),
        ("[3]", "JSON list"),
        ('["file:///etc/passwd"]', "http://"),
        ('["all.json"]', "no parquet file"),
        ('["text.parquet"]', "no column of images"),
        ('["damaged.parquet"]', "no whole parquet file"),
        ('["few.parquet"]', "16 images are needed"),
    ],
)
def test_lists_that_are_refused(content: str, said: str, served: tuple[Path, str]) -> None:
    import pyarrow.parquet

    folder, address = served
    pyarrow.parquet.write_table(pyarrow.table({"words": ["a", "b"]}), folder / "text.parquet")
    (folder / "damaged.parquet").write_bytes(b"PAR1" + b"\x01" * 90 + (80).to_bytes(4, "little") + b"PAR1")
    write(folder / "few.parquet", [encoded(1)] * 3)
    (folder / "all.json").write_text(content)
    with pytest.raises(UsageError, match=said):
        read(address)


def test_a_busy_server_is_asked_again(served: tuple[Path, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ganbench.data.shards._PATIENCE", (0.0,) * 4)
    for answers, said in (([429, 408, 503], ""), ([403], "Forbidden")):
        monkeypatch.setattr(Sender, "busy", answers)
        if said:
            with pytest.raises(WorkError, match=said):
                read(served[1])
        else:
            assert len(read(served[1])) == 2 * ROWS


def test_what_cannot_be_fetched_is_told(served: tuple[Path, str]) -> None:
    with pytest.raises(WorkError, match=r"none\.json cannot be fetched: (Not Found|File not found)"):
        load(f"shards:{served[1]}/none.json")
    with pytest.raises(UsageError, match="http://"):
        load("shards:/etc/hosts")
