from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loci_dataplane.text.parts import parts
from loci_embedder.loading import load
from loci_embedder.tokens import TextTokenizer

SENTENCES = {
    "English": "Ada adopted a puppy from the shelter last weekend, and Bob is allergic to peanuts. ",
    "German": "Die Versicherungsgesellschaft hat gestern beschlossen, Beitragserhöhungen zurückzunehmen. ",
    "Russian": "Клиент пьёт зелёный чай каждое утро. ",
    "Arabic": "العميل يشرب الشاي الأخضر كل صباح. ",
    "Hindi": "ग्राहक हर सुबह हरी चाय पीता है। ",
    "Chinese": "我们明天去北京开会讨论预算。",
    "Japanese": "顧客は毎朝緑茶を飲みます。コンピューターを買った。",
    "Korean": "고양이가 서울에서 잔다. ",
    "Thai": "ลูกค้าดื่มชาเขียวทุกเช้า ",
    "code": "def foo_bar(self, x: int) -> dict[str, int]: return {'x': x + 1}\n",
}


@pytest.fixture(scope="module", params=["all-MiniLM-L6-v2-int8", "multilingual-e5-small-int8"])
def tokenizer(request: pytest.FixtureRequest) -> TextTokenizer:
    return load(request.param)._tokenizer


@pytest.mark.parametrize("sentence", SENTENCES.values(), ids=SENTENCES)
def test_the_models_read_every_part_whole(sentence: str, tokenizer: TextTokenizer) -> None:
    content = sentence * (20_000 // len(sentence))
    divided = parts(content)
    assert len(divided) > 1
    assert all(len(tokenizer.inputs(f"passage: {part}")) == 1 for part in divided)


@pytest.mark.parametrize("sentence", SENTENCES.values(), ids=SENTENCES)
def test_a_short_content_is_one_part(sentence: str) -> None:
    assert parts(sentence) == [sentence]


def test_parts_overlap_and_follow_one_another() -> None:
    words = [f"word{number}" for number in range(1_000)]
    divided = [part.split() for part in parts(" ".join(words))]
    assert divided[0][0] == words[0]
    assert divided[-1][-1] == words[-1]
    for before, after in itertools.pairwise(divided):
        assert after[0] in before[-20:]
        assert after[0] != before[0]


@settings(deadline=None)
@given(st.text(max_size=2_000), st.integers(1, 20))
def test_nothing_is_left_out(text: str, times: int) -> None:
    content = text * times
    begun, covered = -1, 0
    for part in parts(content):
        covered += len(content[covered:]) - len(content[covered:].lstrip())
        begun = max(s for s in range(begun + 1, covered + 1) if content.startswith(part.strip(), s))
        covered = begun + len(part.strip())
    assert not content[covered:].strip()


def test_a_run_without_spaces_is_divided() -> None:
    divided = parts("x" * 32_768)
    assert len(divided) > 1
    assert max(map(len, divided)) < 1_000
