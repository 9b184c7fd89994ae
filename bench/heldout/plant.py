"""A plant's control desk: sensors and their set points, the shift log, work orders, mails."""

from __future__ import annotations

from typing import Any, Literal

from rows import known

Env = dict[str, Any]


def list_sensors(env: Env, area: str | None = None) -> Any:
    """Measuring points, with value, set point and alarm limit, and what the last shift remarked."""
    return [one for one in env["sensors"] if area in (None, one["area"])]


def read_log(env: Env, date: str | None = None) -> Any:
    """The shift log, of one day (YYYY-MM-DD) or as far as it goes back."""
    return [one for one in env["log"] if date in (None, one["date"])]


def list_work_orders(env: Env, status: Literal["open", "closed"] | None = None) -> Any:
    """Work orders: measuring point, who has it, when it is due, and what it says."""
    return [one for one in env["orders"] if status in (None, one["status"])]


def read_mail(env: Env, sender: str | None = None) -> Any:
    """Mails to the control desk, all or those of one sender."""
    return [one for one in env["mails"] if sender in (None, one["sender"])]


def change_setpoint(env: Env, tag: str, value: float) -> Any:
    """Write a set point to the control system, in the unit of the measuring point."""
    known(env["sensors"], "tag", tag)["setpoint"] = value
    return {"tag": tag, "setpoint": value}


def open_work_order(
    env: Env,
    tag: str,
    assigned_to: str,
    priority: Literal["low", "normal", "high", "urgent"],
    due: str,
    description: str,
) -> Any:
    """Open a work order on a measuring point, for somebody by mail address, due on a day (YYYY-MM-DD)."""
    known(env["sensors"], "tag", tag)
    number = f"WO-{5600 + len(env['orders'])}"
    opened = {"number": number, "tag": tag, "assigned_to": assigned_to, "priority": priority, "due": due}
    env["orders"].append(opened | {"status": "open", "description": description})
    return {"number": number}


def close_work_order(env: Env, number: str, remark: str) -> Any:
    """Close a work order as done. It cannot be opened again."""
    known(env["orders"], "number", number).update(status="closed", remark=remark)
    return {"closed": number}


def send_mail(env: Env, recipients: list[str], subject: str, body: str) -> Any:
    """Send a mail from the control desk."""
    env["sent"].append({"recipients": recipients, "subject": subject, "body": body})
    return {"sent": len(env["sent"])}


TOOLS = (
    list_sensors,
    read_log,
    list_work_orders,
    read_mail,
    change_setpoint,
    open_work_order,
    close_work_order,
    send_mail,
)
