"""What the agent says of itself: to anybody its name and how to ask it, to who has a key also with which tools.

There are two skills, as over MCP: to look things up, which changes nothing, and to act, where the agent has effects.
"""

from __future__ import annotations

from typing import Final

from a2a.types import a2a_pb2 as pb

from ringfence import __version__
from ringfence.app import Agent
from ringfence.engine.step import TOOL
from ringfence.manifest.types import ALWAYS_THERE

PATH: Final = "/a2a"
ASK, ACT = "ask", "act"
SKILL: Final = "skill"  # in the metadata of a message: which of them is meant; ask, where nothing is said
TEXT: Final = "text/plain"
VERSIONS: Final = ("1.0", "0.3")


def card_of(agent: Agent, base: str, *, known: bool) -> pb.AgentCard:
    """The card; `base` is the address of this server, `known` whether the reader has shown who they are."""
    name, keys = agent.manifest.runtime.name, agent.manifest.server.auth.keys
    schemes = {"key": _BEARER} if keys else {}
    needs = [pb.SecurityRequirement(schemes={scheme: pb.StringList()}) for scheme in schemes]
    return pb.AgentCard(
        name=name,
        description=f"The agent {name}: it takes a task in plain words, and answers with what its tools have shown.",
        version=agent.manifest.runtime.version or __version__,
        supported_interfaces=[
            pb.AgentInterface(url=base + PATH, protocol_binding="JSONRPC", protocol_version=one) for one in VERSIONS
        ],
        capabilities=pb.AgentCapabilities(streaming=True, push_notifications=False, extended_agent_card=True),
        security_schemes=schemes,
        security_requirements=needs,
        default_input_modes=[TEXT],
        default_output_modes=[TEXT],
        skills=_skills(agent, known=known),
    )


_BEARER: Final = pb.SecurityScheme(
    http_auth_security_scheme=pb.HTTPAuthSecurityScheme(scheme="Bearer", description="an API key (`ringfence keys`)")
)
_ACTS: Final = (
    f'Does what may change things. Say so in the metadata of the message: {{"{SKILL}": "{ACT}"}}.'
    " What needs a person's yes waits for it, as input-required; it is given on this server's page, and never by a"
    " message."
)


def _skills(agent: Agent, *, known: bool) -> list[pb.AgentSkill]:
    house = agent.house
    tools = {name.removeprefix(TOOL) for name in house.reads if name.startswith(TOOL)} - set(ALWAYS_THERE)
    reads = sorted({name.partition(".")[0] for name in tools})
    acts = sorted(name.removeprefix(TOOL) for name in house.effects)
    found = [
        pb.AgentSkill(
            id=ASK, name="Ask", tags=["questions", *(reads if known else ())],
            description="Does what can be done by looking things up. Changes nothing, whatever the task says.",
        )
    ]  # fmt: skip
    if acts:
        found.append(
            pb.AgentSkill(
                id=ACT, name="Act", tags=["effects", *(acts if known else ())],
                description=_ACTS,
            )
        )  # fmt: skip
    return found
