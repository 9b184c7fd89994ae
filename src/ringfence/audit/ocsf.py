"""Records as events of the Open Cybersecurity Schema Framework 1.8.0 (https://schema.ocsf.io/1.8.0).

    run.started, run.finished     Application Lifecycle (6002): Start, Stop
    intent, outcome               API Activity (6003): Read, Update for an effect, Other for models and replies
    decision (a refusal, a question)  API Activity (6003) with the profile `security_control`: Denied, an alert
    approval                      User Access Management (3005): Assign Privileges
    checkpoint of an attempt to get out  Network Activity (4001)
    message, other checkpoints    Base Event (0); of medium severity where nobody knows whether a call was done
    a fork's copy of any of these Base Event (0): it did not happen again

`metadata.uid` is the leaf of the record, `metadata.correlation_uid` the trace id (the run's id where there is none),
`metadata.sequence` the place in the log, and `unmapped` the whole header. A refusal is an activity with a control's
verdict, not a finding: nothing has to be triaged before the next one can be understood.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..core.chain import Kind
from ..core.values import JSON
from .events import Event

VERSION = "1.8.0"
_PRODUCT = {"name": "Ringfence", "vendor_name": "Ringfence"}
_INFORMATIONAL, _LOW, _MEDIUM, _CRITICAL = 1, 2, 3, 5
_SUCCESS, _FAILURE, _UNKNOWN, _OTHER = 1, 2, 0, 99
_STATES = {"open": (1, _SUCCESS), "done": (2, _SUCCESS), "failed": (4, _FAILURE), "refused": (5, _FAILURE)}

Fields = dict[str, Any]


def ocsf(event: Event) -> dict[str, JSON]:
    """The event of one record."""
    if event.copied:
        return _event(event, 0, _OTHER, f"a fork begins with this {event.head['kind']}", activity_name="copy")
    match event.head["kind"]:
        case Kind.STARTED | Kind.FINISHED:
            return _lifecycle(event)
        case Kind.INTENT | Kind.OUTCOME:
            return _call(event)
        case Kind.DECISION:
            return _refusal(event)
        case Kind.APPROVAL:
            granted = {"user": _user(event), "privileges": [event.sink or "unknown"], "status_id": _SUCCESS}
            who = {"name": by, "uid": by} if (by := event.text("by")) else _user(event)
            return _event(event, 3005, 1, "approved", actor={"app_name": "ringfence", "user": who}, **granted)
        case Kind.CHECKPOINT if isinstance(event.view.get("egress"), dict):
            return _egress(event, event.view["egress"])
        case Kind.CHECKPOINT if event.uncertain:
            words = f"nobody knows whether calls were done: {len(event.uncertain)}"
            return _event(event, 0, _OTHER, words, activity_name="uncertain", severity_id=_MEDIUM)
        case kind:
            return _event(event, 0, _OTHER, str(kind), activity_name=str(kind))


def _lifecycle(event: Event) -> Fields:
    if event.head["kind"] == Kind.STARTED:
        return _event(event, 6002, 3, "a run started", app=_PRODUCT, status_id=_SUCCESS, actor=_actor(event))
    status = event.text("status")
    ended = {"done": _SUCCESS, "failed": _FAILURE}.get(status, _OTHER)
    severity = _LOW if status == "failed" else _INFORMATIONAL
    more: Fields = {"app": _PRODUCT, "actor": _actor(event), "status_id": ended, "severity_id": severity}
    if ended == _OTHER:
        more["status"] = status or "unknown"
    return _event(event, 6002, 4, f"a run ended: {status}", **more)


def _call(event: Event) -> Fields:
    """An intent has no status yet; its outcome has the same `api.request.uid`."""
    seq, about = event.head["seq"], f"{event.head['kind']} {event.sink}"
    more: Fields = {"status_id": _UNKNOWN}
    if event.head["kind"] == Kind.OUTCOME:
        ok = event.view.get("ok")
        seq = event.number("of")
        more["status_id"] = _SUCCESS if ok is True else _FAILURE if ok is False else _UNKNOWN
        more["severity_id"] = _LOW if ok is False else _INFORMATIONAL
        if (took := event.number("ms")) is not None:
            more["duration"] = took
        if "usage" in event.view:
            prompt, completion = event.tokens("prompt"), event.tokens("completion")
            counts = {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}
            more["message_context"] = {"service": {"name": event.sink or "model"}, **counts}
    return _api(event, f"{event.head['run']}/{seq}", about, **more)


def _refusal(event: Event) -> Fields:
    asks = event.text("verdict") == "ask"
    rule, code = event.text("rule"), event.text("code")
    control: Fields = {
        "action_id": _OTHER if asks else 2,
        "action": "Asked" if asks else "Denied",
        "disposition_id": 2,
        "disposition": "Blocked",
        "is_alert": not asks,
        "policy": {"name": rule or "unknown", "is_applied": True},
        "status_id": _FAILURE,
        "status_code": code,
        "severity_id": _LOW if asks else _MEDIUM,
    }
    if code == "canary":  # nobody has a reason to send one: something is reading what it should not pass on
        control |= {"severity_id": _CRITICAL, "severity": "Critical"}
    words = f"{'a person is asked about' if asks else 'refused'} {event.sink}: {rule} {code}"
    return _api(event, f"{event.head['run']}/{event.head['seq']}", words, **control)


def _api(event: Event, request: str, message: str, **more: Any) -> Fields:
    sort = event.sink.partition(":")[0]
    activity = _OTHER if sort != "tool" else 3 if event.effect else 2
    if activity == _OTHER:
        more["activity_name"] = {"model": "Infer", "reply": "Reply"}.get(sort, "Other")
    api = {"operation": event.sink or "unknown", "request": {"uid": request}, "service": {"name": sort or "unknown"}}
    source = {"svc_name": "ringfence", "uid": event.head["log"]}
    return _event(event, 6003, activity, message, actor=_actor(event), api=api, src_endpoint=source, **more)


def _egress(event: Event, tried: Mapping[str, JSON]) -> Fields:
    activity, status = _STATES.get(str(tried.get("state")), (_UNKNOWN, _UNKNOWN))
    host, port = str(tried.get("host", "")), tried.get("port")
    there: Fields = {"hostname": host or "unknown"}
    if type(port) is int:
        there["port"] = port
    if isinstance(address := tried.get("address"), str) and address:
        there["ip"] = address
    counts = {"bytes_out": tried.get("sent"), "bytes_in": tried.get("received")}
    more: Fields = {"traffic": {name: value for name, value in counts.items() if type(value) is int}}
    if activity == 5:
        more |= {"action_id": 2, "disposition_id": 2, "is_alert": True, "severity_id": _MEDIUM}
    message = f"egress to {host}: {tried.get('state')}"
    return _event(event, 4001, activity, message, actor=_actor(event), dst_endpoint=there, status_id=status, **more)


def _event(event: Event, number: int, activity: int, message: str, **more: Any) -> Fields:
    """What every event has. `number` is the class; the category is its thousands."""
    head = event.head
    return {
        "activity_id": activity,
        "category_uid": number // 1000,
        "class_uid": number,
        "message": message,
        "metadata": {
            "correlation_uid": event.trace or head["run"],
            "event_code": head["kind"],
            "log_name": head["log"],
            "original_event_uid": f"{head['log']}/{event.index}",
            "product": _PRODUCT,
            "profiles": _profiles(number, more),
            "sequence": event.index,
            "uid": event.leaf,
            "version": VERSION,
        },
        "severity_id": _INFORMATIONAL,
        "time": head["time"],
        "type_uid": number * 100 + activity,
        "unmapped": {"header": dict(head)},
        **more,
    }


def _profiles(number: int, more: Mapping[str, Any]) -> list[str]:
    """The profiles whose attributes are used; `actor` belongs to one where the class has none of its own."""
    used = {
        "host": "actor" in more and number in (4001, 6002),
        "security_control": "disposition_id" in more,
        "ai_operation": "message_context" in more,
    }
    return [name for name, is_used in used.items() if is_used]


def _actor(event: Event) -> Fields:
    return {"app_name": "ringfence", "user": _user(event)}


def _user(event: Event) -> Fields:
    return {"name": str(event.head["principal"]), "uid": str(event.head["principal"])}
