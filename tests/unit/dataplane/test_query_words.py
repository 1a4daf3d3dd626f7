from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loci_dataplane.text.analysis import terms
from loci_dataplane.text.query import index_terms, query_words


def words(query: str) -> list[tuple[str, ...]]:
    return [word.alternatives[0] for word in query_words(query)]


def held(query: str, text: str) -> list[bool]:
    counts = Counter(terms(text))
    return [bool(word.occurrences(counts)) for word in query_words(query)]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("Where does the Otter sleep?", ["otter", "sleep"]),
        ("What did Ada tell me about her trip?", ["ada", "trip"]),
        ("Wo ist der Bahnhof?", ["bahnhof"]),
        ("Où est la gare ?", ["gare"]),
        ("¿Dónde está la estación?", ["estacion"]),
        ("где мы книги и тетради", ["книг", "тетрад"]),
        ("顧客は何を飲みますか", ["顧客", "飲"]),
        ("我们明天去哪里", ["明天", "去"]),
        ("고양이는 어디에", ["고양"]),
        ("the war memorial", ["war", "memori"]),
    ],
)
def test_stop_words_of_the_query_s_language_are_left_out(query: str, expected: list[str]) -> None:
    assert [alternative[0] for alternative in words(query)] == expected


@pytest.mark.parametrize("query", ["who are you", "the", "это", "これは", "是"])
def test_stop_words_stay_when_there_is_nothing_else(query: str) -> None:
    assert query_words(query)


@pytest.mark.parametrize("query", ["?! --", "   ", "\u200b"])
def test_a_query_without_a_word_has_none(query: str) -> None:
    assert query_words(query) == []


def test_each_word_counts_once() -> None:
    assert words("otter Otters OTTER badger") == [("otter",), ("badger",)]


def test_no_word_of_a_long_query_is_dropped() -> None:
    assert len(query_words(" ".join(f"word{number}" for number in range(1_000)))) == 1_000


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("緑茶", "顧客は毎朝緑茶を飲みます"),
        ("茶", "緑茶"),
        ("北京", "我们明天去北京开会"),
        ("고양이를", "고양이가 서울에서 잔다"),
        ("서울", "고양이가 서울에서 잔다"),
        ("서울에서", "서울은 크다"),
        ("ชาเขียว", "ลูกค้าดื่มชาเขียวทุกเช้า"),
        ("ຊາຂຽວ", "ລູກຄ້າດື່ມຊາຂຽວ"),
        ("តែបៃតង", "អតិថិជនផឹកតែបៃតង"),
        ("လက်ဖက်", "လက်ဖက်စိမ်းသောက်သည်"),
        ("Ｔｏｋｙｏ", "Office in Tokyo"),
        ("コンピュータ", "新しいコンピューターを買った"),
        ("foo_bar", "call foo bar"),
        ("foo bar", "call foo_bar()"),
        ("fooBar", "foo_bar"),
        ("e-bike", "an ebike"),
        ("ebike", "an e-bike"),
        ("well known", "well-known"),
        ("homme", "l'homme"),
        ("l'homme", "un homme"),
        ("O'Brien", "Mr OBrien"),
        ("Ada's", "Ada said"),
        ("C++", "I write C++."),
        ("3.11", "Python 3.11.2"),
        ("2026-01", "on 2026/01/31"),
        ("ada@example.com", "mail: Ada@Example.com"),
        ("5 km", "ran 5km"),
        ("iPhone", "my iPhone15"),
        ("كتاب", "قرأت الكِتَاب"),
        ("🍕", "pizza 🍕!"),
    ],
)
def test_a_text_holds_every_word_of_the_query(query: str, text: str) -> None:
    assert all(held(query, text))


@pytest.mark.parametrize(
    ("query", "text"),
    [("東大", "東京の大学"), ("c++", "vitamin c"), ("3.11", "3 of 11"), ("นม", "ลูกค้าดื่มชา"), ("ada@x.org", "ada")],
)
def test_a_text_does_not_hold_what_only_its_characters_share(query: str, text: str) -> None:
    assert not any(held(query, text))


@settings(deadline=None)
@given(st.text(max_size=100))
def test_a_text_holds_every_word_of_itself(text: str) -> None:
    assert all(held(text, text))
    assert len(index_terms(query_words(text))) >= len(query_words(text)) > 0 or not terms(text)
