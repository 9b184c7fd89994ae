"""The ways in for clients that people have already: of OpenAI's API, and whoever posts a task and wants its answer."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter

from .http import agent
from .openai import chat, listing, responses, vectors

ROUTERS: Final[tuple[APIRouter, ...]] = (
    agent.routes,
    chat.routes,
    responses.routes,
    vectors.routes,
    listing.routes,
)
