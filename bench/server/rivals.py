"""The same work by other frameworks behind FastAPI: take a task, ask the model, stream what it says, say the end.

`python rivals.py NAME PORT MODEL_URL`, from a venv with `requirements.txt`. Each is used as its own pages have it, with
one agent for all requests, no tracing and no store: none of them keeps a record. What their model says is streamed.
"""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator, Callable
from typing import Any

import uvicorn
from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from pydantic import BaseModel

Stream = Callable[[str], AsyncIterator[str]]
SYSTEM = "You are an assistant. Answer the task."


class Task(BaseModel):
    """What is asked."""

    task: str


def langgraph(url: str) -> Stream:
    """A graph of one node that asks the model."""
    from langchain_core.messages import HumanMessage, SystemMessage
    from langchain_openai import ChatOpenAI
    from langgraph.graph import END, START, MessagesState, StateGraph

    model = ChatOpenAI(model="scripted", base_url=url, api_key="none", stream_usage=False)

    async def ask(state: MessagesState) -> dict[str, Any]:
        return {"messages": [await model.ainvoke([SystemMessage(SYSTEM), *state["messages"]])]}

    graph = StateGraph(MessagesState)
    graph.add_node("ask", ask)
    graph.add_edge(START, "ask")
    graph.add_edge("ask", END)
    made = graph.compile()

    async def stream(task: str) -> AsyncIterator[str]:
        async for message, _ in made.astream({"messages": [HumanMessage(task)]}, stream_mode="messages"):
            yield str(message.content)

    return stream


def pydantic_ai(url: str) -> Stream:
    """An agent without tools."""
    from pydantic_ai import Agent
    from pydantic_ai.models.openai import OpenAIChatModel
    from pydantic_ai.providers.openai import OpenAIProvider

    agent = Agent(
        OpenAIChatModel("scripted", provider=OpenAIProvider(base_url=url, api_key="none")), instructions=SYSTEM
    )

    async def stream(task: str) -> AsyncIterator[str]:
        async with agent.run_stream(task) as run:
            async for text in run.stream_text(delta=True, debounce_by=None):
                yield text

    return stream


def openai_agents(url: str) -> Stream:
    """An agent without tools, over chat completions."""
    from agents import Agent, OpenAIChatCompletionsModel, Runner, set_tracing_disabled
    from openai import AsyncOpenAI

    set_tracing_disabled(True)
    model = OpenAIChatCompletionsModel("scripted", AsyncOpenAI(base_url=url, api_key="none"))
    agent = Agent(name="bench", instructions=SYSTEM, model=model)

    async def stream(task: str) -> AsyncIterator[str]:
        run = Runner.run_streamed(agent, task)
        async for event in run.stream_events():
            if event.type == "raw_response_event" and event.data.type == "response.output_text.delta":
                yield event.data.delta

    return stream


RIVALS = {"langgraph": langgraph, "pydantic-ai": pydantic_ai, "openai-agents": openai_agents}


def application(stream: Stream) -> FastAPI:
    """One route."""
    app = FastAPI()

    @app.post("/run")
    async def run(task: Task) -> StreamingResponse:
        async def lines() -> AsyncIterator[str]:
            async for text in stream(task.task):
                yield f"event: delta\ndata: {text!r}\n\n"
            yield "event: end\ndata: {}\n\n"

        return StreamingResponse(lines(), media_type="text/event-stream")

    return app


if __name__ == "__main__":
    os.environ.setdefault("OPENAI_API_KEY", "none")
    name, port, url = sys.argv[1:4]
    app = application(RIVALS[name](url))
    uvicorn.run(app, port=int(port), log_level="error", loop="uvloop", http="httptools", access_log=False)
