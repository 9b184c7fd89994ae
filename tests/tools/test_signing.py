"""Signed packages: what is run is what somebody we trust has signed, to the byte."""

from __future__ import annotations

import json
import os
import shutil
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from ringfence.core.errors import ManifestError
from ringfence.core.values import canonical
from ringfence.tools import signing
from ringfence.tools.signing import NAME, Package, keep, keygen, modules, sign, snapshot, verify

pytest.importorskip("cryptography")


@pytest.fixture
def package(tmp_path: Path) -> Path:
    folder = tmp_path / "helpers"
    (folder / "deep").mkdir(parents=True)
    (folder / "__init__.py").write_text("")
    (folder / "work.py").write_text("def work() -> int:\n    return 1\n")
    (folder / "deep/data.json").write_text("{}")
    (folder / "__pycache__").mkdir()
    (folder / "__pycache__/work.pyc").write_bytes(b"planted")
    (folder / ".git").mkdir()
    (folder / ".git/config").write_text("hidden")
    return folder


@pytest.fixture
def keys(tmp_path: Path) -> dict[str, str]:
    return {"us": keygen(tmp_path / "key.pem")}


@pytest.fixture
def signed(package: Path, keys: dict[str, str], tmp_path: Path) -> Path:
    sign(package, tmp_path / "key.pem", version="1.0")
    return package


def test_a_signed_package_verifies_and_says_what_it_is(signed: Path, keys: dict[str, str]) -> None:
    package = verify(signed, keys)
    assert (package.name, package.version, package.key) == ("helpers", "1.0", keys["us"])
    assert sorted(package.files) == ["__init__.py", "deep/data.json", "work.py"]


def test_the_same_files_and_key_make_the_same_bytes(signed: Path, tmp_path: Path) -> None:
    before = (signed / NAME).read_bytes()
    sign(signed, tmp_path / "key.pem", version="1.0")
    assert (signed / NAME).read_bytes() == before
    assert canonical(json.loads(before)) + b"\n" == before


def test_a_private_key_is_readable_by_its_owner_alone_and_never_overwritten(tmp_path: Path) -> None:
    key = tmp_path / "key.pem"
    keygen(key)
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    before = key.read_bytes()
    with pytest.raises(ManifestError, match="File exists"):
        keygen(key)
    assert key.read_bytes() == before


def _resigned_by_another(folder: Path) -> None:
    keygen(folder.parent / "other.pem")
    sign(folder, folder.parent / "other.pem", version="1.0")


def _claims_our_key(folder: Path) -> None:
    ours = json.loads((folder / NAME).read_bytes())["key"]
    _resigned_by_another(folder)
    theirs = json.loads((folder / NAME).read_bytes())
    (folder / NAME).write_text(json.dumps({**theirs, "key": ours}))


def _edit(**change: object) -> Callable[[Path], None]:
    def apply(folder: Path) -> None:
        (folder / NAME).write_text(json.dumps({**json.loads((folder / NAME).read_bytes()), **change}))

    return apply


def _link(folder: Path) -> None:
    (folder / "work.py").rename(folder.parent / "work.py")
    (folder / "work.py").symlink_to(folder.parent / "work.py")


def _linked_folder(folder: Path) -> None:
    shutil.move(folder / "deep", folder.parent / "deep")
    (folder / "deep").symlink_to(folder.parent / "deep")


TAMPERING: list[tuple[str, Callable[[Path], object], str]] = [
    ("unsigned", lambda f: (f / NAME).unlink(), "is not signed"),
    ("changed", lambda f: (f / "work.py").write_text("def work() -> int:\n    return 2\n"), "work.py is changed"),
    ("added", lambda f: (f / "more.py").write_text(""), "more.py is not in the package"),
    ("added below", lambda f: (f / "deep/__init__.py").write_text(""), "deep/__init__.py is not in the package"),
    ("missing", lambda f: (f / "deep/data.json").unlink(), "deep/data.json is missing"),
    ("swapped", lambda f: (f / "work.py").rename(f / "deep/work.py"), "deep/work.py is not in the package"),
    ("a link", _link, "is a link"),
    ("a linked folder", _linked_folder, "is a link"),
    ("a pipe", lambda f: ((f / "work.py").unlink(), os.mkfifo(f / "work.py")), "no regular file"),
    ("another key", _resigned_by_another, "a key that is not in plugins.keys"),
    ("a claimed key", _claims_our_key, "the signature of .* is not valid"),
    ("another name", _edit(name="others"), "the signature of .* is not valid"),
    ("another version", _edit(version="0.9"), "the signature of .* is not valid"),
    ("another list", _edit(files={}), "the signature of .* is not valid"),
    ("more said", _edit(extra=1), "extra"),
    ("no manifest", lambda f: (f / NAME).write_text("[]"), "get the package anew|valid"),
    ("a broken manifest", lambda f: (f / NAME).write_bytes(b"\xff{"), "valid"),
    ("a linked manifest", lambda f: ((f / NAME).rename(f.parent / "m"), (f / NAME).symlink_to(f.parent / "m")), "link"),
]


@pytest.mark.parametrize(("tamper", "problem"), [case[1:] for case in TAMPERING], ids=[case[0] for case in TAMPERING])
def test_whatever_is_not_as_it_was_signed_is_refused(
    signed: Path, keys: dict[str, str], tamper: Callable[[Path], object], problem: str, tmp_path: Path
) -> None:
    tamper(signed)
    with pytest.raises(ManifestError, match=problem):
        verify(signed, keys)
    with pytest.raises(ManifestError, match=problem):
        snapshot(signed, tmp_path / "store", keys, below="helpers")
    assert not (tmp_path / "store").exists()


def test_a_signature_of_something_else_is_none_of_a_package(signed: Path, keys: dict[str, str], tmp_path: Path) -> None:
    _, serialization = signing._crypto()
    private = serialization.load_pem_private_key((tmp_path / "key.pem").read_bytes(), None)
    package = Package.model_validate_json((signed / NAME).read_bytes())
    bare = package.signed.removeprefix(b"ringfence package v1\n")
    assert bare != package.signed
    _edit(signature=signing._base64(private.sign(bare)))(signed)
    with pytest.raises(ManifestError, match="is not valid"):
        verify(signed, keys)


def test_a_copy_holds_what_was_signed_and_nothing_hidden_and_nobody_writes_to_it(
    signed: Path, keys: dict[str, str], tmp_path: Path
) -> None:
    made = snapshot(signed, tmp_path / "store", keys, below="helpers")
    files = {path.relative_to(made.folder).as_posix() for path in made.folder.rglob("*") if path.is_file()}
    assert files == {"helpers/__init__.py", "helpers/work.py", "helpers/deep/data.json"}
    assert all(not stat.S_IMODE(path.stat().st_mode) & 0o222 for path in made.folder.rglob("*") if path.is_file())
    (signed / "work.py").write_text("raise SystemExit\n")  # after the check: it is the copy that is run
    assert "return 1" in (made.folder / "helpers/work.py").read_text()


def test_a_file_that_changes_while_it_is_checked_is_read_once(
    signed: Path, keys: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = signing._read

    def swapped_after(path: Path, flags: int) -> bytes:
        data = read(path, flags)
        if path.name == "work.py" and path.parent == signed:
            path.write_text("raise SystemExit\n")
        return data

    monkeypatch.setattr(signing, "_read", swapped_after)
    made = snapshot(signed, tmp_path / "store", keys, below="helpers")
    assert "return 1" in (made.folder / "helpers/work.py").read_text()


def test_a_kept_copy_that_was_changed_is_written_again(tmp_path: Path) -> None:
    files = {"a/b.py": b"1", "c.py": b"2"}
    made = keep(files, tmp_path / "store")
    (made.folder / "c.py").chmod(0o644)
    (made.folder / "c.py").write_bytes(b"3")
    again = keep(files, tmp_path / "store")
    assert (again, (again.folder / "c.py").read_bytes()) == (made, b"2")
    (made.folder / "d.py").write_bytes(b"4")
    assert not (keep(files, tmp_path / "store").folder / "d.py").exists()
    assert [path.name for path in (tmp_path / "store").iterdir()] == [made.digest]


def test_modules_are_the_code_beside_a_manifest_and_not_its_secrets(package: Path, tmp_path: Path) -> None:
    (tmp_path / "tools.py").write_text("X = 1\n")
    (tmp_path / ".env").write_text("SECRET=1")
    (tmp_path / "data.csv").write_text("a,b\n")
    (tmp_path / ".ringfence").mkdir()
    (tmp_path / ".ringfence/__init__.py").write_text("")
    assert sorted(modules(tmp_path)) == ["helpers/__init__.py", "helpers/deep/data.json", "helpers/work.py", "tools.py"]


def test_too_much_is_no_package(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signing, "MAX_FILES", 2)
    with pytest.raises(ManifestError, match="more than 2 files"):
        dict(signing.contents(package))


@pytest.mark.parametrize("content", [b"", b"no key", None])
def test_a_key_that_is_none_is_the_operators_error(package: Path, tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "bad.pem").write_bytes(content)
    with pytest.raises(ManifestError, match="holds no private key"):
        sign(package, tmp_path / "bad.pem", version="1")
    assert not (package / NAME).exists()
