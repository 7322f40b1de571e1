"""Downloads, from a server on this machine: whole, damaged, missing, and none at all."""

import hashlib
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from ganbench.data import ImageSet, load
from ganbench.data.downloads import DOWNLOADS, Download, cache_folder, fetch
from ganbench.types import WorkError
from tests.data.hostile_images import IMAGES, LABELS, write_idx, write_idx_folder

NOBODY = "http://127.0.0.1:9/"  # the port of the discard service, where nothing listens


class Server:
    """A folder of IDX files behind an address, and the requests that came."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.requests = folder, []

        class Handler(SimpleHTTPRequestHandler):
            def log_message(handler, *words: object) -> None:  # noqa: N805
                self.requests.append(handler.path)

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(folder)))
        self.address = f"http://127.0.0.1:{self.http.server_address[1]}/"


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    folder = tmp_path / "served"
    folder.mkdir()
    write_idx_folder(folder)
    write_idx(folder / "t10k-images-idx3-ubyte.gz", IMAGES)
    write_idx(folder / "t10k-labels-idx1-ubyte.gz", LABELS.astype(np.uint8))
    served = Server(folder)
    threading.Thread(target=served.http.serve_forever, args=(0.01,), daemon=True).start()
    monkeypatch.setenv("GANBENCH_CACHE", str(tmp_path / "cache"))
    offer(monkeypatch, served, served.address)
    yield served
    served.http.shutdown()
    served.http.server_close()


def offer(monkeypatch: pytest.MonkeyPatch, server: Server, *addresses: str) -> None:
    """Makes `mnist` the server's files as they are now, at these addresses."""
    sums = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(server.folder.iterdir())}
    monkeypatch.setitem(DOWNLOADS, "mnist", Download("tiny", addresses, sums, tuple("abcd")))


def test_a_name_is_downloaded_once(server: Server, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    found = load("mnist")
    assert isinstance(found, ImageSet)
    np.testing.assert_array_equal(found.pixels, IMAGES)
    assert (found.name, found.classes, len(server.requests)) == ("mnist", tuple("abcd"), 4)
    load("mnist")
    assert len(server.requests) == 4
    assert capfd.readouterr() == ("", "")
    in_folder = load(tmp_path / "cache" / "mnist")  # placed as in any IDX folder
    assert in_folder.fingerprint == found.fingerprint


def test_the_cache_serves_without_a_network(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    load("mnist")
    offer(monkeypatch, server, NOBODY)
    assert len(load("mnist")) == 20


def test_a_damaged_file_in_the_cache_is_fetched_again(server: Server) -> None:
    path = fetch("mnist") / "train-labels-idx1-ubyte.gz"
    whole = path.read_bytes()
    path.write_bytes(whole[:10])
    fetch("mnist")
    assert path.read_bytes() == whole


def test_a_mirror_is_asked_where_the_first_fails(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    offer(monkeypatch, server, NOBODY, f"{server.address}nowhere/", server.address)
    assert len(load("mnist")) == 20


@pytest.mark.parametrize(
    ("problem", "reason"),
    [("checksum", "sent another file than expected"), ("404", "answered 404"), ("none", "no connection to")],
)
def test_a_failure_says_what_to_place_where(
    problem: str, reason: str, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = server.folder / "train-images-idx3-ubyte.gz"
    if problem == "checksum":
        path.write_bytes(b"<html>please pay</html>")
    elif problem == "404":
        path.unlink()
    else:
        offer(monkeypatch, server, NOBODY)
    with pytest.raises(WorkError) as caught:
        load("mnist")
    sentence = str(caught.value)
    assert reason in sentence
    assert sentence.endswith(
        "place t10k-images-idx3-ubyte.gz, t10k-labels-idx1-ubyte.gz, train-images-idx3-ubyte.gz, "
        f"train-labels-idx1-ubyte.gz in {cache_folder() / 'mnist'}"
    )
    assert not (cache_folder() / "mnist" / path.name).exists()


def test_files_that_were_placed_by_hand_are_used(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    offer(monkeypatch, server, NOBODY)
    folder = cache_folder() / "mnist"
    folder.mkdir(parents=True)
    for path in server.folder.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    assert len(load("mnist")) == 20


def test_a_cache_that_cannot_be_made_is_told(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("GANBENCH_CACHE", str(tmp_path / "file"))
    with pytest.raises(WorkError, match="cannot be written"):
        load("mnist")


@pytest.mark.parametrize("name", ["mnist", "fashion-mnist"])
def test_the_known_checksums_are_those_of_the_real_files(name: str, shared_data: Path) -> None:
    for file, checksum in DOWNLOADS[name].files.items():
        content = (shared_data / name.replace("-", "_") / file).read_bytes()
        assert hashlib.sha256(content).hexdigest() == checksum
