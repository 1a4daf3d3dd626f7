from __future__ import annotations

import sqlite3
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loci_dataplane.search.words import expression


@pytest.fixture(scope="module")
def table() -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE VIRTUAL TABLE t USING fts5 (content, tokenize = 'porter unicode61')")
    connection.execute("INSERT INTO t VALUES ('The otters were sleeping in blue canoes')")
    yield connection
    connection.close()


def matches(table: sqlite3.Connection, query: str) -> bool:
    words = expression(query)
    return bool(words and table.execute("SELECT 1 FROM t WHERE t MATCH ?", [words]).fetchone())


def test_words_are_quoted_and_stop_words_left_out() -> None:
    assert expression("Where does the Otter sleep?") == '"otter" OR "sleep"'


def test_stop_words_stay_when_there_is_nothing_else() -> None:
    assert expression("who are you") == '"who" OR "are" OR "you"'


def test_a_query_without_a_word_is_none() -> None:
    assert expression("?! --") is None


def test_the_query_is_bounded() -> None:
    words = expression(" ".join(f"word{i}" for i in range(1_000)))
    assert words is not None
    assert words.count(" OR ") == 63


def test_finds_other_forms_of_a_word(table: sqlite3.Connection) -> None:
    assert matches(table, "otter sleeps canoe")
    assert not matches(table, "badger")


@pytest.mark.parametrize("query", ['" OR content:"', "NEAR(otter badger)", "otter*", "^otter", "-otter", "a AND", "_"])
def test_fts_syntax_in_a_query_is_only_words(table: sqlite3.Connection, query: str) -> None:
    assert matches(table, query) == ("otter" in query)


@given(st.text(max_size=100))
def test_no_text_is_an_error(table: sqlite3.Connection, query: str) -> None:
    matches(table, query)


def test_an_accent_written_apart_is_part_of_its_word() -> None:
    assert expression("re\u0301sume\u0301") == expression("r\u00e9sum\u00e9") == '"r\u00e9sum\u00e9"'
