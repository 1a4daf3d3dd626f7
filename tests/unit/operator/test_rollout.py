"""Waves of a rollout, by property tests over any state of any number of tenants, and by whole rollouts to their end."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loci_operator.reconcile.observed import Seen
from loci_operator.reconcile.rollout import Candidate, Mark, Turn, at_once, next_wave, outdated, parse, turn

NAMES = [f"t{number:02}" for number in range(12)]


@st.composite
def fleets(draw: st.DrawFn) -> list[Candidate]:
    names = draw(st.lists(st.sampled_from(NAMES), unique=True))
    flags = st.booleans()
    return [
        Candidate(name, draw(st.sampled_from(Turn)), draw(flags), draw(flags), draw(flags), draw(flags), draw(flags))
        for name in names
    ]


@given(fleets(), st.integers(0, 5), st.integers(1, 5))
def test_never_more_are_under_way_than_allowed_and_no_failure_is_passed_over(
    fleet: list[Candidate], done: int, limit: int
) -> None:
    wave = next_wave(fleet, done=done, at_once=limit)
    by_name = {c.tenant: c for c in fleet}
    if wave.update:
        assert len(wave.updating) + len(wave.update) <= limit
    assert not (wave.update and wave.failed)
    assert len(wave.repair) <= limit
    chosen = (*wave.update, *wave.repair)
    assert all(by_name[name].turn is Turn.HELD and not by_name[name].pinned for name in chosen)
    assert not any(by_name[name].serving for name in wave.repair)
    held = {c.tenant for c in fleet if c.turn is Turn.HELD and not c.pinned}
    assert {*chosen, *wave.waiting} == held
    if any(by_name[name].canary for name in (*wave.waiting, *wave.updating) if by_name[name].serving):
        assert all(by_name[name].canary for name in wave.update)
    if not done and not any(by_name[name].canary for name in wave.update):
        assert len(wave.update) + len(wave.updating) <= 1 or not wave.update


def healthy(fleet: dict[str, Candidate], wave: tuple[str, ...], turn_: Turn) -> None:
    for name in wave:
        fleet[name] = replace(fleet[name], turn=turn_, updated=True, serving=True)


@given(fleets(), st.integers(1, 5))
def test_a_rollout_whose_updates_succeed_comes_to_its_end(fleet: list[Candidate], limit: int) -> None:
    state = {c.tenant: replace(c, failed=False) for c in fleet}
    done = 0
    for _ in range(2 * len(fleet) + 2):
        wave = next_wave(list(state.values()), done=done, at_once=limit)
        healthy(state, (*wave.updating, *wave.update), Turn.WAVE)
        healthy(state, wave.repair, Turn.DIRECT)
        done += len(wave.updating) + len(wave.update)
    assert [c.tenant for c in state.values() if c.turn is Turn.HELD and not c.pinned] == []


def test_canaries_come_first_and_alone() -> None:
    fleet = [Candidate(name, Turn.HELD, updated=False, serving=True, canary=name == "t09") for name in NAMES]
    assert next_wave(fleet, done=0, at_once=4).update == ("t09",)
    fleet[9] = replace(fleet[9], turn=Turn.WAVE)
    assert next_wave(fleet, done=0, at_once=4).update == ()
    fleet[9] = replace(fleet[9], updated=True)
    assert next_wave(fleet, done=1, at_once=4).update == ("t00", "t01", "t02", "t03")


def test_without_canaries_the_first_tenant_goes_alone() -> None:
    fleet = [Candidate(name, Turn.HELD, updated=False, serving=True) for name in NAMES]
    assert next_wave(fleet, done=0, at_once=4).update == ("t00",)


def test_a_failed_update_stops_the_waves_but_no_repair() -> None:
    fleet = [Candidate(name, Turn.HELD, updated=False, serving=name != "t03") for name in NAMES]
    fleet[0] = replace(fleet[0], turn=Turn.WAVE, failed=True)
    wave = next_wave(fleet, done=1, at_once=4)
    assert (wave.failed, wave.update, wave.repair) == (("t00",), (), ("t03",))


def seen(mark: Mark | None) -> Seen:
    text = ".".join(mark) if mark else ""
    return Seen("1", "h", foreign=False, deleting=False, rollout=text, replicas=1)


WANTED = Mark(Turn.HELD, "new", "own")
CASES: dict[str, tuple[Mark | None, Turn | None, bool, Turn]] = {
    "another template waits": (Mark(Turn.DIRECT, "old", "own"), None, False, Turn.HELD),
    "of an earlier version, waits": (None, None, False, Turn.HELD),
    "the turn came": (Mark(Turn.HELD, "new", "own"), Turn.WAVE, False, Turn.WAVE),
    "under way stays so": (Mark(Turn.WAVE, "new", "own"), None, False, Turn.WAVE),
    "what the tenant asked for does not wait": (Mark(Turn.WAVE, "old", "other"), None, False, Turn.DIRECT),
    "pinned waits, whoever asked": (Mark(Turn.WAVE, "old", "other"), Turn.WAVE, True, Turn.HELD),
}


@pytest.mark.parametrize(("mark", "granted", "pinned", "expected"), CASES.values(), ids=CASES.keys())
def test_a_turn_follows_from_what_differs(
    mark: Mark | None,
    granted: Turn | None,
    pinned: bool,  # noqa: FBT001 - a table
    expected: Turn,
) -> None:
    assert turn(WANTED, seen(mark), granted, pinned=pinned) is expected


def test_a_new_set_waits_for_nobody() -> None:
    assert turn(WANTED, None, None, pinned=False) is Turn.DIRECT


@pytest.mark.parametrize("text", ["", "held", "held.a", "odd.a.b", "held..", "."])
def test_a_spoilt_mark_is_none(text: str) -> None:
    assert parse(text) is None


def test_a_mark_is_read_as_written() -> None:
    assert parse(".".join(WANTED)) == WANTED


@pytest.mark.parametrize(("setting", "expected"), [("5%", 5), ("1%", 1), ("0%", 1), ("0", 1), ("7", 7), ("100%", 100)])
def test_the_number_at_once_is_a_number_or_a_share_of_at_least_one(setting: str, expected: int) -> None:
    assert at_once(setting, 100) == expected
    assert at_once(setting, 1) >= 1


def test_a_pod_that_is_not_up_to_date_says_why() -> None:
    told = {
        (problem.reason if (problem := outdated(turn_, failed, pinned=pinned, updated=updated)) else None)
        for turn_, failed, pinned, updated in [
            (Turn.HELD, (), True, True),
            (Turn.HELD, (), False, True),
            (Turn.HELD, ("a", "b"), False, True),
            (Turn.WAVE, (), False, False),
            (Turn.WAVE, (), False, True),
        ]
    }
    assert told == {"Pinned", "WaitingForTurn", "RolloutPaused", "Updating", None}
