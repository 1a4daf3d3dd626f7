"""What every adapter of FullText does."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from loci_dataplane.model.filter import AllOf, Condition
from loci_dataplane.stores.ports import Frequencies, Stores
from loci_dataplane.text.analysis import terms

EVERYTHING = AllOf(())


async def found(stores: Stores, query: list[str], now: datetime) -> list[str]:
    return [hit.memory_id for hit in await stores.full_text.search(query, EVERYTHING, 100, now)]


async def test_finds_memories_with_any_of_the_terms_best_first(stores: Stores, remember: Any, now: datetime) -> None:
    await remember("mem_both", "badger otter")
    await remember("mem_one", "otter heron heron heron")
    await remember("mem_none", "heron")
    for number in range(5):
        await remember(f"mem_{number}", f"filler{number}")
    hits = await stores.full_text.search(["otter", "badger"], EVERYTHING, 10, now)
    assert [hit.memory_id for hit in hits] == ["mem_both", "mem_one"]
    assert hits[0].score > hits[1].score > 0
    assert len(await stores.full_text.search(["otter", "badger"], EVERYTHING, 1, now)) == 1


async def test_a_search_for_no_terms_finds_nothing(stores: Stores, remember: Any, now: datetime) -> None:
    await remember("mem_1")
    assert await found(stores, [], now) == []


async def test_follows_every_change_in_its_transaction(stores: Stores, remember: Any, now: datetime) -> None:
    kept = await remember("mem_1", "otter")
    await remember("mem_2", "otter")
    async with stores.transaction() as transaction:
        await transaction.replace(replace(kept, content="badger"))
        await transaction.delete(["mem_2"])
    assert await found(stores, ["otter"], now) == []
    assert await found(stores, ["badger"], now) == ["mem_1"]
    assert await stores.full_text.frequencies(["otter", "badger"]) == Frequencies(1, {"badger": 1})


async def test_a_filter_narrows_a_search(stores: Stores, remember: Any, now: datetime) -> None:
    await remember("mem_1", user_id="ada")
    await remember("mem_2", user_id="bob")
    hits = await stores.full_text.search(["otter"], Condition("user_id", "eq", "bob"), 10, now)
    assert [hit.memory_id for hit in hits] == ["mem_2"]


async def test_frequencies_count_memories_not_occurrences(stores: Stores, remember: Any) -> None:
    await remember("mem_1", "otter otter otter")
    await remember("mem_2", "otter badger")
    await remember("mem_3", "heron")
    counted = await stores.full_text.frequencies(["otter", "badger", "otter", "unicorn"])
    assert counted == Frequencies(3, {"otter": 2, "badger": 1})
    assert await stores.full_text.frequencies([]) == Frequencies(3, {})


TEXTS = [
    "Office in \uff34\uff4f\uff4b\uff59\uff4f",
    "c++ and c#",
    "foo_bar",
    'o\'neil said "quoted"',
    "3.11",
    "ada@example.com",
    "a-b/c:d;e=f?g&h",
    "顧客は毎朝緑茶を飲みます",
    "สวัสดีครับ",
    "\U0001f9a6",
    "*",
    "NEAR(otter, badger) AND OR NOT terms:",
]


@pytest.mark.parametrize("text", TEXTS)
async def test_every_term_of_a_content_finds_it(stores: Stores, remember: Any, now: datetime, text: str) -> None:
    await remember("mem_1", text)
    await remember("mem_2", "heron")
    for term in terms(text):
        assert await found(stores, [term], now) == ["mem_1"], term
        assert (await stores.full_text.frequencies([term])).by_term == {term: 1}


async def test_a_term_is_no_query_syntax(stores: Stores, remember: Any, now: datetime) -> None:
    await remember("mem_1", "heron")
    for term in ['"', 'heron"', "heron*", "her*", "^heron", "-heron", "terms:heron", "heron OR heron", "(", ""]:
        assert await found(stores, [term], now) == []
    assert await found(stores, ["heron", '"', "("], now) == ["mem_1"]


async def test_a_search_may_have_thousands_of_terms(stores: Stores, remember: Any, now: datetime) -> None:
    await remember("mem_1", "heron")
    assert await found(stores, [*(f"word{number}" for number in range(5_000)), "heron"], now) == ["mem_1"]
