"""A model that says what a script says, in process."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ringfence.core.errors import BackendError, InternalError
from ringfence.core.values import Action, Outcome, Prompt

Script = Sequence[str | BackendError] | Callable[[Prompt], str]


class ScriptedModel:
    """A sink that answers from a list, in order, or from a function of the prompt; `prompts` keeps what it was asked.

    A BackendError in the list is raised in its turn. A list that has run out raises BackendError.
    """

    def __init__(self, steps: Script) -> None:
        self._steps = steps
        self.prompts: list[Prompt] = []

    async def perform(self, action: Action) -> Outcome:
        """The next answer, with tokens counted as one per four bytes."""
        prompt = action.prompt
        if prompt is None:
            raise InternalError(f"{action.sink} was given no prompt")
        self.prompts.append(prompt)
        text = self._answer(prompt)
        if action.progress is not None:
            action.progress(text)
        usage = {"prompt": sum(map(len, prompt.messages)) // 4, "completion": -(-len(text) // 4), "cached": 0}
        return Outcome({"text": text, "finish": "stop", "usage": usage, "model": "scripted"})

    def _answer(self, prompt: Prompt) -> str:
        if callable(self._steps):
            return self._steps(prompt)
        if len(self.prompts) > len(self._steps):
            raise BackendError(f"the script has {len(self._steps)} steps, and step {len(self.prompts)} was asked for")
        step = self._steps[len(self.prompts) - 1]
        if isinstance(step, BackendError):
            raise step
        return step
