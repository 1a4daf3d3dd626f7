from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loci_dataplane.graph.extraction.extract import extract
from loci_dataplane.model.graph import entity_key
from loci_dataplane.model.memory import Memory

SAID = datetime(2026, 5, 8, 12, 30, tzinfo=UTC)


def mentioned(content: str) -> set[tuple[str, str]]:
    found = extract(Memory("mem_1", content, None, None, None, {}, SAID, SAID))
    return {(entity.name, entity.kind.value) for entity in found.mentions}


@pytest.mark.parametrize(
    ("content", "name", "kind"),
    [
        ("We met Grace Hopper there", "Grace Hopper", "name"),
        ("Then Anna said so", "Anna", "person"),
        ("I asked Dr. Smith about it", "Dr. Smith", "person"),
        ("They flew to Buenos Aires", "Buenos Aires", "place"),
        ("We walked along Hyde Park", "Hyde Park", "place"),
        ("She studies at Oxford University", "Oxford University", "organisation"),
        ("Max looks so peaceful. I miss Max", "Max", "name"),
        ("ping @ada_l about it", "@ada_l", "person"),
        ("#budget is tight", "budget", "topic"),
        ('I finished reading "The Left Hand of Darkness"', "The Left Hand of Darkness", "work"),
        ("「ノルウェイの森」を読んだ", "ノルウェイの森", "work"),
        ("田中さんに会った", "田中", "person"),
        ("東京タワーに行きました", "東京タワー", "name"),
        ("We went yesterday", "2026-05-07", "date"),
        ("It happened on 8. Mai 2024", "2024-05-08", "date"),
        ("It cost $20", "$20", "quantity"),
        ("We ran five miles", "five miles", "quantity"),
        ("I opened my new dance studio", "dance studio", "topic"),
    ],
)
def test_mentions(content: str, name: str, kind: str) -> None:
    assert (name, kind) in mentioned(content)


@pytest.mark.parametrize(
    "content",
    [
        "Thanks so much!",
        "Wow, that is great",
        "Hey! Sounds good",
        "May I come in",
        "WOWZERS that was loud",
        "See you at 5/8/2023",
        "on February 30",
        "It may be so",
        "That was a lot of fun",
    ],
)
def test_mentions_nothing(content: str) -> None:
    assert mentioned(content) == set()


@pytest.mark.parametrize(
    ("one", "other"),
    [("Lisbon", "LISBON"), ("The  Hague", "hague"), ("Straße", "STRASSE"), ("cafe\u0301", "café")],
)
def test_spellings_of_one_name_are_one_entity(one: str, other: str) -> None:
    assert entity_key(one) == entity_key(other)


@given(st.text(max_size=300) | st.text(alphabet="IiA am'nt live in to my. ,:\"「@#1/", max_size=200))
def test_any_text_can_be_extracted(content: str) -> None:
    found = extract(Memory("mem_1", content, None, None, None, {}, SAID, SAID))
    assert all(entity.key for entity in found.mentions)
