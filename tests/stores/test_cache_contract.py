"""Contract of SearchCache, for every adapter."""

from __future__ import annotations

import asyncio

from loci_dataplane.stores.cache import ProcessCache, SearchCache

OTTER = '{"query":"otter"}'


async def test_a_result_is_found_in_its_generation_and_for_its_query_alone(cache: SearchCache) -> None:
    assert await cache.get("1", OTTER) is None
    await cache.put("1", OTTER, b"found")
    assert await cache.get("1", OTTER) == b"found"
    assert await cache.get("1", OTTER + " ") is None
    assert await cache.get("2", OTTER) is None


async def test_a_result_that_took_long_is_not_one_of_the_next_generation(cache: SearchCache) -> None:
    await cache.get("1", OTTER)
    await cache.get("2", OTTER)
    await cache.put("1", OTTER, b"old")
    assert await cache.get("2", OTTER) is None


async def test_results_are_any_bytes_and_the_last_one_counts(cache: SearchCache) -> None:
    for result in (b"", bytes(range(256)), "Köln 東京".encode() * 1_000):
        await cache.get("1", OTTER)
        await cache.put("1", OTTER, result)
        assert await cache.get("1", OTTER) == result


async def test_nothing_is_left_after_clearing(cache: SearchCache) -> None:
    await cache.get("1", OTTER)
    await asyncio.gather(*(cache.put("1", f"{n}", b"found") for n in range(50)))
    await cache.clear()
    assert [await cache.get("1", f"{n}") for n in range(50)] == [None] * 50
    await cache.clear()
    await cache.check()


async def test_a_full_cache_drops_the_least_recently_used_and_takes_nothing_too_large() -> None:
    cache = ProcessCache(size=3_000)
    await cache.get("1", "a")
    for query in "abc":
        await cache.put("1", query, b"x" * 900)
    await cache.put("1", "large", b"x" * 3_000)
    assert [query for query in ("a", "b", "c", "large") if await cache.get("1", query)] == ["b", "c"]
