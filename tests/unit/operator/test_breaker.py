"""A store that is away holds up one worker at a time."""

from __future__ import annotations

import asyncio

import pytest

from loci_operator.provision.breaker import Breaker
from loci_operator.provision.ports import ProvisionError, StoreAwayError


async def away() -> None:
    raise StoreAwayError("PostgreSQL does not answer: OSError")


async def refuse() -> None:
    raise ProvisionError("no")


async def done() -> str:
    return "done"


async def test_after_a_failure_calls_fail_at_once_and_are_not_made() -> None:
    breaker, made = Breaker("PostgreSQL", pause=60), list[str]()
    with pytest.raises(StoreAwayError):
        await breaker.run(away)
    with pytest.raises(StoreAwayError, match="OSError"):
        await breaker.run(lambda: done_noting(made))
    assert made == []


async def done_noting(made: list[str]) -> None:
    made.append("made")


async def test_a_store_that_answers_again_is_used_again() -> None:
    breaker = Breaker("PostgreSQL", pause=0)
    with pytest.raises(StoreAwayError):
        await breaker.run(away)
    assert await breaker.run(done) == "done"
    assert await breaker.run(done) == "done"


async def test_a_refusal_is_no_reason_to_leave_the_store_alone() -> None:
    breaker = Breaker("PostgreSQL", pause=60)
    with pytest.raises(ProvisionError):
        await breaker.run(refuse)
    assert await breaker.run(done) == "done"


async def test_while_one_call_tries_again_the_others_fail_at_once() -> None:
    breaker, release = Breaker("PostgreSQL", pause=0), asyncio.Event()
    with pytest.raises(StoreAwayError):
        await breaker.run(away)
    trying = asyncio.create_task(breaker.run(release.wait))
    await asyncio.sleep(0)
    with pytest.raises(StoreAwayError):
        await breaker.run(done)
    release.set()
    assert await trying is True
    assert await breaker.run(done) == "done"


async def test_a_store_that_hangs_is_given_up_on() -> None:
    breaker = Breaker("Chroma", limit=0.01, pause=60)
    with pytest.raises(StoreAwayError, match="Chroma does not answer within"):
        await breaker.run(asyncio.Event().wait)
    with pytest.raises(StoreAwayError):
        await breaker.run(done)
