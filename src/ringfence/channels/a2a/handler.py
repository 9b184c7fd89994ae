"""What other agents may ask for: begin a task, follow it, look at it, end it. Nobody sees another's."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing, contextmanager
from typing import Any, Final

from a2a.server.context import ServerCallContext
from a2a.server.request_handlers.request_handler import RequestHandler
from a2a.types import a2a_pb2 as pb
from a2a.utils import errors

from ringfence.app import new_run_id, now_ms
from ringfence.app.serving.feed import Delta
from ringfence.app.serving.history import History, Told, Wanted
from ringfence.app.serving.reading import Reading
from ringfence.app.serving.service import NotFound, Service
from ringfence.app.serving.shown import shown
from ringfence.core.errors import InternalError, RingfenceError
from ringfence.core.values import Principal
from ringfence.engine.result import Result

from .. import telling
from . import tasks
from .card import ACT, ASK, SKILL, TEXT, card_of

Event = pb.Task | pb.TaskStatusUpdateEvent | pb.TaskArtifactUpdateEvent
_PAGE: Final = 50
_NAMES: Final = {state: [name for name, one in tasks.STATES.items() if one == state] for state in tasks.STATES.values()}


@contextmanager
def _said() -> Any:
    """Our errors, in the protocol's words."""
    try:
        yield
    except NotFound:
        raise errors.TaskNotFoundError("there is no such task") from None
    except InternalError:
        raise errors.InternalError("something is wrong here, and it is ours") from None
    except RingfenceError as error:
        raise errors.UnsupportedOperationError(f"{error.what}; {error.todo}" if error.todo else error.what) from None


class Tasks(RequestHandler):
    """The tasks of a service's principals, for the SDK's dispatcher."""

    def __init__(self, service: Service, reading: Reading) -> None:
        self._service, self._reading, self._history = service, reading, History(service, reading)

    async def on_message_send(self, params: pb.SendMessageRequest, context: ServerCallContext) -> pb.Task:
        """Begin a task, and answer when it is done or waits, or at once. It goes on if the other end goes away."""
        with _said():
            who, run = _who(context), await self._begin(params, context)
            if not params.configuration.return_immediately:
                await self._service.result(who, run)
            return await self._task(context, run, _length(params.configuration))

    async def on_message_send_stream(
        self, params: pb.SendMessageRequest, context: ServerCallContext
    ) -> AsyncGenerator[Event]:
        """Begin a task, and tell of it. It goes on if the other end goes away, and can be followed again."""
        with _said():
            run = await self._begin(params, context)
            async for event in self._follow(context, run):
                yield event

    async def on_subscribe_to_task(
        self, params: pb.SubscribeToTaskRequest, context: ServerCallContext
    ) -> AsyncGenerator[Event]:
        """Go on to be told of a task that has not ended."""
        with _said():
            run = await self._history.own(_who(context), params.id)
            if run.state in tasks.OVER:
                raise errors.UnsupportedOperationError(f"the task has ended: {run.state}")
            async for event in self._follow(context, run.run):
                yield event

    async def on_get_task(self, params: pb.GetTaskRequest, context: ServerCallContext) -> pb.Task:
        """A task as it is."""
        with _said():
            return await self._task(context, params.id, _length(params))

    async def on_list_tasks(self, params: pb.ListTasksRequest, context: ServerCallContext) -> pb.ListTasksResponse:
        """The caller's tasks, the newest first; `total_size` counts those of the page, for nobody counts the others."""
        if params.page_token and not params.page_token.isdecimal():
            raise errors.InvalidParamsError("expected a page token of this server's")
        size = min(max(params.page_size or _PAGE, 1), 100)
        states = frozenset(_NAMES.get(params.status, ["-"])) if params.status else frozenset[str]()
        before = int(params.page_token[:18]) if params.page_token else None
        with _said():
            wanted = Wanted(states, params.context_id)
            runs, after = await self._history.page(_who(context), wanted, size, before)
            found = [await self._task(context, run.run, _length(params)) for run in runs]
        token = "" if after is None else str(after)
        return pb.ListTasksResponse(tasks=found, next_page_token=token, page_size=size, total_size=len(found))

    async def on_cancel_task(self, params: pb.CancelTaskRequest, context: ServerCallContext) -> pb.Task:
        """End a task for good."""
        with _said():
            run = await self._history.own(_who(context), params.id)
            if run.state in tasks.OVER:
                raise errors.TaskNotCancelableError(f"the task has ended: {run.state}")
            await self._service.cancel(_who(context), run.run)
            return await self._task(context, run.run, None)

    async def on_get_extended_agent_card(
        self, params: pb.GetExtendedAgentCardRequest, context: ServerCallContext
    ) -> pb.AgentCard:
        """The card for who has a key."""
        return card_of(self._service.agent, _base(context), known=True)

    async def on_create_task_push_notification_config(self, params: Any, context: ServerCallContext) -> Any:
        """Not here: whom the server tells is for its manifest to say (`server.webhooks`)."""
        raise errors.PushNotificationNotSupportedError

    on_get_task_push_notification_config = on_create_task_push_notification_config
    on_list_task_push_notification_configs = on_create_task_push_notification_config
    on_delete_task_push_notification_config = on_create_task_push_notification_config

    async def _begin(self, params: pb.SendMessageRequest, context: ServerCallContext) -> str:
        service, message, who = self._service, params.message, _who(context)
        modes = list(params.configuration.accepted_output_modes)
        if modes and not {TEXT, "text/*", "*/*"} & set(modes):
            raise errors.ContentTypeNotSupportedError(f"this agent answers with {TEXT}")
        if params.configuration.HasField("task_push_notification_config"):
            raise errors.PushNotificationNotSupportedError
        if message.task_id:
            told = await self._history.own(who, message.task_id)
            why = "it has ended" if told.state in tasks.OVER else "a person answers what it asks, on this server's page"
            raise errors.UnsupportedOperationError(f"a task takes no further messages: {why}")
        text, skill = tasks.text_of(message), _skill(params)
        named = message.context_id[:200]
        return await service.submit(
            who, text, conversation=named or new_run_id(now_ms()), effects=skill == ACT,
            meta=telling.meta_of("a2a", None),
        )  # fmt: skip

    async def _task(self, context: ServerCallContext, run: str, history: int | None) -> pb.Task:
        told = await self._history.told(_who(context), run)
        return await self._made(context, told, history)

    async def _made(self, context: ServerCallContext, told: Told, history: int | None) -> pb.Task:
        run = told.summary
        end = await telling.ending(self._service, _who(context), told.result, base=_base(context))
        return tasks.task_of(
            run.run, run.conversation, run.task, end, state=run.state, at=run.ended, history=history
        )  # fmt: skip

    async def _follow(self, context: ServerCallContext, run: str) -> AsyncGenerator[Event]:
        """The task, its steps in words, its answer, and where it stands at the end."""
        who, steps, count = _who(context), telling.Steps(), 0
        task = await self._task(context, run, None)
        place: dict[str, Any] = {"task_id": run, "context_id": task.context_id}
        if task.status.state not in (pb.TASK_STATE_SUBMITTED, pb.TASK_STATE_WORKING):
            task.status.CopyFrom(tasks.status("running", run=run, context=task.context_id))
            del task.artifacts[:]
        yield task
        async with aclosing(self._service.events(who, run)) as items:
            async for item in items:
                if not isinstance(item, Delta) and (line := steps.line(shown(item, who.member))):
                    count += 1
                    said = tasks.status("running", run=run, context=task.context_id, text=line, at=item.time,
                                        place=f"step-{count}")  # fmt: skip
                    yield pb.TaskStatusUpdateEvent(status=said, **place)
        result: Result = await self._service.result(who, run)
        end = await telling.ending(self._service, who, result, base=_base(context))
        if end.status in tasks.ANSWERED:
            yield pb.TaskArtifactUpdateEvent(artifact=tasks.artifact(run, end.text), last_chunk=True, **place)
        words = "" if end.status in tasks.ANSWERED else end.text
        last = pb.TaskStatusUpdateEvent(
            status=tasks.status(end.status, run=run, context=task.context_id, text=words), **place
        )
        last.metadata.update({"status": end.status, **({"approval": end.approval} if end.approval else {})})
        yield last


def _skill(params: pb.SendMessageRequest) -> str:
    given = {**dict(params.metadata), **dict(params.message.metadata)}.get(SKILL, ASK)
    if given not in (ASK, ACT):
        raise errors.InvalidParamsError(f"expected the skill {ASK} or {ACT}, got {str(given)[:40]!r}")
    return str(given)


def _length(params: Any) -> int | None:
    return params.history_length if params.HasField("history_length") else None


def _who(context: ServerCallContext) -> Principal:
    who: Principal = context.state["principal"]
    return who


def _base(context: ServerCallContext) -> str:
    return str(context.state["base"])
