"""Packages of tools and skills: signed with Ed25519, copied, and run from the copy that was checked.

The signature is over the RFC 8785 bytes of the package's manifest without it: name, version, key, and the SHA-256 of
every file. Hidden files and `__pycache__` are no part of a package: they are neither signed nor copied.
"""

from __future__ import annotations

import base64
import hashlib
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ringfence.core.errors import ManifestError
from ringfence.core.values import canonical, digest

NAME = "ringfence-package.json"
MAX_FILES = 2_000
MAX_BYTES = 64 * 2**20
_CONTEXT = b"ringfence package v1\n"  # a signature of something else can be none of a package

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Package(BaseModel):
    """The manifest of a package. `key` and `signature` are base64."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    name: Annotated[str, Field(min_length=1, max_length=100)]
    version: Annotated[str, Field(min_length=1, max_length=100)]
    files: dict[str, Sha256]
    key: Annotated[str, Field(pattern=r"^[A-Za-z0-9+/]{43}=$")]
    signature: Annotated[str, Field(pattern=r"^[A-Za-z0-9+/]{86}==$")]

    @property
    def signed(self) -> bytes:
        """What the signature is over."""
        return _CONTEXT + canonical(self.model_dump(exclude={"signature"}))


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A private, read-only copy of files, named by what is in it."""

    folder: Path
    digest: str


def keygen(key: Path) -> str:
    """Write a new private key (PEM, 0600) and return the public one in base64, for `plugins.keys`."""
    ed25519, serialization = _crypto()
    private = ed25519.Ed25519PrivateKey.generate()
    pem = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    try:
        fd = os.open(key, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise ManifestError(
            f"{key} cannot be written: {error.strerror}", todo="name a file that is not there"
        ) from None
    with os.fdopen(fd, "wb") as file:
        file.write(pem)
    return _public(private)


def sign(folder: Path, key: Path, *, version: str, name: str = "") -> Package:
    """Sign a folder as it is: write its manifest. Raises ManifestError for a key or a folder that is not fit."""
    ed25519, serialization = _crypto()
    try:
        private = serialization.load_pem_private_key(key.read_bytes(), None)
    except (OSError, ValueError, TypeError) as error:
        raise ManifestError(f"{key} holds no private key: {error}", todo="make one: ringfence plugins keygen") from None
    if not isinstance(private, ed25519.Ed25519PrivateKey):
        raise ManifestError(f"{key} is no Ed25519 key", todo="make one: ringfence plugins keygen")
    files = {path: _sha256(data) for path, data in contents(folder)}
    called, public = name or folder.resolve().name, _public(private)
    try:
        unsigned = Package(name=called, version=version, files=files, key=public, signature="A" * 86 + "==")
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise ManifestError(f"{first['loc'][0]}: {first['msg']}") from None
    package = unsigned.model_copy(update={"signature": _base64(private.sign(unsigned.signed))})
    (folder / NAME).write_bytes(canonical(package.model_dump()) + b"\n")
    return package


def verify(folder: Path, keys: Mapping[str, str]) -> Package:
    """The package of a folder, if one of `keys` (owner -> public key) signed it just as it is; else ManifestError."""
    return _verified(folder, dict(contents(folder)), keys)


def snapshot(folder: Path, store: Path, keys: Mapping[str, str], *, below: str) -> Snapshot:
    """Copy a package into `store` as a folder `below` of the copy, and check what was copied."""
    files = dict(contents(folder))
    _verified(folder, files, keys)
    return keep({f"{below}/{path}": data for path, data in files.items()}, store)


def modules(root: Path) -> dict[str, bytes]:
    """The modules and packages of a folder, and nothing else that lies beside them."""
    found = {file.name: _read(file, os.O_RDONLY) for file in sorted(root.glob("*.py")) if file.is_file()}
    for init in sorted(root.glob("*/__init__.py")):
        if not init.parent.name.startswith("."):
            found.update((f"{init.parent.name}/{path}", data) for path, data in contents(init.parent))
    return found


def keep(files: Mapping[str, bytes], store: Path) -> Snapshot:
    """Write files below `store`, in a folder named by their digest that nobody may write to."""
    name = digest({path: _sha256(data) for path, data in files.items()})
    place = store / name
    if place.is_dir() and dict(contents(place)) == dict(files):
        return Snapshot(place, name)
    store.mkdir(parents=True, exist_ok=True, mode=0o700)
    made = Path(tempfile.mkdtemp(dir=store))
    for path, data in files.items():
        target = made / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
        target.chmod(0o444)
    for folder in (made, *(path for path in made.rglob("*") if path.is_dir())):
        folder.chmod(0o755)
    if place.exists():
        shutil.rmtree(place)
    made.rename(place)
    return Snapshot(place, name)


def contents(folder: Path) -> Iterator[tuple[str, bytes]]:
    """The files of a package by their path, in order, links refused, bounded in number and bytes."""
    count = size = 0
    for place, folders, names in os.walk(folder, onerror=_unreadable):
        folders[:] = sorted(name for name in folders if not _left_out(name))
        for name in [*folders, *sorted(names)]:
            path = Path(place, name)
            if _left_out(name):
                continue
            if path.is_symlink():
                raise ManifestError(f"{path} is a link, and a package has none", todo="put the file itself there")
            if name in folders or path == folder / NAME:
                continue
            data = _read(path, os.O_RDONLY | os.O_NOFOLLOW)
            count, size = count + 1, size + len(data)
            if count > MAX_FILES or size > MAX_BYTES:
                raise ManifestError(f"{folder} holds more than {MAX_FILES} files or {MAX_BYTES >> 20} MB")
            yield path.relative_to(folder).as_posix(), data


def _verified(folder: Path, files: Mapping[str, bytes], keys: Mapping[str, str]) -> Package:
    package = _package(folder)
    if package.key not in keys.values():
        raise ManifestError(
            f"{folder} is signed with a key that is not in plugins.keys: {package.key}",
            todo="add the key there if you trust whose it is",
        )
    ed25519, _ = _crypto()
    from cryptography.exceptions import InvalidSignature

    try:
        public = ed25519.Ed25519PublicKey.from_public_bytes(base64.b64decode(package.key))
        public.verify(base64.b64decode(package.signature), package.signed)
    except (InvalidSignature, ValueError):
        raise ManifestError(f"the signature of {folder} is not valid", todo="get the package anew") from None
    found = {path: _sha256(data) for path, data in files.items()}
    for path in sorted(found.keys() | package.files.keys()):
        if found.get(path) != package.files.get(path):
            what = "missing" if path not in found else "changed" if path in package.files else "not in the package"
            raise ManifestError(f"{folder}: {path} is {what}", todo="get the package anew, or sign it again")
    return package


def _package(folder: Path) -> Package:
    try:
        data = _read(folder / NAME, os.O_RDONLY | os.O_NOFOLLOW)
    except ManifestError:
        raise ManifestError(
            f"{folder} is not signed: it has no {NAME}", todo="sign it: ringfence plugins sign DIR --key FILE"
        ) from None
    try:
        return Package.model_validate_json(data)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"])) or "it"
        raise ManifestError(f"{folder / NAME}: {where}: {first['msg']}", todo="get the package anew") from None


def _read(path: Path, flags: int) -> bytes:
    """A regular file, whole. What is hashed is what was read here, and nothing is read twice."""
    try:
        fd = os.open(path, flags | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise ManifestError(f"{path} cannot be read: {error.strerror}") from None
    with os.fdopen(fd, "rb") as file:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            raise ManifestError(f"{path} is no regular file")
        data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise ManifestError(f"{path} is larger than {MAX_BYTES >> 20} MB")
    return data


def _left_out(name: str) -> bool:
    return name.startswith(".") or name == "__pycache__"


def _unreadable(error: OSError) -> None:
    raise ManifestError(f"{error.filename} cannot be read: {error.strerror}", todo="name a folder that is there")


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _public(private: Any) -> str:
    return _base64(private.public_key().public_bytes_raw())


def _crypto() -> tuple[Any, Any]:
    try:
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric import ed25519
    except ImportError:
        raise ManifestError(
            "signatures need the library `cryptography`", todo="install it: pip install cryptography"
        ) from None
    return ed25519, serialization
