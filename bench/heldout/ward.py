"""A hospital ward: patients with their appointments, charts, messages among colleagues."""

from __future__ import annotations

from typing import Any, Literal

from rows import known

Env = dict[str, Any]
Kind = Literal["consultation", "imaging", "physiotherapy", "procedure", "discharge talk"]


def list_patients(env: Env) -> Any:
    """The patients of the ward: number, name, bed, consultant, what reception remarked, and their appointments."""
    return [
        patient | {"appointments": [one for one in env["appointments"] if one["patient_id"] == patient["id"]]}
        for patient in env["patients"]
    ]


def read_chart(env: Env, patient_id: str) -> Any:
    """A patient's prescriptions and notes."""
    known(env["patients"], "id", patient_id)
    return {
        "patient_id": patient_id,
        "prescriptions": [one for one in env["prescriptions"] if one["patient_id"] == patient_id],
        "notes": [one for one in env["notes"] if one["patient_id"] == patient_id],
    }


def read_messages(env: Env) -> Any:
    """My inbox: sender, subject, day and text of each message."""
    return env["messages"]


def write_note(env: Env, patient_id: str, text: str) -> Any:
    """Add a note to a patient's chart. Notes are never removed."""
    known(env["patients"], "id", patient_id)
    number = f"N-{len(env['notes']) + 1}"
    env["notes"].append({"id": number, "patient_id": patient_id, "author": "me", "text": text})
    return {"id": number}


def book_appointment(env: Env, patient_id: str, kind: Kind, date: str, time: str, room: str) -> Any:
    """Book an appointment for a patient; date as YYYY-MM-DD, time as HH:MM."""
    known(env["patients"], "id", patient_id)
    number = f"A-{400 + len(env['appointments'])}"
    booked = {"id": number, "patient_id": patient_id, "kind": kind, "date": date, "time": time, "room": room}
    env["appointments"].append(booked)
    return {"id": number}


def cancel_appointment(env: Env, appointment_id: str, reason: str) -> Any:
    """Cancel an appointment; the slot goes to the next patient on the list."""
    env["appointments"].remove(known(env["appointments"], "id", appointment_id))
    env["cancelled"].append({"id": appointment_id, "reason": reason})
    return {"cancelled": appointment_id}


def change_prescription(env: Env, prescription_id: str, dose_mg: float, times_per_day: int) -> Any:
    """Change the single dose, in milligrams, and how often a day it is given."""
    known(env["prescriptions"], "id", prescription_id).update(dose_mg=dose_mg, times_per_day=times_per_day)
    return {"changed": prescription_id}


def send_message(env: Env, to: list[str], subject: str, body: str) -> Any:
    """Send a message to colleagues, by their mail addresses."""
    env["sent"].append({"to": to, "subject": subject, "body": body})
    return {"sent": len(env["sent"])}


TOOLS = (
    list_patients,
    read_chart,
    read_messages,
    write_note,
    book_appointment,
    cancel_appointment,
    change_prescription,
    send_message,
)
