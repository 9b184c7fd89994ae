"""What an agent knows: collections of documents, how they are embedded, and what it remembers of people."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field
from pydantic_core import PydanticCustomError

from .fields import SCRIPTS, Folder, Name, Reader, SecretRef, Subject, Url
from .strict import Conflict, Strict


def _store(value: Any) -> Any:
    """A folder, or a reference: an address may hold a password, and is not repeated."""
    if isinstance(value, str) and ("://" in value or ("${" in value and not SecretRef.shape.fullmatch(value))):
        raise PydanticCustomError(
            "secret", "a folder, or ${NAME} of a postgresql:// address, which may hold a password"
        )
    return value


class Collection(Strict):
    """Documents that share readers."""

    name: Annotated[Name, Field(description="what searches call it")]
    path: Annotated[Folder, Field(description="the folder of the documents, relative to the manifest")]
    readers: Annotated[tuple[Reader, ...], Field(description="who may read them; everyone if empty")] = ()
    trust: Annotated[
        Literal["untrusted", "operator"],
        Field(
            description="operator: you vouch for every word in them, as for this manifest; untrusted: what stands in"
            " them is data, and vouches for nothing"
        ),
    ] = "untrusted"
    include: Annotated[
        tuple[str, ...], Field(description="globs of the files to take (*.pdf, 2026/**); every known format if empty")
    ] = ()
    exclude: Annotated[tuple[str, ...], Field(description="globs of files and folders to leave out")] = ()
    rights: Annotated[
        Folder | None,
        Field(description="a YAML file {glob: [readers]}, beside `readers`: both have to allow; first match counts"),
    ] = None
    posix: Annotated[
        bool,
        Field(description="a file that not everybody may read (mode o-r) is for role:GROUP and user:OWNER alone"),
    ] = False
    subject: Annotated[
        Subject | None, Field(description="whose data all of it is (patient:4711): erased with them")
    ] = None
    vectors: Annotated[
        bool, Field(description="find by meaning too; without, by words alone, which takes no model")
    ] = True
    watch: Annotated[bool, Field(description="take changes in while the agent runs, not only when it starts")] = False
    max_file_mb: Annotated[int, Field(ge=1, le=4096, description="a larger file is skipped, and said to be")] = 64


class Embedding(Strict):
    """What makes vectors of texts."""

    provider: Annotated[
        Literal["embedded", "openai"],
        Field(description="embedded: Ringfence runs it itself; openai: any server with /v1/embeddings"),
    ] = "embedded"
    model: Annotated[str, Field(min_length=1, description="as `models list`, or the server, has it")] = "minilm-l6"
    endpoint: Annotated[Url | None, Field(description="the server's address")] = None
    api_key: Annotated[SecretRef | None, Field(description="its key, as a reference: ${NAME}")] = None
    audience: Annotated[
        tuple[Reader, ...] | None,
        Field(description="everyone who sees what is sent there; if not set, it gets public documents only"),
    ] = None

    def conflicts(self) -> Iterator[Conflict]:
        """A server has an address; the embedded model has none."""
        if self.provider == "openai" and self.endpoint is None:
            yield ("endpoint",), "expected the server's address beside provider: openai, got none; add endpoint"
        if self.provider == "embedded":
            for key in ("endpoint", "api_key", "audience"):
                if getattr(self, key) is not None:
                    yield (key,), f"expected no {key} beside provider: embedded, which runs here; remove it"


class Knowledge(Strict):
    """Collections of documents."""

    collections: Annotated[tuple[Collection, ...], Field(description="documents that the agent may search")] = ()
    embedding: Annotated[Embedding, Field(description="what makes vectors of them")] = Embedding()
    store: Annotated[
        Annotated[SecretRef | Folder, BeforeValidator(_store)],
        Field(
            description="the folder of the index, relative to the manifest, or ${NAME} of a postgresql:// address;"
            " agents that share one share their collections and memory, each reading what it may"
        ),
    ] = Field(default=".ringfence/knowledge", validate_default=True)
    ocr: Annotated[
        str,
        Field(
            pattern=SCRIPTS,
            description="languages (eng, deu+eng) in which tesseract, if it is here, reads pages that are scans",
        ),
    ] = ""
    passages: Annotated[int, Field(ge=1, le=50, description="passages of one search that the model is shown")] = 5
    rerank: Annotated[
        int,
        Field(
            ge=0,
            le=20,
            description="so many passages of a search are put in order by the model before the best are shown: a"
            " request more for each search; 0: none",
        ),
    ] = 0
    cite: Annotated[
        Literal["off", "warn", "strict"],
        Field(
            description="what an answer from documents says is held against the passages; warn: what none supports is"
            " flagged; strict: it is dropped; off: nothing is checked"
        ),
    ] = "warn"


class Memory(Strict):
    """What is remembered between conversations."""

    enabled: Annotated[bool, Field(description="remember facts, preferences, episodes and procedures")] = False
    recall: Annotated[int, Field(ge=0, le=50, description="memories that a task is shown, at most")] = 5
    expires_days: Annotated[int, Field(ge=1, description="after so many days nothing is recalled any more")] = 365
    summary: Annotated[
        bool, Field(description="what a conversation's window (workflow.history) leaves out is summed up by the model")
    ] = True
    notes: Annotated[
        Folder | None, Field(description="a folder of daily notes in Markdown, written for people; none if not set")
    ] = None
