"""Each form of each dialect is read as it is meant."""

from __future__ import annotations

from typing import Any

import pytest

from ringfence.dialects import read

from .corpus import FOLDER, cases

ALL = list(cases())


@pytest.mark.parametrize(("file", "case"), [row[1:] for row in ALL], ids=[row[0] for row in ALL])
def test_a_printed_text_is_read_as_it_is_meant(file: dict[str, Any], case: dict[str, Any]) -> None:
    reading = read(case["text"], file["names"], cut=case.get("cut", False))
    assert [{"tool": call.tool, "args": call.args} for call in reading.calls] == case["calls"]
    assert reading.prose == case["prose"]
    assert reading.dialect == case.get("dialect", file["dialect"])
    assert [call.tool for call in reading.unknown] == case.get("unknown", [])
    assert reading.thoughts == case.get("thoughts", "")
    assert bool(reading.fault) == case.get("fault", False)
    assert reading.truncated == case.get("truncated", False)
    for call in (*reading.calls, *reading.unknown):
        assert call.source in case["text"]


def test_every_file_says_where_its_forms_come_from() -> None:
    assert {file.stem for file in FOLDER.glob("*.json")} >= {"hermes", "qwen", "llama", "mistral", "gemma", "deepseek"}
    assert all(len(file["origin"]) > 20 for _, file, _ in ALL)
