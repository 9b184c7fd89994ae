"""XLSX, XLSB, XLS and ODS by calamine: each sheet is a table, whose number is the page. Formulas are their values."""

from __future__ import annotations

import datetime
import io
from collections.abc import Iterator, Sequence

import python_calamine as calamine

from ringfence.knowledge.errors import Unreadable

from ..draft import Draft, Reading
from .archive import package
from .delimited import named

_COPIED = 20_000  # characters of a sheet that stand in more cells than one
_CELLS = 20_000_000  # of a sheet's rectangle: beyond, what is between its corners alone takes gigabytes


def read(reading: Reading, draft: Draft, data: bytes, name: str) -> None:
    """A heading and a table for each sheet that is shown."""
    if data.startswith(b"PK"):
        package(reading, data)
    try:
        book = calamine.CalamineWorkbook.from_filelike(io.BytesIO(data))
    except calamine.PasswordError:
        raise Unreadable("encrypted", todo="save it without a password") from None
    except (calamine.CalamineError, OSError, ValueError) as fault:
        raise Unreadable(f"a broken spreadsheet: {fault}"[:200]) from None
    sheets = book.sheets_metadata
    if len(sheets) > reading.bounds.pages:
        draft.note(f"it has {len(sheets):,} sheets: those after the first {reading.bounds.pages:,} are left out")
    for number, sheet in enumerate(sheets[: reading.bounds.pages], 1):
        if sheet.typ != calamine.SheetTypeEnum.WorkSheet:
            continue
        if sheet.visible != calamine.SheetVisibleEnum.Visible:
            draft.note(f"sheet {number} ({sheet.name}) is hidden: it is left out")
            continue
        try:
            _sheet(draft, book.get_sheet_by_name(sheet.name), number)
        except (calamine.CalamineError, ValueError, OSError) as fault:
            draft.note(f"sheet {number} ({sheet.name}) is broken: {fault}"[:300])


def _sheet(draft: Draft, sheet: calamine.CalamineSheet, number: int) -> None:
    if sheet.height * sheet.width > _CELLS:
        draft.note(f"sheet {number} ({sheet.name}) spans more than {_CELLS:,} cells: it is left out")
        return
    if not sheet.height:
        return
    draft.heading(sheet.name, 1, number)
    draft.table(named(_rows(sheet)), number, whole=False)


def _rows(sheet: calamine.CalamineSheet) -> Iterator[Sequence[str]]:
    rows = sheet.to_python(skip_empty_area=True)
    merged = _merged(sheet, rows)
    for n, row in enumerate(rows):
        yield [_cell(value) or merged.get((n, column), "") for column, value in enumerate(row)]


def _merged(sheet: calamine.CalamineSheet, rows: Sequence[Sequence[object]]) -> dict[tuple[int, int], str]:
    """What stands in the cells that are merged, by row and column, but for those over the whole width: a title."""
    above, left = sheet.start or (0, 0)
    found: dict[tuple[int, int], str] = {}
    room = _COPIED
    for (top, first), (bottom, last) in sheet.merged_cell_ranges or ():
        area = range(max(0, top - above), min(len(rows), bottom - above + 1))
        columns = range(max(0, first - left), min(sheet.width, last - left + 1))
        words = _cell(rows[area[0]][columns[0]]) if area and columns else ""
        if words and len(columns) < sheet.width and (size := len(words) * len(area) * len(columns)) <= room:
            room -= size
            found |= {(row, column): words for row in area for column in columns}
    return found


def _cell(value: object) -> str:
    """As people write it: whole numbers without a fraction, a day without an hour."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, datetime.datetime):
        return value.date().isoformat() if value.time() == datetime.time() else value.isoformat(" ")
    return value.isoformat() if isinstance(value, datetime.date | datetime.time) else str(value)
