"""Words of many scripts and spellings are found through the API."""

from __future__ import annotations

import httpx
import pytest

WRITTEN = [
    ("full-width Latin as stored", "Office in Ｔｏｋｙｏ", "Ｔｏｋｙｏ"),
    ("full-width Latin by half-width", "Office in Ｔｏｋｙｏ", "Tokyo"),
    ("half-width Latin by full-width", "Office in Tokyo", "Ｔｏｋｙｏ"),
    ("a ligature", "The ofﬁce is closed", "office"),
    ("by a ligature", "The office is closed", "ofﬁce"),
    ("a letter that is a ligature", "Un bœuf", "boeuf"),
    ("a superscript", "An area of 20 m²", "m2"),
    ("a subscript", "Drink H₂O", "h2o"),
    ("half-width kana", "ｶﾞｿﾘﾝを買う", "ガソリン"),
    ("by half-width kana", "ガソリンを買う", "ｶﾞｿﾘﾝ"),
    ("decomposed Hangul", "\u1112\u1161\u11ab\u1100\u116e\u11a8에 산다", "한국"),
    ("by decomposed Hangul", "한국에 산다", "\u1112\u1161\u11ab\u1100\u116e\u11a8"),
    ("Arabic with vowel marks", "قَرَأَ كِتَابًا", "كتابا"),
    ("Arabic by vowel marks", "قرأ كتابا", "كِتَابًا"),
    ("Arabic with its article", "أين الكتاب", "كتاب"),
    ("Hebrew points", "שָׁלוֹם לכולם", "שלום"),
    ("a combining accent", "Her re\u0301sume\u0301", "résumé"),
    ("without accents", "Her résumé", "resume"),
    ("Vietnamese without accents", "Tôi thích phở", "pho"),
    ("Chinese", "我们明天去北京开会讨论预算", "北京"),
    ("one Chinese character", "我喜欢猫", "猫"),
    ("Japanese", "顧客は毎朝緑茶を飲みます", "緑茶"),
    ("Japanese in a sentence", "顧客は毎朝緑茶を飲みます", "緑茶は好きですか"),
    ("Korean before a particle", "고객은 아침마다 녹차를 마신다", "녹차"),
    ("Korean with another particle", "고객은 아침마다 녹차를 마신다", "녹차가"),
    ("Thai", "ลูกค้าดื่มชาเขียวทุกเช้า", "ชาเขียว"),
    ("Lao", "ລູກຄ້າດື່ມຊາຂຽວ", "ຊາຂຽວ"),
    ("Khmer", "អតិថិជនផឹកតែបៃតង", "តែបៃតង"),
    ("Burmese", "ဖောက်သည်လက်ဖက်စိမ်းသောက်သည်", "လက်ဖက်"),
    ("Hindi", "ग्राहक हर सुबह हरी चाय पीता है", "चाय"),
    ("Tamil", "வாடிக்கையாளர் பச்சை தேநீர்", "தேநீர்"),
    ("Russian in another form", "Он читает книги", "книга"),
    ("Greek without accents", "Η Αθήνα είναι ωραία", "ΑΘΗΝΑ"),
    ("German", "Die Straße ist gesperrt", "STRASSE"),
    ("mixed scripts", "iPhone15を東京で買った", "東京"),
    ("mixed scripts in Latin", "iPhone15を東京で買った", "iphone"),
    ("an identifier", "Call foo_bar() first", "foo_bar"),
    ("an email", "Write to ada.l@example.com", "ada.l@example.com"),
    ("a language", "She writes C++", "c++"),
    ("a version", "It needs Python 3.11.2", "3.11"),
    ("a pictogram", "Pizza night 🍕", "🍕"),
]
OTHERS = ["The quarterly budget was approved.", "他は毎日走る", "예산이 승인되었다", "ประชุมวันจันทร์", "الطقس جميل اليوم"]


@pytest.mark.parametrize(("content", "query"), [row[1:] for row in WRITTEN], ids=[row[0] for row in WRITTEN])
async def test_a_word_is_found_however_it_is_written(acme: httpx.AsyncClient, content: str, query: str) -> None:
    for text in (content, *OTHERS):
        assert (await acme.post("/v1/memories", json={"content": text})).status_code == 201
    answer = await acme.post("/v1/memories/search", json={"query": query, "mode": "keyword"})
    results = answer.json()["results"]
    assert [result["content"] for result in results] == [content]
    assert results[0]["score"] >= 0.3
