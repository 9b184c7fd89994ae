"""Long-term memory: what is remembered of people, teams and agents, by whom it may be read, and what it rests on."""

from .items import KINDS, Item, Kind, Saying, State
from .scopes import AGENT, ME, Scope
from .store import Memories, Recalled, Saved

__all__ = ["AGENT", "KINDS", "ME", "Item", "Kind", "Memories", "Recalled", "Saved", "Saying", "Scope", "State"]
