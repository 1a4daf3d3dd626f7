from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from loci_dataplane.model.timeline import Assertion, timeline

START = datetime(2026, 1, 1, tzinfo=UTC)


def day(number: int) -> datetime:
    return START + timedelta(days=number)


def said(  # noqa: PLR0913 - an assertion's fields, mostly by default
    number: int,
    thing: str | None,
    predicate: str = "lives_in",
    *,
    since: int | None = None,
    exclusive: bool = True,
    ends: bool = False,
) -> Assertion:
    valid_from = day(number if since is None else since)
    return Assertion(number, predicate, thing, valid_from, day(number), (number, 0), exclusive and not ends, ends)


def spans(*assertions: Assertion) -> dict[int | str, datetime | None]:
    return {a.id: a.valid_to for a in timeline(assertions)}


def test_a_newer_value_closes_the_older() -> None:
    assert spans(said(1, "porto"), said(5, "lisbon")) == {1: day(5), 5: None}


def test_the_order_of_arrival_makes_no_difference() -> None:
    assert spans(said(5, "lisbon"), said(9, "faro"), said(1, "porto")) == {1: day(5), 5: day(9), 9: None}


def test_the_same_value_again_closes_nothing() -> None:
    assert spans(said(1, "porto"), said(5, "porto"), said(9, "lisbon")) == {1: day(9), 5: day(9), 9: None}


def test_going_back_opens_a_new_span() -> None:
    assert spans(said(1, "porto"), said(5, "lisbon"), said(9, "porto")) == {1: day(5), 5: day(9), 9: None}


def test_values_of_a_predicate_that_has_many_stand_side_by_side() -> None:
    assert spans(said(1, "tea", "likes", exclusive=False), said(5, "jazz", "likes", exclusive=False)) == {
        1: None,
        5: None,
    }


def test_an_opposite_closes_the_same_object_only() -> None:
    likes = [said(n, thing, "likes", exclusive=False) for n, thing in ((1, "tea"), (2, "jazz"))]
    assert spans(*likes, said(5, "tea", "dislikes", exclusive=False)) == {1: day(5), 2: None, 5: None}


def test_an_end_closes_its_object_or_without_one_everything() -> None:
    assert spans(said(1, "porto"), said(3, "lisbon", ends=True)) == {1: None, 3: None}
    assert spans(said(1, "porto"), said(3, "porto", ends=True)) == {1: day(3), 3: None}
    assert spans(said(1, "acme"), said(3, None, ends=True), said(5, "acme")) == {1: day(3), 3: None, 5: None}


def test_a_recent_event_told_later_wins_over_what_was_said_in_between() -> None:
    assert spans(said(5, "porto"), said(8, "lisbon", since=2)) == {5: day(5), 8: None}


@st.composite
def histories(draw: st.DrawFn) -> list[Assertion]:
    count = draw(st.integers(0, 12))
    return [
        said(
            number,
            draw(st.sampled_from(["a", "b", "c"])),
            draw(st.sampled_from(["likes", "dislikes"])),
            exclusive=draw(st.booleans()),
            ends=draw(st.booleans()),
        )
        for number in range(count)
    ]


def plainly(fact: Assertion, history: list[Assertion]) -> datetime | None:
    """The rule in its simplest form, for comparison."""
    for later in history:
        same = later.object_key == fact.object_key
        ended = later.ends and same
        opposed = not later.ends and same and later.predicate != fact.predicate
        replaced = later.exclusive and not same
        if later.rank > fact.rank and (ended or opposed or replaced):
            return later.valid_from
    return None


@given(histories())
def test_agrees_with_the_rule_read_plainly(history: list[Assertion]) -> None:
    expected = {a.id: None if a.ends else plainly(a, history) for a in history}
    assert spans(*history) == expected
