from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from loci_contract.times import EXAMPLE, Time, parse_time

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
READ: dict[str, datetime] = {
    "2026-01-31T12:00:00Z": NOON,
    "2026-01-31t12:00:00z": NOON,
    "2026-01-31 12:00:00Z": NOON,
    "2026-01-31T14:00:00+02:00": NOON,
    "2026-01-31T12:00:00-00:00": NOON,
    "2026-02-01T11:59:00+23:59": NOON,
    "2026-01-31T12:00:00.5Z": NOON + timedelta(milliseconds=500),
    "2026-01-31T12:00:00.000001Z": NOON + timedelta(microseconds=1),
    "2026-01-31T12:00:00.0000019Z": NOON + timedelta(microseconds=1),
    "2026-01-31T12:00:00.123456789Z": NOON + timedelta(microseconds=123_456),
    "2024-02-29T00:00:00Z": datetime(2024, 2, 29, tzinfo=UTC),
    "0001-01-01T00:00:00Z": datetime(1, 1, 1, tzinfo=UTC),
    "9999-12-31T23:59:59.999999Z": datetime(9999, 12, 31, 23, 59, 59, 999_999, UTC),
}
REFUSED: dict[str, object] = {
    "Unix seconds": 1_769_860_800,
    "Unix seconds with a fraction": 1_769_860_800.5,
    "a date as an integer": 20_260_131,
    "zero": 0,
    "true": True,
    "a numeric string": "1769860800",
    "a date as digits": "20260131",
    "nothing": "",
    "a date alone": "2026-01-31",
    "no zone": "2026-01-31T12:00:00",
    "no zone after a fraction": "2026-01-31T12:00:00.5",
    "no seconds": "2026-01-31T12:00Z",
    "an offset without a colon": "2026-01-31T12:00:00+0200",
    "an offset of hours": "2026-01-31T12:00:00+02",
    "an offset of 24 hours": "2026-01-31T12:00:00+24:00",
    "an offset of 60 minutes": "2026-01-31T12:00:00+01:60",
    "a plus that a URL turned into a space": "2026-01-31T12:00:00 02:00",
    "a leap second": "2016-12-31T23:59:60Z",
    "second 61": "2016-12-31T23:59:61Z",
    "24 o'clock": "2026-01-31T24:00:00Z",
    "the 30th of February": "2026-02-30T00:00:00Z",
    "month 13": "2026-13-01T00:00:00Z",
    "year 0": "0000-01-01T00:00:00Z",
    "before year 1 in UTC": "0001-01-01T00:00:00+00:01",
    "after year 9999 in UTC": "9999-12-31T23:59:59-00:01",
    "five digits of a year": "12026-01-31T12:00:00Z",
    "white space around it": " 2026-01-31T12:00:00Z",
    "a line break after it": "2026-01-31T12:00:00Z\n",
    "a fraction without digits": "2026-01-31T12:00:00.Z",
    "a comma": "2026-01-31T12:00:00,5Z",
    "other digits": "２０２６-01-31T12:00:00Z",
    "a week": "2026-W05-6T12:00:00Z",
    "HTTP's form": "Sat, 31 Jan 2026 12:00:00 GMT",
    "a list": [EXAMPLE],
    "a naive moment": datetime(2026, 1, 31),  # noqa: DTZ001 - the case
}


class Model(BaseModel):
    at: Time


@pytest.mark.parametrize(("text", "moment"), READ.items(), ids=READ.keys())
def test_reads_rfc_3339_with_a_zone(text: str, moment: datetime) -> None:
    assert parse_time(text) == Model.model_validate({"at": text}).at == moment
    assert parse_time(text).utcoffset() == timedelta(0)


@pytest.mark.parametrize("value", REFUSED.values(), ids=REFUSED.keys())
def test_refuses_everything_else_and_shows_a_valid_time(value: object) -> None:
    with pytest.raises(ValueError, match=f"^must .*, such as {EXAMPLE}$"):
        parse_time(value)
    with pytest.raises(ValidationError, match=EXAMPLE):
        Model.model_validate({"at": value})


ZONES = st.integers(-1_439, 1_439).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@given(st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=ZONES))  # noqa: DTZ001 - bounds
def test_reads_what_python_and_pydantic_write(moment: datetime) -> None:
    assert parse_time(moment.isoformat()) == moment
    assert Model.model_validate_json(Model(at=moment).model_dump_json()).at == moment


def test_the_schema_is_a_date_time() -> None:
    assert Model.model_json_schema()["properties"]["at"] == {"format": "date-time", "title": "At", "type": "string"}
