"""Differences between rows and indexes are found both ways, counted by store, and enqueued."""

from __future__ import annotations

from collections.abc import Sequence

from loci_dataplane.outbox.reconciler import Reconciler
from loci_dev.rigs.index_fakes import Index, Memories, Nodes, stores

MANY = [f"m{number:05}" for number in range(2_500)]


async def compared(memories: Memories, index: Index, nodes: Nodes) -> tuple[dict[str, int], set[str], int]:
    woken: list[None] = []
    reconciler = Reconciler(stores(memories, index, nodes), lambda: woken.append(None), "acme")
    await reconciler.compare()
    return reconciler.drift, set(memories.attempts), len(woken)


async def test_nothing_is_done_when_all_is_in_line() -> None:
    rows = Memories.of(dict.fromkeys(MANY, "fine"), [])
    assert await compared(rows, Index(*MANY), Nodes(*MANY)) == ({"vectors": 0, "graph": 0}, set(), 0)


async def test_rows_that_an_index_lacks_and_no_others_are_indexed_again() -> None:
    rows = Memories.of(dict.fromkeys(MANY, "fine"), [])
    lost = {MANY[0], MANY[999], MANY[1000], MANY[-1]}
    found = await compared(rows, Index(*(set(MANY) - lost)), Nodes(*MANY))
    assert found == ({"vectors": 4, "graph": 0}, lost, 1)


async def test_what_has_no_row_is_removed_from_either_index() -> None:
    rows = Memories.of(dict.fromkeys(MANY, "fine"), [])
    found = await compared(rows, Index(*MANY, "a", "m01000x", "z"), Nodes(*MANY, "z", "zz"))
    assert found == ({"vectors": 3, "graph": 1}, {"a", "m01000x", "z", "zz"}, 2), "`z` has an entry by then"


async def test_memories_with_an_entry_are_no_drift() -> None:
    rows = Memories.of({"a": "fine", "b": "fine"}, ["b", "gone"])
    assert (await compared(rows, Index("a", "gone"), Nodes("a", "gone")))[0] == {"vectors": 0, "graph": 0}


async def test_an_index_that_is_away_hides_no_drift_of_the_other() -> None:
    rows = Memories.of({"a": "fine"}, [])
    assert (await compared(rows, Index(), Nodes(down=True)))[0] == {"vectors": 1}


async def test_a_row_that_is_deleted_during_the_comparison_is_no_drift() -> None:
    rows = Memories.of({"a": "fine", "b": "fine"}, [])

    class IndexOfOneThatGoes(Index):
        async def held(self, ids: Sequence[str]) -> Sequence[str]:
            rows.contents.pop("b", None)
            return await super().held(ids)

    assert (await compared(rows, IndexOfOneThatGoes("a"), Nodes("a")))[0] == {"vectors": 0, "graph": 0}
