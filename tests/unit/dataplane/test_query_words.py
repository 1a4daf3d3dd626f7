from __future__ import annotations

from loci_dataplane.search.words import telling_terms


def test_stop_words_are_left_out() -> None:
    assert telling_terms("Where is the otter?") == ["otter"]


def test_a_query_without_a_word_has_no_terms() -> None:
    assert telling_terms("?! --") == []
