"""Who says something, and when: moments are UTC without a zone, and as text they sort."""

from __future__ import annotations

import getpass
from datetime import UTC, datetime
from typing import Final

from deeplog_nb.frames import InputError

ISO: Final = "%Y-%m-%dT%H:%M:%S%.6f"  # how polars reads what :func:`text` wrote


def signed(who: str | None) -> dict[str, str]:
    """``at`` and ``who`` of a new row; nobody named is the user of this process."""
    return {"at": text(now()), "who": user() if who is None else who}


def user() -> str:
    """The name of the user of this process."""
    try:
        return getpass.getuser().encode("utf-8", "backslashreplace").decode()
    except (KeyError, OSError):  # a container's user may have no name
        return "unknown"


def now() -> datetime:
    """The moment of the call."""
    return datetime.now(UTC).replace(tzinfo=None)


def utc(when: datetime) -> datetime:
    """The same moment without a zone; what has none is UTC already.

    >>> from datetime import timedelta, timezone
    >>> utc(datetime(2026, 3, 2, 12, tzinfo=timezone(timedelta(hours=2))))
    datetime.datetime(2026, 3, 2, 10, 0)
    """
    if not isinstance(when, datetime):
        raise InputError(f"{when!r} is no moment; give a datetime, which is UTC if it names no zone")
    return when.astimezone(UTC).replace(tzinfo=None) if when.tzinfo else when


def text(when: datetime) -> str:
    """As it is stored, to the microsecond."""
    return when.isoformat(timespec="microseconds")
