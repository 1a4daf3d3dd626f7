from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from loci_dataplane.model.memory import Memory
from loci_dataplane.outbox.passages import passages
from loci_dataplane.text.utterance import Utterance, utterance


@pytest.mark.parametrize(
    ("content", "speaker", "text"),
    [
        ("Ada: I moved.", "Ada", "I moved."),
        ("(1:56 pm on 8 May, 2023) Ada: I moved.", "Ada", "I moved."),
        ("[2026-01-31 14:05] Ada Lovelace: I moved.", "Ada Lovelace", "I moved."),
        ("user: I moved.", "user", "I moved."),
        ("Jean-Luc O’Neill: Bon.", "Jean-Luc O’Neill", "Bon."),
        ("田中: 引っ越した", "田中", "引っ越した"),
        ("Éva : Bonjour.", "Éva", "Bonjour."),
        ("Ada: Bob: he said", "Ada", "Bob: he said"),
    ],
)
def test_finds_the_speaker_before_a_colon(content: str, speaker: str, text: str) -> None:
    assert utterance(content, {}) == Utterance(speaker, text)


@pytest.mark.parametrize(
    "content",
    [
        "I moved.",
        "Note: buy milk",
        "TODO: buy milk",
        "Reminder: call Ada",
        "https://example.com: a page",
        "12:30 lunch",
        "we agreed on this: no meetings",
        "Ada:",
        "Ada: ",
        "Ada:nospace",
        "The plan for the week: rest",
        ": empty",
        "",
        "(a remark) nobody",
        "x" * 100_000,
        "(" * 10_000,
        "A " * 10_000 + ": b",
    ],
)
def test_text_without_a_speaker_is_nobody_s(content: str) -> None:
    assert utterance(content, {}) == Utterance(None, content)


def test_the_metadata_names_the_speaker() -> None:
    assert utterance("I moved.", {"speaker": " Ada "}) == Utterance("Ada", "I moved.")
    assert utterance("ADA: I moved.", {"speaker": "Ada"}) == Utterance("Ada", "I moved.")
    assert utterance("Note: I moved.", {"speaker": "Ada"}) == Utterance("Ada", "Note: I moved.")
    assert utterance("Bob: I moved.", {"speaker": "Ada"}) == Utterance("Ada", "Bob: I moved.")


@pytest.mark.parametrize("speaker", ["", "  ", None, 7, ["Ada"], {"name": "Ada"}, "x" * 65])
def test_other_metadata_is_no_speaker(speaker: Any) -> None:
    assert utterance("I moved.", {"speaker": speaker}) == Utterance(None, "I moved.")


def test_every_part_of_an_utterance_says_whose_it_is() -> None:
    now = datetime.now(UTC)
    memory = Memory("mem_1", "Ada: " + "I moved to Lisbon. " * 100, None, None, None, {}, now, now)
    embedded = passages(memory)
    assert len(embedded) > 1
    assert all(text.startswith('Ada said, "') for text in embedded)
