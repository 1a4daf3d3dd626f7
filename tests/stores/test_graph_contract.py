"""What every adapter of the Graph port does. Extractions are made by the real extractor where that reads best."""

from __future__ import annotations

import asyncio
import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from loci_dataplane.graph.extraction.extract import extract
from loci_dataplane.model.graph import (
    MENTIONED_WITH,
    EntityFilter,
    EntityRef,
    Extraction,
    FactFilter,
    GraphSize,
    Kind,
)
from loci_dataplane.model.memory import Memory
from loci_dataplane.stores.ports import Graph

START = datetime(2026, 1, 1, tzinfo=UTC)
ROOM = 1_000


def day(number: int) -> datetime:
    return START + timedelta(days=number)


def told(number: int, content: str, **fields: Any) -> Extraction:
    """What the memory of a day contributes."""
    memory = Memory(f"m{number}", content, None, None, None, {}, day(number), day(number), order=number)
    return extract(replace(memory, **fields))


async def learn(graph: Graph, *extractions: Extraction) -> None:
    for extraction in extractions:
        await graph.update([extraction], [], ROOM)


async def held(graph: Graph, **where: Any) -> list[tuple[str, str, str]]:
    return [(f.subject, f.predicate, f.object) for f in await graph.facts(FactFilter(**where), 100)]


async def spans(graph: Graph, **where: Any) -> list[tuple[str, datetime, datetime | None]]:
    return [(f.object, f.valid_from, f.valid_to) for f in await graph.facts(FactFilter(**where), 100)]


async def everything(graph: Graph) -> tuple[object, ...]:
    entities = await graph.entities(EntityFilter(), 1_000)
    refs = [entity.ref for entity in entities]
    facts = await graph.facts(FactFilter(), 1_000)
    return entities, facts, await graph.edges(refs, day(100), 10_000), await graph.size()


async def test_is_empty_at_first(graph: Graph) -> None:
    assert await everything(graph) == ([], [], [], GraphSize(0, 0, 0))


async def test_a_new_fact_closes_the_old_one(graph: Graph) -> None:
    await learn(graph, told(1, "Ada lives in Porto"), told(9, "Ada moved to Lisbon"))
    assert await spans(graph) == [("Porto", day(1), day(9)), ("Lisbon", day(9), None)]
    assert await held(graph, as_of=day(5)) == [("Ada", "lives_in", "Porto")]
    assert await held(graph, as_of=day(9)) == [("Ada", "lives_in", "Lisbon")]
    assert await held(graph, as_of=day(0)) == []


async def test_the_order_in_which_memories_are_written_makes_no_difference(graph: Graph) -> None:
    await learn(graph, told(9, "Ada moved to Lisbon"), told(1, "Ada lives in Porto"))
    assert await spans(graph) == [("Porto", day(1), day(9)), ("Lisbon", day(9), None)]


async def test_an_end_closes_and_states_nothing(graph: Graph) -> None:
    await learn(graph, told(1, "I work at Acme Corp"), told(9, "I quit my job"))
    assert await spans(graph) == [("Acme Corp", day(1), day(9))]


async def test_deleting_what_closed_a_fact_opens_it_again(graph: Graph) -> None:
    await learn(graph, told(1, "Ada lives in Porto"), told(9, "Ada moved to Lisbon"))
    await graph.update([], ["m9", "never-there"], ROOM)
    assert await spans(graph) == [("Porto", day(1), None)]
    assert [entity.name for entity in await graph.entities(EntityFilter(), 10)] == ["Ada", "Porto"]


async def test_what_a_memory_contributed_before_is_replaced(graph: Graph) -> None:
    await learn(graph, told(1, "Ada lives in Porto"), told(1, "Bob works at Acme Corp"))
    assert await held(graph) == [("Bob", "works_at", "Acme Corp")]
    assert await graph.size() == GraphSize(nodes=3, memories=1, left_out=0)


async def test_repeating_an_update_changes_nothing(graph: Graph) -> None:
    batch = [told(n, f"Ada moved to Town{n} and likes tea", session_id="s") for n in range(4)]
    await graph.update(batch, [], ROOM)
    before = await everything(graph)
    await graph.update(batch, ["m99"], ROOM)
    assert await everything(graph) == before


async def test_an_update_and_its_removal_leave_nothing(graph: Graph) -> None:
    batch = [told(n, f"Ada moved to Town{n} and likes tea", session_id="s") for n in range(4)]
    await graph.update(batch, [], ROOM)
    await graph.update([], [extraction.memory_id for extraction in batch], ROOM)
    assert await everything(graph) == ([], [], [], GraphSize(0, 0, 0))


async def test_users_share_nothing(graph: Graph) -> None:
    await learn(
        graph,
        told(1, "I live in Porto", user_id="ada", metadata={"speaker": "Sam"}),
        told(2, "I live in Oslo", user_id="bob", metadata={"speaker": "Sam"}),
    )
    assert await held(graph, scope="ada", as_of=day(9)) == [("Sam", "lives_in", "Porto")]
    assert await held(graph, scope="bob", as_of=day(9)) == [("Sam", "lives_in", "Oslo")]
    assert len(await graph.named(["sam"], None)) == 2
    assert [entity.ref for entity in await graph.named(["sam", "oslo"], "bob")] == [
        EntityRef("bob", "oslo"),
        EntityRef("bob", "sam"),
    ]


async def test_entities_are_counted_and_found(graph: Graph) -> None:
    await learn(graph, told(1, "Ada lives in Porto"), told(2, "Ada works at Acme Corp"))
    found = await graph.entities(EntityFilter(), 10)
    assert [(e.name, e.kind, e.mentions) for e in found] == [
        ("Ada", Kind.PERSON, 2),
        ("Acme Corp", Kind.ORGANISATION, 1),
        ("Porto", Kind.PLACE, 1),
    ]
    assert [e.name for e in await graph.entities(EntityFilter(text="ORT"), 10)] == ["Porto"]
    assert [e.name for e in await graph.entities(EntityFilter(kind=Kind.PLACE), 10)] == ["Porto"]
    assert [e.name for e in await graph.entities(EntityFilter(), 1)] == ["Ada"]
    assert await graph.entities(EntityFilter(scope="nobody"), 10) == []


async def test_the_most_telling_kind_of_an_entity_stays(graph: Graph) -> None:
    await learn(graph, told(1, "We talked about Porto"), told(2, "Ada lives in Porto"), told(3, "We saw Porto"))
    (porto,) = await graph.named(["porto"], None)
    assert (porto.kind, porto.mentions) == (Kind.PLACE, 3)


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ({"subject": "ADA"}, [("Ada", "likes", "tea"), ("Ada", "lives_in", "Porto")]),
        ({"predicate": "likes"}, [("Ada", "likes", "tea"), ("Bob", "likes", "tea")]),
        ({"object": "Tea", "subject": "bob"}, [("Bob", "likes", "tea")]),
        ({"subject": "nobody"}, []),
    ],
)
async def test_facts_are_found_by_their_parts(
    graph: Graph, where: dict[str, Any], expected: list[tuple[str, str, str]]
) -> None:
    await learn(graph, told(1, "Ada lives in Porto and likes tea"), told(2, "Bob likes tea"))
    assert await held(graph, **where) == expected


async def test_edges_lead_both_ways_and_end_with_the_fact(graph: Graph) -> None:
    await learn(graph, told(1, "Ada lives in Porto"), told(9, "Ada moved to Lisbon"))
    (porto,) = await graph.named(["porto"], None)
    then = await graph.edges([porto.ref], day(5), 10)
    assert [(e.target.name, e.predicate, e.inverse, e.weight) for e in then] == [
        ("Ada", "lives_in", True, 1),
        ("Ada", MENTIONED_WITH, False, 1),
    ]
    assert [e.predicate for e in await graph.edges([porto.ref], day(9), 10)] == [MENTIONED_WITH]
    (ada,) = await graph.named(["ada"], None)
    assert [(e.target.name, e.predicate) for e in await graph.edges([ada.ref], day(9), 2)] == [
        ("Lisbon", "lives_in"),
        ("Lisbon", MENTIONED_WITH),
    ]
    assert await graph.edges([EntityRef("", "nobody")], day(9), 10) == []


async def test_memories_are_found_by_the_entities_they_mention(graph: Graph) -> None:
    await learn(graph, told(1, "Ada lives in Porto"), told(2, "Ada likes tea"), told(3, "Bob likes tea"))
    ada, tea = EntityRef("", "ada"), EntityRef("", "tea")
    found = await graph.mentioning({ada: 2.0, tea: 1.0, EntityRef("", "nobody"): 9.0}, 10)
    assert [(hit.memory_id, hit.score) for hit in found] == [("m2", 3.0), ("m1", 2.0), ("m3", 1.0)]
    assert [hit.memory_id for hit in await graph.mentioning({tea: 1.0}, 1)] == ["m3"]
    assert [hit.memory_id for hit in await graph.mentioning({tea: 1.0}, 10, ["m2", "m9"])] == ["m2"]
    assert await graph.mentioning({tea: 1.0}, 10, []) == []
    assert await graph.mentioning({}, 10) == []


async def test_memories_of_a_session_follow_one_another(graph: Graph) -> None:
    one, two, three, other = (told(n, "we talked", session_id=s) for n, s in ((1, "s"), (2, "s"), (3, "s"), (4, "t")))
    await learn(graph, three, one, two, other, told(5, "alone"))
    ids = ["m1", "m2", "m3", "m4", "m5", "m6"]
    assert await graph.adjacent(ids) == {"m1": ("m2",), "m2": ("m1", "m3"), "m3": ("m2",), "m4": (), "m5": ()}
    await graph.update([], ["m2"], ROOM)
    assert await graph.adjacent(["m1", "m3"]) == {"m1": ("m3",), "m3": ("m1",)}


async def test_a_memory_beyond_the_quota_is_left_out_whole_and_counted(graph: Graph) -> None:
    await graph.update([told(1, "Ada lives in Porto")], [], 3)
    await graph.update([told(2, "Ada lives in Oslo"), told(3, "Ada lives in Rome", session_id="s")], [], 4)
    assert await graph.size() == GraphSize(nodes=3, memories=3, left_out=2)
    assert await spans(graph) == [("Porto", day(1), None)]
    assert await graph.adjacent(["m3"]) == {}


async def test_a_memory_that_fits_the_quota_exactly_is_taken(graph: Graph) -> None:
    await graph.update([told(1, "Ada lives in Porto"), told(2, "Ada lives in Oslo"), told(3, "nothing")], [], 6)
    assert await graph.size() == GraphSize(nodes=6, memories=3, left_out=0)


async def test_a_memory_that_was_left_out_is_taken_once_there_is_room(graph: Graph) -> None:
    late = told(2, "Ada lives in Oslo")
    await graph.update([told(1, "Bob lives in Porto"), late], [], 4)
    await graph.update([late], ["m1"], 4)
    assert await graph.size() == GraphSize(nodes=3, memories=1, left_out=0)


async def test_concurrent_updates_keep_the_quota_and_the_counts(graph: Graph) -> None:
    extractions = [told(n, f"Ada moved to Town{n % 5}", session_id="s") for n in range(24)]
    await asyncio.gather(*(graph.update([extraction], [], 20) for extraction in extractions))
    size = await graph.size()
    entities = await graph.entities(EntityFilter(), 100)
    assert size.nodes == len(entities) + size.memories - size.left_out <= 20
    assert (size.memories, size.left_out) == (24, 24 - (20 - len(entities)))
    assert sum(fact.valid_to is None for fact in await graph.facts(FactFilter(), 100)) >= 1


async def test_names_that_look_like_code_are_only_names(graph: Graph) -> None:
    name = "Rob') DETACH DELETE n //"
    extraction = told(1, "I live in Porto", metadata={"speaker": name})
    await learn(graph, extraction)
    assert await held(graph, subject=name) == [(name, "lives_in", "Porto")]
    assert [entity.name for entity in await graph.entities(EntityFilter(text="') detach"), 10)] == [name]
    assert await graph.entities(EntityFilter(text="%"), 10) == []


async def test_any_history_ends_as_if_only_what_is_left_had_been_told(graph: Graph) -> None:
    chance = random.Random(7)  # noqa: S311 - a reproducible history
    towns = ["Porto", "Lisbon", "Oslo", "Rome"]
    left: dict[int, Extraction] = {}
    for _ in range(40):
        number = chance.randrange(12)
        if chance.random() < 0.3:
            left.pop(number, None)
            await graph.update([], [f"m{number}"], ROOM)
        else:
            verb = chance.choice(["moved to", "no longer lives in", "likes", "hates"])
            left[number] = told(number, f"Ada {verb} {chance.choice(towns)}", session_id=chance.choice(["s", "t"]))
            await graph.update([left[number]], [], ROOM)
    ended = [await everything(graph), await graph.adjacent([f"m{n}" for n in range(12)])]
    await graph.update([], [f"m{n}" for n in range(12)], ROOM)
    await graph.update([left[number] for number in sorted(left)], [], ROOM)
    assert [await everything(graph), await graph.adjacent([f"m{n}" for n in range(12)])] == ended
