"""Wrong passwords: after a few in a row there is a wait, which doubles; in the file, so that no restart forgets it.

Each attempt counts before its password is looked at, and is taken back if it was right: a thousand at once are a
thousand. They count for names that nobody has, too, so that a wait tells nothing about who has an account.
"""

from __future__ import annotations

from typing import Any, Final

from ringfence.core.ports import Clock

from .file import File

FIRST_MS: Final = 2_000
LONGEST_MS: Final = 15 * 60_000  # so that an account that somebody else locks out opens again
FORGOTTEN_MS: Final = 24 * 3_600_000  # after so long without an attempt
ADDRESS: Final = 5  # an address, which may be a whole house's, has so many times the attempts of an account
REGAINED_MS: Final = 60_000  # an address gets one back a minute: many people's slips are no attack
ROWS: Final = 100_000  # names that are kept in mind; beyond, the oldest go


class Attempts:
    """How often which account and which address was wrong."""

    def __init__(self, file: File, clock: Clock) -> None:
        self._file = file
        self._clock = clock

    def begin(self, name: str, address: str, allowed: int) -> int:
        """Count an attempt; the milliseconds to wait if there may be none now, else 0. Durable before it answers."""
        now = self._clock()
        limits = {f"name:{name}": allowed, f"from:{address}": allowed * ADDRESS}
        with self._file.changing() as db:
            wait = max(_until(db, who) for who in limits) - now
            if wait > 0:
                return wait
            for who, most in limits.items():
                count = 1 + _count(db, who, now)
                over = count - most
                until = now + min(LONGEST_MS, FIRST_MS << min(over, 20)) if over >= 0 else 0
                db.execute("INSERT OR REPLACE INTO attempts VALUES (?, ?, ?, ?)", (who, count, now, until))
            _tidy(db, now)
        return 0

    def right(self, name: str, address: str) -> None:
        """It was right: the account begins anew; of the address only this one is taken back."""
        with self._file.changing() as db:
            db.execute("DELETE FROM attempts WHERE who = ?", (f"name:{name}",))
            take_back = "UPDATE attempts SET count = max(0, count - 1), until = 0 WHERE who = ?"
            db.execute(take_back, (f"from:{address}",))

    def clear(self, name: str) -> None:
        """Let an account begin anew: its password was set by who may."""
        with self._file.changing() as db:
            db.execute("DELETE FROM attempts WHERE who = ?", (f"name:{name}",))


def _until(db: Any, who: str) -> int:
    return int(db.execute("SELECT until FROM attempts WHERE who = ?", (who,)).get or 0)


def _count(db: Any, who: str, now: int) -> int:
    """How many wrong ones count still."""
    found = db.execute(
        "SELECT count, last FROM attempts WHERE who = ? AND last > ?", (who, now - FORGOTTEN_MS)
    ).fetchall()
    if not found:
        return 0
    count, last = found[0]
    return max(0, int(count) - ((now - int(last)) // REGAINED_MS if who.startswith("from:") else 0))


def _tidy(db: Any, now: int) -> None:
    db.execute("DELETE FROM attempts WHERE last <= ?", (now - FORGOTTEN_MS,))
    count = int(db.execute("SELECT count(*) FROM attempts").get)
    if count > ROWS:
        oldest = "DELETE FROM attempts WHERE who IN (SELECT who FROM attempts ORDER BY last LIMIT ?)"
        db.execute(oldest, (count - ROWS,))
