"""Dates in a text, absolute and relative to when it was said, to the precision at which they are given."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

from dateutil.relativedelta import relativedelta

from loci_dataplane.graph.extraction.text import Token, sentences
from loci_dataplane.graph.extraction.words import MONTHS, NUMBERS, WEEKDAYS

_AMBIGUOUS: Final = frozenset({"may", "mar", "march", "sun", "sat", "mon", "wed", "jan", "dec", "mars", "mai"})
"""Months and weekdays that are other words too: they need a number or a word such as `in` or `on` beside them."""
_DAYS: Final = {"today": 0, "tonight": 0, "yesterday": -1, "tomorrow": 1}
_DAYS_ELSEWHERE: Final = {"heute": 0, "gestern": -1, "hoy": 0, "ayer": -1, "hier": -1, "demain": 1, "ontem": -1}
_UNITS: Final = {
    "day": relativedelta(days=1),
    "week": relativedelta(weeks=1),
    "month": relativedelta(months=1),
    "year": relativedelta(years=1),
}
_STEPS: Final = {"last": -1, "this": 0, "next": 1}
_OF: Final = frozenset({"of", "de", "del"})


@dataclass(frozen=True, slots=True)
class Found:
    """A date over tokens `start` to `end`: its first day, and as text to the precision given (`2023-05`)."""

    start: int
    end: int
    day: date
    text: str

    @property
    def moment(self) -> datetime:
        """The beginning of its first day, UTC."""
        return datetime(self.day.year, self.day.month, self.day.day, tzinfo=UTC)


def dates(tokens: Sequence[Token], said: date) -> list[Found]:
    """The dates of a sentence that was said on a day, from left to right."""
    found: list[Found] = []
    place = 0
    while place < len(tokens):
        match = _at(tokens, place, said)
        if match:
            found.append(match)
        place = match.end if match else place + 1
    return found


def stated(text: str | None, fallback: date) -> date:
    """The day that a prefix such as `1:56 pm on 8 May, 2023` states, or the fallback."""
    for sentence in sentences(text or ""):
        for found in dates(sentence.tokens, fallback):
            return found.day
    return fallback


def _at(tokens: Sequence[Token], place: int, said: date) -> Found | None:
    for reader in _READERS:
        try:
            found = reader(tokens, place, said)
        except (ValueError, OverflowError):  # no such day, or none that a calendar has
            continue
        if found:
            return found
    return None


def _numeric(tokens: Sequence[Token], place: int, said: date) -> Found | None:
    """`2023-05-08`, `2023/5/8`, `8.5.2023`, and a year after `in` or `since`; `5/8/2023` may mean two days: none."""
    del said
    parts = tokens[place].text.replace("/", "-").replace(".", "-").split("-")
    if len(parts) == 3 and all(part.isdecimal() for part in parts):
        if len(parts[0]) == 4:
            return _day(place, place + 1, date(*map(int, parts)))
        if len(parts[2]) == 4 and "." in tokens[place].text:
            return _day(place, place + 1, date(int(parts[2]), int(parts[1]), int(parts[0])))
    before = tokens[place - 1].lower if place else ""
    if _is_year(tokens[place]) and before in {"in", "since", "until", "of", "year", "seit", "en", "desde", "depuis"}:
        return Found(place, place + 1, date(int(tokens[place].text), 1, 1), tokens[place].text)
    return None


def _day_month(tokens: Sequence[Token], place: int, said: date) -> Found | None:
    """`8 May 2023`, `8th of May`, `8. Mai`."""
    day = _day_number(tokens[place])
    rest = place + 1
    if day and rest < len(tokens) and tokens[rest].lower in _OF | {"."}:
        rest += 1
    if day is None or rest >= len(tokens) or tokens[rest].lower not in MONTHS:
        return None
    end, year = _year_after(tokens, rest + 1)
    return _day(place, end, _dated(year, MONTHS[tokens[rest].lower], day, said))


def _month_day(tokens: Sequence[Token], place: int, said: date) -> Found | None:
    """`May 8, 2023`, `May 8`, `May 2023`, `in May`."""
    month = MONTHS.get(tokens[place].lower)
    if month is None:
        return None
    day = _day_number(tokens[place + 1]) if place + 1 < len(tokens) else None
    if day:
        end, year = _year_after(tokens, place + 2)
        return _day(place, end, _dated(year, month, day, said))
    end, year = _year_after(tokens, place + 1)
    sure = tokens[place].capital and (place or tokens[place].lower not in _AMBIGUOUS)
    before = tokens[place - 1].lower if place else ""
    if year is None and not (sure and before in {"in", "since", "until", "this", "last", "next", "of", "by", "early"}):
        return None
    first = _dated(year, month, 1, said)
    return Found(place, end, first, f"{first:%Y-%m}")


def _relative_day(tokens: Sequence[Token], place: int, said: date) -> Found | None:
    """`yesterday`, `today`."""
    days = _DAYS.get(tokens[place].lower, _DAYS_ELSEWHERE.get(tokens[place].lower))
    return None if days is None else _day(place, place + 1, said + timedelta(days=days))


def _ago(tokens: Sequence[Token], place: int, said: date) -> Found | None:
    """`two weeks ago`, `a couple of years ago`, `10 days ago`."""
    number = NUMBERS.get(tokens[place].lower)
    if tokens[place].text.isdecimal() and len(tokens[place].text) <= 3:
        number = int(tokens[place].text)
    at = place + 1
    if number == 1 and at < len(tokens) and tokens[at].lower in {"couple", "few"}:
        number, at = NUMBERS[tokens[at].lower], at + 1
    if at < len(tokens) and tokens[at].lower == "of":
        at += 1
    if number is None or at + 1 >= len(tokens) or tokens[at + 1].lower != "ago":
        return None
    unit = tokens[at].lower.rstrip("s")
    return _span(place, at + 2, said, unit, -number) if unit in _UNITS else None


def _step(tokens: Sequence[Token], place: int, said: date) -> Found | None:
    """`last week`, `next month`, `last Saturday`, `on Friday`."""
    word = tokens[place].lower
    if place + 1 >= len(tokens) or word not in _STEPS.keys() | {"on"}:
        return None
    following = tokens[place + 1].lower
    if following in WEEKDAYS and tokens[place + 1].capital:
        return _day(place, place + 2, _weekday(said, WEEKDAYS[following], forward=word in {"next", "this"}))
    if following in _UNITS and word in _STEPS and following != "day":
        return _span(place, place + 2, said, following, _STEPS[word])
    return None


_READERS: Final[tuple[Callable[[Sequence[Token], int, date], Found | None], ...]] = (
    _numeric,
    _day_month,
    _month_day,
    _relative_day,
    _ago,
    _step,
)


def _day(start: int, end: int, day: date) -> Found:
    return Found(start, end, day, day.isoformat())


def _span(start: int, end: int, said: date, unit: str, steps: int) -> Found:
    """A day, week, month or year so many steps away; a week is named by its Monday."""
    moved = said + _UNITS[unit] * steps
    if unit == "week":
        moved -= timedelta(days=moved.weekday())
        return _day(start, end, moved)
    if unit == "month":
        return Found(start, end, moved.replace(day=1), f"{moved:%Y-%m}")
    if unit == "year":
        return Found(start, end, moved.replace(month=1, day=1), f"{moved:%Y}")
    return _day(start, end, moved)


def _weekday(said: date, weekday: int, *, forward: bool) -> date:
    """The nearest such day before, or after, the day on which it was said."""
    if forward:
        return said + timedelta(days=(weekday - said.weekday() - 1) % 7 + 1)
    return said - timedelta(days=(said.weekday() - weekday - 1) % 7 + 1)


def _dated(year: int | None, month: int, day: int, said: date) -> date:
    """A day; without a year, the one nearest to when it was said."""
    if year is not None:
        return date(year, month, day)
    years = (said.year - 1, said.year, said.year + 1)
    return min((date(y, month, day) for y in years), key=lambda d: abs((d - said).days))


def _day_number(token: Token) -> int | None:
    digits = token.lower.removesuffix("st").removesuffix("nd").removesuffix("rd").removesuffix("th").removesuffix(".")
    return int(digits) if digits.isdecimal() and len(digits) <= 2 and 1 <= int(digits) <= 31 else None


def _year_after(tokens: Sequence[Token], place: int) -> tuple[int, int | None]:
    """The end of a date whose year, if any, stands at `place`, perhaps after a comma or `de`."""
    at = place + 1 if place < len(tokens) and tokens[place].lower in {",", *_OF} else place
    if at < len(tokens) and _is_year(tokens[at]):
        return at + 1, int(tokens[at].text)
    return place, None


def _is_year(token: Token) -> bool:
    return len(token.text) == 4 and token.text.isdecimal() and token.text[:2] in {"18", "19", "20"}
