from __future__ import annotations

from datetime import UTC, datetime

import pytest

from loci_dataplane.graph.extraction.extract import extract
from loci_dataplane.model.graph import Extraction
from loci_dataplane.model.memory import Memory

SAID = datetime(2026, 5, 8, 12, 30, tzinfo=UTC)  # a Friday


def extracted(content: str, *, user_id: str | None = None, **metadata: object) -> Extraction:
    return extract(Memory("mem_1", content, user_id, None, None, metadata, SAID, SAID))


def stated(content: str, **given: object) -> list[str]:
    """Facts as `subject predicate object`, those that end with `!`."""
    facts = extracted(content, **given).facts  # type: ignore[arg-type]
    return [" ".join([f.subject.name, f.predicate, f.object.name if f.object else "-"]) + "!" * f.ends for f in facts]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("I live in Porto", ["user lives_in Porto"]),
        ("i live in porto", ["user lives_in porto"]),
        ("I live in the Netherlands.", ["user lives_in Netherlands"]),
        ("I just moved to Lisbon, Portugal!", ["user lives_in Lisbon"]),
        ("I've lived in Rome for ten years", ["user lives_in Rome"]),
        ("We are moving to New York", ["user lives_in New York"]),
        ("Anna moved from Porto to Lisbon", ["Anna lives_in Lisbon"]),
        ("I no longer live in Porto", ["user lives_in Porto!"]),
        ("I don't live in Porto anymore", ["user lives_in Porto!"]),
        ("I moved out of Porto", ["user lives_in Porto!"]),
        ("I work at Acme Corp as a nurse", ["user works_at Acme Corp"]),
        ("I work for the Red Cross", ["user works_at Red Cross"]),
        ("yesterday i joined google", ["user works_at google"]),
        ("I quit my job", ["user works_at -!"]),
        ("I lost my job at Initech this month", ["user works_at Initech!"]),
        ("I'm a software engineer", ["user works_as software engineer"]),
        ("I got promoted to senior engineer", ["user works_as senior engineer"]),
        ("I’m 34 years old", ["user age 34"]),
        ("I just turned 30", ["user age 30"]),
        ("My name is Ada Lovelace", ["user name Ada Lovelace"]),
        ("Call me Ada", ["user name Ada"]),
        ("My birthday is on May 3", ["user birthday 2026-05-03"]),
        ("My email is ada@example.com", ["user email ada@example.com"]),
        ("My favourite colour is blue", ["user favourite colour blue"]),
        ("Anna's favorite food is sushi", ["Anna favourite food sushi"]),
        ("my sister Anna lives in Oslo", ["user sister Anna", "Anna lives_in Oslo"]),
        ("My wife is Anna", ["user wife Anna"]),
        ("My dog's name is Rex", ["user dog Rex"]),
        ("My sister is a nurse", ["user's sister works_as nurse"]),
        ("I got married to Tom", ["user married_to Tom"]),
        ("I'm divorced", ["user relationship_status divorced"]),
        ("I've been vegan since 2019", ["user diet vegan"]),
        ("I'm allergic to peanuts", ["user allergic_to peanuts"]),
        ("I speak English and Spanish", ["user speaks English", "user speaks Spanish"]),
        (
            "I love hiking, jazz music and playing the guitar",
            ["user likes hiking", "user likes jazz music", "user likes playing guitar"],
        ),
        ("I don't like mushrooms.", ["user dislikes mushrooms"]),
        ("I don't like coffee anymore", ["user likes coffee!"]),
        ("I can't stand noise", ["user dislikes noise"]),
        ("I prefer tea over coffee", ["user prefers tea", "user prefers coffee!"]),
        ("Bob lives in Rome and works at Google", ["Bob lives_in Rome", "Bob works_at Google"]),
        ("Bob doesn't like tea", ["Bob dislikes tea"]),
        ("The user lives in Rome", ["user lives_in Rome"]),
        ("Lives in Berlin", ["user lives_in Berlin"]),
        ("Is allergic to peanuts", ["user allergic_to peanuts"]),
        ("Ich wohne in Berlin und arbeite bei Siemens", ["user lives_in Berlin", "user works_at Siemens"]),
        ("Vivo en Madrid y trabajo en Telefónica", ["user lives_in Madrid", "user works_at Telefónica"]),
        ("No me gusta el café", ["user dislikes café"]),
        ("Je n'aime pas le café", ["user dislikes café"]),
        ("Je m'appelle Ada", ["user name Ada"]),
        ("Moro em Lisboa", ["user lives_in Lisboa"]),
        ("Abito a Roma", ["user lives_in Roma"]),
    ],
)
def test_states(content: str, expected: list[str]) -> None:
    assert stated(content) == expected


@pytest.mark.parametrize(
    "content",
    [
        "Do I live in Porto?",
        "If I lived in Porto I'd be happy",
        "I would love to live in Rome",
        "I might move to Lisbon",
        "I will move to Lisbon",
        "I want to work at Google",
        "I used to live in Paris",
        "I was a nurse",
        "I've never been to Paris",
        "She lives in Porto",
        "I love you",
        "I love how kind you are",
        "I like it",
        "Dancing is like second nature to me",
        "I visited a LGBTQ center",
        "Hey Anna love the necklace",
        "I'm 5 minutes away",
        "I'm not a doctor",
        "Thanks for the call",
        "私は元気です",
        "",
        "?!",
    ],
)
def test_states_nothing(content: str) -> None:
    assert stated(content) == []


@pytest.mark.parametrize(
    ("content", "day"),
    [
        ("I moved to Lisbon yesterday", "2026-05-07"),
        ("I moved to Lisbon last week", "2026-04-27"),
        ("I moved to Lisbon last month", "2026-04-01"),
        ("I moved to Lisbon last Saturday", "2026-05-02"),
        ("I moved to Lisbon two years ago", "2024-01-01"),
        ("I moved to Lisbon on 3 June 2024", "2024-06-03"),
        ("I moved to Lisbon on June 3rd, 2024", "2024-06-03"),
        ("I moved to Lisbon in March 2025", "2025-03-01"),
        ("I moved to Lisbon in 2015", "2015-01-01"),
        ("I moved to Lisbon on 2024-06-03", "2024-06-03"),
        ("I'm moving to Lisbon next month", "2026-06-01"),
        ("I've lived in Lisbon since 2019", "2019-01-01"),
        ("Me mudé a Lisboa ayer", "2026-05-07"),
        ("[1:56 pm on 8 May, 2023] Ada: I moved to Lisbon yesterday", "2023-05-07"),
    ],
)
def test_dates_a_fact_by_its_sentence(content: str, day: str) -> None:
    (fact,) = extracted(content).facts
    assert fact.valid_from.date().isoformat() == day


@pytest.mark.parametrize(
    "content", ["I moved to Lisbon", "I moved to Lisbon today", "I live in Lisbon, see you in 2030"]
)
def test_dates_a_fact_by_its_memory_otherwise(content: str) -> None:
    (fact,) = extracted(content).facts
    assert fact.valid_from == SAID


def test_a_recent_event_ranks_by_when_it_was_told_and_an_old_one_by_its_date() -> None:
    (recent,), (old,) = (extracted(f"I moved to Lisbon {when}").facts for when in ("last week", "in 2015"))
    assert (recent.ranked_at, old.ranked_at) == (SAID, datetime(2015, 1, 1, tzinfo=UTC))


def test_the_speaker_is_the_metadata_s_then_the_prefix_then_the_user() -> None:
    told = "I live in Porto"
    assert stated(told, speaker="Ada") == ["Ada lives_in Porto"]
    assert stated(f"Bob: {told}") == ["Bob lives_in Porto"]
    assert stated(f"Bob: {told}", speaker="Ada") == ["Ada lives_in Porto"]
    assert stated(told, user_id="u-17") == ["u-17 lives_in Porto"]
    assert stated(f"Note: {told}") == ["user lives_in Porto"]


def test_users_share_no_scope() -> None:
    assert extracted("I live in Porto", user_id="ada").scope == "ada"


@pytest.mark.parametrize("metadata", [{"speaker": 7}, {"speaker": ""}, {"speaker": ["Ada"]}])
def test_a_speaker_that_is_no_name_is_ignored(metadata: dict[str, object]) -> None:
    assert stated("I live in Porto", **metadata) == ["user lives_in Porto"]


def test_facts_and_mentions_of_a_memory_are_bounded() -> None:
    content = " ".join(f"I visited Town{number}ville." for number in range(1_000))
    found = extracted(content)
    assert len(found.facts) == 32
    assert len(found.mentions) <= 96


def test_every_part_of_a_fact_is_mentioned() -> None:
    found = extracted(" ".join(f"I visited Town{number}ville." for number in range(100)))
    mentioned = {entity.key for entity in found.mentions}
    assert all(f.subject.key in mentioned and f.object and f.object.key in mentioned for f in found.facts)
