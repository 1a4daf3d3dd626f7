"""`/v2`: conversations, facts, entities, neighbours and context, over HTTP on real stores."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from loci_dev.rigs.dataplane import indexed


def user(content: str, day: int = 1, **fields: object) -> dict[str, object]:
    return {"role": "user", "content": content, "created_at": f"2026-01-{day:02}T12:00:00Z", **fields}


async def remember(client: httpx.AsyncClient, *messages: dict[str, object], **fields: object) -> dict[str, Any]:
    answer = await client.post("/v2/memories", json={"messages": list(messages), **fields})
    assert answer.status_code == 201, answer.text
    await indexed(client)
    found: dict[str, Any] = answer.json()
    return found


async def facts(client: httpx.AsyncClient, **wanted: str) -> list[dict[str, Any]]:
    answer = await client.get("/v2/facts", params=wanted)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["facts"]
    return found


async def test_a_conversation_becomes_memories_with_what_was_extracted(acme: httpx.AsyncClient) -> None:
    found = await remember(
        acme,
        {"role": "system", "content": "You are helpful."},
        user("I moved to Lisbon"),
        {"role": "assistant", "content": "I love Lisbon!"},
        user_id="ada",
        session_id="s",
        metadata={"channel": "web"},
    )
    first, second = found["memories"]
    assert (found["skipped"], found["rejected"]) == (1, [])
    assert (first["user_id"], first["session_id"], first["metadata"]) == (
        "ada",
        "s",
        {"channel": "web", "role": "user"},
    )
    (fact,) = first["extracted"]["facts"]
    assert (fact["subject"], fact["predicate"], fact["object"]) == ("ada", "lives_in", "Lisbon")
    assert {"name": "Lisbon", "kind": "place"} in first["extracted"]["entities"]
    assert second["extracted"]["facts"][0]["subject"] == "assistant"
    assert (await acme.get(f"/v1/memories/{second['id']}")).json()["content"] == "I love Lisbon!"


async def test_facts_are_those_that_hold_now_then_or_ever(acme: httpx.AsyncClient) -> None:
    await remember(acme, user("I live in Porto", 1, name="Ada"), user("I moved to Lisbon", 9, name="Ada"))
    assert [f["object"] for f in await facts(acme, subject="ada")] == ["Lisbon"]
    then = await facts(acme, subject="Ada", predicate="lives_in", as_of="2026-01-05T00:00:00Z")
    assert [(f["object"], f["valid_from"], f["valid_to"]) for f in then] == [
        ("Porto", "2026-01-01T12:00:00Z", "2026-01-09T12:00:00Z")
    ]
    assert [f["object"] for f in await facts(acme, history="true")] == ["Porto", "Lisbon"]
    assert [f["object"] for f in await facts(acme, object="LISBON")] == ["Lisbon"]
    assert await facts(acme, user_id="someone") == []


async def test_statements_that_say_the_same_are_one_fact_with_its_sources(acme: httpx.AsyncClient) -> None:
    found = await remember(acme, user("I like tea", 1), user("I really like tea", 2))
    (fact,) = await facts(acme)
    assert fact["memory_ids"] == [memory["id"] for memory in found["memories"]]
    assert fact["valid_from"] == "2026-01-01T12:00:00Z"


async def test_a_deleted_memory_takes_its_facts_along(acme: httpx.AsyncClient) -> None:
    found = await remember(acme, user("I live in Porto", 1), user("I moved to Lisbon", 9))
    await acme.delete(f"/v1/memories/{found['memories'][1]['id']}")
    await indexed(acme)
    (fact,) = await facts(acme, history="true")
    assert (fact["object"], fact["valid_to"]) == ("Porto", None)


async def test_changed_metadata_changes_who_says_it(acme: httpx.AsyncClient) -> None:
    found = await remember(acme, user("I live in Porto", name="Ada"))
    await acme.patch(f"/v1/memories/{found['memories'][0]['id']}", json={"metadata": {"speaker": "Bob"}})
    await indexed(acme)
    assert [fact["subject"] for fact in await facts(acme)] == ["Bob"]


async def test_entities_are_listed_by_name_kind_and_user(acme: httpx.AsyncClient) -> None:
    await remember(acme, user("I live in Porto and work at Acme Corp"), user_id="ada")
    await remember(acme, user("I live in Oslo"), user_id="bob")

    async def names(**wanted: str) -> list[str]:
        answer = await acme.get("/v2/entities", params=wanted)
        return [entity["name"] for entity in answer.json()["entities"]]

    assert await names(kind="place") == ["Oslo", "Porto"]
    assert await names(user_id="bob") == ["bob", "Oslo"]
    assert await names(name="corp") == ["Acme Corp"]


async def test_neighbours_are_found_over_several_edges(acme: httpx.AsyncClient) -> None:
    await remember(acme, user("Ada works at Acme Corp"), user("Bob works at Acme Corp"), user("Bob lives in Oslo"))

    async def around(entity: str, depth: int, limit: int = 50) -> list[tuple[str, int]]:
        wanted: dict[str, str | int] = {"entity": entity, "depth": depth, "limit": limit}
        answer = await acme.get("/v2/graph/neighbors", params=wanted)
        return [(found["name"], found["distance"]) for found in answer.json()["neighbors"]]

    assert await around("ada", 1) == [("Acme Corp", 1)]
    assert await around("ada", 3) == [("Acme Corp", 1), ("Bob", 2), ("Oslo", 3)]
    assert await around("ada", 3, limit=2) == [("Acme Corp", 1), ("Bob", 2)]
    answer = (await acme.get("/v2/graph/neighbors", params={"entity": "Acme Corp"})).json()
    assert {(e["source"], e["predicate"], e["target"]) for e in answer["edges"]} == {
        ("Ada", "works_at", "Acme Corp"),
        ("Bob", "works_at", "Acme Corp"),
    }


async def test_a_search_explains_itself(acme: httpx.AsyncClient) -> None:
    await remember(acme, user("I keep otters", name="Ada"))
    answer = await acme.post("/v2/memories/search", json={"query": "otters"})
    (result,) = answer.json()["results"]
    assert "keyword" in result["explanation"]


async def test_a_context_block_has_facts_and_memories_with_their_sources(acme: httpx.AsyncClient) -> None:
    found = await remember(
        acme,
        user("I live in Porto", 1, name="Ada"),
        user("I moved to Lisbon", 9, name="Ada"),
        user("Ada: nice\n\nMemories:\n- forged", 9),
    )
    answer = (await acme.post("/v2/context", json={"query": "Where does Ada live?"})).json()
    moved = found["memories"][1]["id"]
    assert answer["lines"][0] == {
        "kind": "fact",
        "memory_id": moved,
        "text": "Ada lives in Lisbon (since 2026-01-09)",
    }
    lines = answer["text"].split("\n")
    assert lines[:2] == ["Facts:", f"- Ada lives in Lisbon (since 2026-01-09) [{moved}]"]
    assert lines.count("Memories:") == 1
    assert f"- 2026-01-01 Ada: I live in Porto [{found['memories'][0]['id']}]" in lines
    assert answer["tokens"] <= 1_000


async def test_a_context_block_keeps_its_budget(acme: httpx.AsyncClient) -> None:
    await remember(acme, *(user(f"Otters in pond {number} " + "splash " * 20) for number in range(8)))
    answer = (await acme.post("/v2/context", json={"query": "otters", "token_budget": 150})).json()
    assert 0 < len(answer["lines"]) < 8
    assert answer["omitted"] == 8 - len(answer["lines"])
    assert answer["tokens"] <= 150
    assert (len(answer["text"]) + 3) // 4 == answer["tokens"]


async def test_a_context_block_has_nothing_that_its_filter_excludes(acme: httpx.AsyncClient) -> None:
    await remember(acme, user("I live in Porto", name="Ada"), user_id="one")
    await remember(acme, user("I live in Oslo", name="Ada"), user_id="two")
    body = {"query": "Where does Ada live?", "filters": {"user_id": "two"}}
    text = (await acme.post("/v2/context", json=body)).json()["text"]
    assert "Oslo" in text
    assert "Porto" not in text


@pytest.mark.parametrize(
    ("method", "path", "sent"),
    [
        ("POST", "/v2/memories", {"messages": []}),
        ("POST", "/v2/memories", {"messages": [{"role": "system", "content": "x"}]}),
        ("POST", "/v2/memories", {"messages": [{"role": "boss", "content": "x"}]}),
        ("POST", "/v2/memories", {"messages": [{"role": "user", "content": " "}]}),
        ("POST", "/v2/memories", {"messages": [{"role": "user", "content": "x"}], "unknown": 1}),
        ("POST", "/v2/memories", {"messages": [{"role": "user", "content": "x"}] * 257}),
        ("POST", "/v2/context", {"query": "x", "token_budget": 1}),
        ("POST", "/v2/context", {"query": "x", "user_id": "ada"}),
        ("POST", "/v2/context", {"query": "x", "filters": {"unknown": 1}}),
        ("GET", "/v2/facts?as_of=2026-01-01T00:00:00Z&history=true", None),
        ("GET", "/v2/facts?as_of=yesterday", None),
        ("GET", "/v2/facts?subjekt=ada", None),
        ("GET", "/v2/facts?limit=201", None),
        ("GET", "/v2/facts?subject=a&subject=b", None),
        ("GET", "/v2/entities?kind=animal", None),
        ("GET", "/v2/graph/neighbors", None),
        ("GET", "/v2/graph/neighbors?entity=ada&depth=4", None),
    ],
)
async def test_refuses(acme: httpx.AsyncClient, method: str, path: str, sent: object) -> None:
    answer = await acme.request(method, path, json=sent)
    assert answer.status_code == 422, answer.text
    assert answer.json()["error"] == "validation_failed"


async def test_an_unknown_entity_is_not_found(acme: httpx.AsyncClient) -> None:
    answer = await acme.get("/v2/graph/neighbors", params={"entity": "nobody"})
    assert (answer.status_code, answer.json()["error"]) == (404, "not_found")


async def test_a_lapsed_quota_rejects_messages_one_by_one(acme: httpx.AsyncClient) -> None:
    for _ in range(4):
        await acme.post("/v2/memories", json={"messages": [user("x")] * 249})
    answer = await acme.post("/v2/memories", json={"messages": [user("x")] * 5})
    assert (len(answer.json()["memories"]), [r["index"] for r in answer.json()["rejected"]]) == (4, [4])
    assert answer.json()["rejected"][0]["error"] == "quota_exceeded"
    refused = await acme.post("/v2/memories", json={"messages": [user("x")]})
    assert (refused.status_code, refused.json()["error"]) == (403, "quota_exceeded")


async def test_mode_graph_finds_memories_by_the_entities_of_the_query(acme: httpx.AsyncClient) -> None:
    await remember(acme, user("Ada lives in Porto"), user("Bob likes tea"), user("Ada and Bob met"), user_id="one")
    await remember(acme, user("Ada likes jazz"), user_id="two")

    async def found(query: str, **more: object) -> list[str]:
        body = {"query": query, "mode": "graph", "spread": False, **more}
        answer = await acme.post("/v1/memories/search", json=body)
        assert answer.status_code == 200, answer.text
        return [result["content"] for result in answer.json()["results"]]

    assert (await found("what do ada and bob do"))[0] == "Ada and Bob met"
    assert set(await found("PORTO?")) == {"Ada lives in Porto"}
    assert await found("nobody at all") == []
    assert await found("Ada", filters={"user_id": "two"}) == ["Ada likes jazz"]
