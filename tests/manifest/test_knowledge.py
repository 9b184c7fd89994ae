"""Where the index of knowledge and memory lies, as a manifest says it."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from ringfence.app.knowing.library import index_of
from ringfence.core.errors import ManifestError
from ringfence.knowledge.postgres import PostgresIndex
from ringfence.knowledge.sqlite import SqliteIndex
from ringfence.manifest.fields import SecretRef
from ringfence.manifest.loader import load
from ringfence.manifest.types import Manifest

BASE = "inference: {provider: llamacpp, model: m}\n"
ADDRESS = "postgresql://keeper:hunter2@db.example.com/knowledge"


def manifest(folder: Path, store: str) -> Manifest:
    (path := folder / "ringfence.yaml").write_text(f"{BASE}knowledge:\n  store: {store}\n")
    return load(path)


@pytest.mark.parametrize("store", ["${KNOWLEDGE_URL}", '"${KNOWLEDGE_URL}"'])
def test_a_reference_is_an_address_of_postgres_and_no_folder_of_that_name(tmp_path: Path, store: str) -> None:
    (tmp_path / ".env").write_text(f"KNOWLEDGE_URL={ADDRESS}\n")
    loaded = manifest(tmp_path, store)
    assert isinstance(loaded.knowledge.store, SecretRef)
    assert loaded.knowledge.store.reveal() == ADDRESS
    assert isinstance(index_of(loaded), PostgresIndex)
    assert "hunter2" not in repr(loaded)
    assert pickle.loads(pickle.dumps(loaded.knowledge)) == loaded.knowledge


@pytest.mark.parametrize("store", [".ringfence/knowledge", "/srv/knowledge", "$dir/x"])
def test_anything_else_is_a_folder(tmp_path: Path, store: str) -> None:
    loaded = manifest(tmp_path, store)
    assert loaded.knowledge.store == Path(store)
    assert isinstance(index_of(loaded), SqliteIndex)


@pytest.mark.parametrize("store", [ADDRESS, "${URL}/hunter2", "${URL:-hunter2}", "''"])
def test_an_address_in_the_manifest_itself_is_refused_and_not_repeated(tmp_path: Path, store: str) -> None:
    with pytest.raises(ManifestError, match=r"knowledge\.store") as refused:
        manifest(tmp_path, store)
    assert "hunter2" not in str(refused.value)
