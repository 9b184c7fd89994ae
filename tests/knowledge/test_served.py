"""A server of embeddings that is slow, wrong, busy or gone: what is retried, what is refused, what is said."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

import numpy as np
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from ringfence.core.errors import BackendError
from ringfence.knowledge.chunks import estimate
from ringfence.knowledge.ports import Embedder
from ringfence.knowledge.served import OpenAIEmbedder

Reply = Callable[[Sequence[str]], web.Response]


def vector(text: str, dim: int = 8) -> list[float]:
    """How often each of some letters is in a text: something that is computed, and tells texts apart."""
    return [1.0 + text.count(letter) for letter in "abcdefghijklmnop"[:dim]]


def good(texts: Sequence[str]) -> web.Response:
    return web.json_response({"data": [{"index": n, "embedding": vector(text)} for n, text in enumerate(texts)]})


def answer(body: Any) -> Reply:
    return lambda texts: web.Response(text=json.dumps(body), content_type="application/json")


def status(code: int, said: str = "", **headers: str) -> Reply:
    return lambda texts: web.Response(
        status=code, text=said, headers={key.replace("_", "-"): value for key, value in headers.items()}
    )


class Server:
    """Answers with the replies in order, and the last of them from then on."""

    def __init__(self) -> None:
        self.replies: list[Reply] = [good]
        self.asked: list[list[str]] = []
        self.url = ""

    async def embeddings(self, request: web.Request) -> web.Response:
        texts = json.loads(await request.read())["input"]
        self.asked.append(texts)
        reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
        return reply(texts)


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    made, application = Server(), web.Application()
    application.router.add_post("/v1/embeddings", made.embeddings)
    async with TestServer(application) as running:
        made.url = f"http://127.0.0.1:{running.port}"
        yield made


@pytest.fixture
async def remote(server: Server) -> AsyncIterator[OpenAIEmbedder]:
    made = OpenAIEmbedder(server.url, "m", backoff_s=0.001, retries=2)
    yield made
    await made.aclose()


async def test_texts_are_sent_in_batches_and_come_back_in_order(remote: OpenAIEmbedder, server: Server) -> None:
    made: Embedder = remote
    texts = [f"a{'b' * (n % 7)}{'c' * (n % 11)}" for n in range(150)]
    found = await made.embed(texts)
    expected = np.array([vector(text) for text in texts])
    assert np.allclose(found, expected / np.linalg.norm(expected, axis=1, keepdims=True))
    assert found.dtype == np.float32
    assert [len(asked) for asked in server.asked] == [64, 64, 22]
    assert made.dim == 8
    assert made.count("two words") == estimate("two words")


async def test_a_batch_is_bounded_in_characters_too(remote: OpenAIEmbedder, server: Server) -> None:
    await remote.embed(["x" * 150_000, "y" * 150_000, "z" * 300_000, "a"])
    assert [len(asked) for asked in server.asked] == [1, 1, 1, 1]


async def test_nothing_is_asked_for_no_text(remote: OpenAIEmbedder, server: Server) -> None:
    assert (await remote.embed([])).shape == (0, 0)
    assert server.asked == []


@pytest.mark.parametrize("code", [408, 429, 500, 502, 503, 504])
async def test_what_may_pass_is_tried_again(remote: OpenAIEmbedder, server: Server, code: int) -> None:
    server.replies = [status(code), status(code, Retry_After="0"), good]
    assert (await remote.embed(["a"])).shape == (1, 8)
    assert len(server.asked) == 3


async def test_a_server_that_stays_busy_is_told_after_the_retries(remote: OpenAIEmbedder, server: Server) -> None:
    server.replies = [status(503, "model is loading")]
    with pytest.raises(BackendError, match="answered 503 to m: model is loading"):
        await remote.embed(["a"])
    assert len(server.asked) == 3


async def test_a_long_retry_after_is_not_waited_for(remote: OpenAIEmbedder, server: Server) -> None:
    server.replies = [status(429, "slow down", Retry_After="3600")]
    with pytest.raises(BackendError, match="429"):
        await remote.embed(["a"])
    assert len(server.asked) == 1


async def test_a_refusal_is_not_repeated_and_never_shows_the_key(server: Server) -> None:
    remote = OpenAIEmbedder(server.url + "/v1/", "m", key=lambda: "s3same")
    server.replies = [status(401, "bad key: s3same")]
    with pytest.raises(BackendError) as caught:
        await remote.embed(["a"])
    await remote.aclose()
    assert len(server.asked) == 1
    assert "s3same" not in str(caught.value)
    assert "api_key" in caught.value.todo


async def test_a_text_that_is_refused_by_itself_is_told_and_later_batches_are_whole_again(
    remote: OpenAIEmbedder, server: Server
) -> None:
    def picky(texts: Sequence[str]) -> web.Response:
        return status(400, "input is longer than 512 tokens")(texts) if "long" in texts else good(texts)

    server.replies = [picky]
    with pytest.raises(BackendError, match="longer than 512 tokens"):
        await remote.embed(["a", "b", "long", "c"])
    assert [len(asked) for asked in server.asked] == [4, 2, 2, 1]
    await remote.embed(["a"] * 60)
    assert len(server.asked[-1]) == 60


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"data": [{"index": 0, "embedding": [1.0]}]}, "1 vectors to 2 texts"),
        ({"data": [{"index": 0, "embedding": [1.0]}, {"index": 0, "embedding": [1.0]}]}, "2 vectors to 2 texts"),
        ({"data": [{"index": n, "embedding": [float("nan"), 1.0]} for n in (0, 1)]}, "not finite"),
        ({"data": [{"index": n, "embedding": [0.0, 0.0]} for n in (0, 1)]}, "or 0"),
        ({"data": [{"index": n, "embedding": [1.0] * (n + 1)} for n in (0, 1)]}, "no list of vectors"),
        ({"data": [{"index": n, "embedding": ["1.0"]} for n in (0, 1)]}, "no lists of numbers"),
        ({"data": [{"index": n, "embedding": 1.0} for n in (0, 1)]}, "no lists of numbers"),
        ({"data": [{"index": n, "embedding": []} for n in (0, 1)]}, "or 0|no lists"),
        ({"choices": []}, "no list of vectors"),
        ([1, 2], "no list of vectors"),
        ("<html>", "no list of vectors"),
    ],
)
async def test_an_answer_that_is_no_list_of_vectors_is_refused(
    remote: OpenAIEmbedder, server: Server, body: Any, said: str
) -> None:
    server.replies = [answer(body)]
    with pytest.raises(BackendError, match=said) as caught:
        await remote.embed(["a", "b"])
    assert "embedding model" in caught.value.todo
    assert remote.dim == 0


async def test_vectors_of_another_dimension_than_before_are_refused(remote: OpenAIEmbedder, server: Server) -> None:
    await remote.embed(["a"])
    server.replies = [answer({"data": [{"index": 0, "embedding": [1.0] * 9}]})]
    with pytest.raises(BackendError, match="9 numbers instead of 8") as caught:
        await remote.embed(["a"])
    assert "kb reindex" in caught.value.todo


async def test_a_redirect_is_not_followed(remote: OpenAIEmbedder, server: Server) -> None:
    server.replies = [status(307, Location="http://127.0.0.1:9/v1/embeddings")]
    with pytest.raises(BackendError, match="answered 307"):
        await remote.embed(["a"])


async def test_a_server_that_is_not_there_is_named_with_what_to_do(unused_port: int) -> None:
    remote = OpenAIEmbedder(f"http://127.0.0.1:{unused_port}", "m", backoff_s=0.001, retries=1)
    with pytest.raises(BackendError, match=f"no embedding server answers at .*:{unused_port}/v1/embeddings") as caught:
        await remote.embed(["a"])
    assert "endpoint" in caught.value.todo
    await remote.aclose()


async def test_a_server_that_never_answers_is_given_up(server: Server) -> None:
    never = asyncio.Event()

    async def hang(request: web.Request) -> web.Response:
        await never.wait()
        return web.Response()

    application = web.Application()
    application.router.add_post("/v1/embeddings", hang)
    async with TestServer(application) as running:
        remote = OpenAIEmbedder(f"http://127.0.0.1:{running.port}", "m", timeout_s=0.2)
        with pytest.raises(BackendError, match=r"within 0\.2 s"):
            await remote.embed(["a"])
        await remote.aclose()
        never.set()


@pytest.fixture
def unused_port() -> int:
    import socket

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])
