from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loci_dataplane.text.analysis import LONGEST_TERM, terms

SAME = [
    ("full-width Latin", "Ｔｏｋｙｏ", "tokyo"),
    ("a ligature", "oﬃce ﬁnance", "office finance"),
    ("letters that are ligatures", "Œuvre encyclopædia", "oeuvre encyclopaedia"),
    ("superscripts and subscripts", "x² H₂O", "x2 h2o"),
    ("circled and Roman numerals", "① Ⅳ", "1 IV"),
    ("half-width kana", "ｶﾞｽ ﾊﾟｽﾀ", "ガス パスタ"),
    ("decomposed Hangul", "\u1112\u1161\u11ab\u1100\u116e\u11a8", "한국"),
    ("half-width Hangul", "ﾡﾢ", "ㄱㄲ"),
    ("Hangul of the compatibility block", "㈜", "(주)"),
    ("Arabic vowel marks", "كِتَابٌ", "كتاب"),
    ("Arabic tatweel", "كـــتاب", "كتاب"),
    ("Arabic presentation forms", "ﻛﺘﺎﺏ", "كتاب"),
    ("Arabic hamza seats", "أحمد إلى آخر", "احمد الى اخر"),
    ("Persian letters", "کتابی", "كتابي"),
    ("a zero-width non-joiner", "می\u200cروم", "میروم"),
    ("Hebrew points", "שָׁלוֹם", "שלום"),
    ("Latin diacritics", "Ångström résumé São", "angstrom resume sao"),
    ("letters with strokes", "Łódź Ørsted", "lodz orsted"),
    ("a combining accent", "re\u0301sume\u0301", "résumé"),
    ("Vietnamese", "Tiếng Việt", "tieng viet"),
    ("Greek accents and final sigma", "Ὀδυσσεύς", "οδυσσευσ"),
    ("a Cyrillic stress mark", "за\u0301мок ёлка", "замок елка"),
    ("sharp s", "Straße STRASSE", "strasse strasse"),
    ("dotted I", "İSTANBUL", "istanbul"),
    ("Arabic and Devanagari digits", "٤٢ ४२", "42 42"),
    ("mathematical letters", "𝐓𝐨𝐤𝐲𝐨", "tokyo"),
    ("a soft hyphen", "co\u00adoperate", "cooperate"),
    ("a trailing long vowel", "コンピューター", "コンピュータ"),
    ("typographic apostrophes and hyphens", "Ada’s e‑bike", "Ada's e-bike"),
    ("forms of an English word", "He was hiking; hikes", "he was hike hiked"),
    ("a possessive", "the otters' and Ada's", "the otter and Ada"),
    ("forms of a Russian word", "книги", "книга"),
    ("the Arabic article", "الكتاب", "كتاب"),
    ("thousands", "1,000,000", "1000000"),
    ("a version's prefix", "v3.11", "3.11"),
    ("ways to write a date", "2026/01/31", "2026-01-31"),
]
HELD = [
    ("a Chinese word", "我们明天去北京开会", ["北京", "明天"]),
    ("a Japanese word", "顧客は毎朝緑茶を飲みます", ["緑茶", "毎朝", "茶"]),
    ("a katakana word in a run", "新しいスマートフォンを買った", ["マー", "ォン"]),
    ("a Korean noun before its particle", "고양이가 서울에서 잔다", ["서울", "양이"]),
    ("a Thai word", "ลูกค้าดื่มชาเขียวทุกเช้า", ["ชา", "เขี"]),
    ("a Lao word", "ລູກຄ້າດື່ມຊາຂຽວ", ["ຊາ", "ຂຽວ"]),
    ("a Khmer word", "អតិថិជនផឹកតែបៃតង", ["តែ", "ផឹក"]),
    ("a Burmese word", "လက်ဖက်စိမ်းသောက်သည်", ["လက်"]),
    ("Devanagari vowel signs", "ग्राहक चाय पीता", ["ग्राहक", "चाय"]),
    ("mixed scripts", "iPhone15を東京でbuyした", ["iphon", "iphone15", "15", "東京", "buy"]),
    ("an identifier", "call foo_bar()", ["foo", "bar", "foobar"]),
    ("camel case", "getUserName", ["user", "getusernam"]),
    ("an acronym before a word", "HTTPServer", ["http", "server"]),
    ("an email", "write to ada.l@example.com.", ["ada", "l", "exampl", "com", "adalexamplecom"]),
    ("a language with a sign", "C++ and C#", ["c++", "c#"]),
    ("a version", "Python 3.11.2", ["3.11.2", "3.11", "3", "11"]),
    ("a date", "on 2026-01-31", ["2026", "2026-01", "2026-01-31", "31"]),
    ("a time", "at 10:30", ["10:30", "10"]),
    ("a unit at its number", "ran 5km", ["5km", "5", "km"]),
    ("a product number", "the A320neo", ["a320neo", "320", "neo"]),
    ("a hyphen", "an e-bike", ["ebik", "bike"]),
    ("an abbreviation", "the U.S.A.", ["usa"]),
    ("a path", "src/loci/app/main.py", ["src", "loci", "app", "main", "py"]),
    ("a long identifier without separators", "a1b2c3d4e5", ["a1b2c3d4e5"]),
    ("a pictogram", "pizza 🍕❤️", ["🍕", "❤"]),
]


@pytest.mark.parametrize(("left", "right"), [row[1:] for row in SAME], ids=[row[0] for row in SAME])
def test_one_text_has_one_set_of_terms_however_it_is_written(left: str, right: str) -> None:
    assert terms(left)
    assert set(terms(left)) == set(terms(right))


@pytest.mark.parametrize(("text", "expected"), [row[1:] for row in HELD], ids=[row[0] for row in HELD])
def test_a_text_holds_these_terms(text: str, expected: list[str]) -> None:
    assert set(expected) <= set(terms(text))


@pytest.mark.parametrize(
    ("left", "right"), [("北京", "東京"), ("йод", "иод"), ("がき", "かき"), ("c++", "c"), ("3.1", "3.11")]
)
def test_different_words_have_different_terms(left: str, right: str) -> None:
    assert set(terms(left)) != set(terms(right))


@pytest.mark.parametrize("text", ["", "   ", "?! -- …", "\u200b\ufeff", "\u0301"])
def test_a_text_without_words_has_no_terms(text: str) -> None:
    assert terms(text) == []


@settings(deadline=None)
@given(st.text(max_size=200))
def test_no_term_is_empty_or_long_or_holds_white_space(text: str) -> None:
    for term in terms(text):
        assert 0 < len(term) <= LONGEST_TERM
        assert not any(character.isspace() for character in term)


@settings(deadline=None)
@given(st.lists(st.sampled_from([row[1] for row in SAME]), max_size=5))
def test_words_keep_their_terms_among_others(words: list[str]) -> None:
    assert terms(" ".join(words)) == [term for word in words for term in terms(word)]


def test_a_repeated_word_is_counted_each_time() -> None:
    assert terms("otter, Otters; OTTER").count("otter") == 3
