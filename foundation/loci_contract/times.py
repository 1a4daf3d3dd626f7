"""Times as requests spell them: one parser for bodies, filters, query parameters and tenant documents.

A time is RFC 3339 with seconds and a zone: `2026-01-31T12:00:00Z`, `2026-01-31t14:00:00.5+02:00`. `T` and `Z` may be
lower case, a space may stand for `T`. Digits beyond microseconds are dropped. Everything else is refused: numbers (Unix
seconds), dates alone, times without a zone, offsets of 24 hours or more, leap seconds, and times that lie outside the
years 0001 to 9999 in UTC.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Annotated, Final

from pydantic import AwareDatetime, BeforeValidator

EXAMPLE: Final = "2026-01-31T12:00:00Z"
_RFC_3339: Final = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?:[Zz]|([+-])(\d\d):(\d\d))", re.ASCII
)
_LEAP_SECOND: Final = 60
_OFFSET_MAX: Final = (23, 59)


def parse_time(value: object) -> datetime:
    """The moment, in UTC with microseconds, that a string names; an aware datetime is taken as it is.

    Raises:
        ValueError: the message says what is wrong and shows a valid time.
    """
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise _invalid("must have a time zone")
        return _in_utc(value)
    match = _RFC_3339.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise _invalid("must be a string with a date, a time and a zone (RFC 3339)")
    *numbers, fraction, sign, hours, minutes = match.groups()
    year, month, day, hour, minute, second = map(int, numbers)
    if second == _LEAP_SECOND:
        raise _invalid("must not be a leap second: use second 59")
    zone = _zone(sign, int(hours or 0), int(minutes or 0))
    microsecond = int((fraction or "")[:6].ljust(6, "0"))
    try:
        moment = datetime(year, month, day, hour, minute, second, microsecond, zone)
    except ValueError:
        raise _invalid("must be a date and a time of day that exist") from None
    return _in_utc(moment)


def _zone(sign: str | None, hours: int, minutes: int) -> timezone:
    if hours > _OFFSET_MAX[0] or minutes > _OFFSET_MAX[1]:
        raise _invalid("must have an offset between -23:59 and +23:59")
    offset = timedelta(hours=hours, minutes=minutes)
    return timezone(-offset if sign == "-" else offset)


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise _invalid("must lie in the years 0001 to 9999 in UTC") from None


def _invalid(problem: str) -> ValueError:
    return ValueError(f"{problem}, such as {EXAMPLE}")


Time = Annotated[AwareDatetime, BeforeValidator(parse_time)]
"""A model's field that is read by `parse_time`."""
