"""Whether search understands other languages: memories and questions in eleven, written for this benchmark.

All memories are one tenant's, each language's are one user's. A question is asked in its memory's language, mostly in
other words: of the user's memories, as an application would, and of all, where other languages tell of similar things.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

import httpx

from loci_dev.bench import Figure, figure, report
from loci_dev.rigs.standalone import declare, serve

QUESTIONS: Final = Path(__file__).with_suffix(".json")
_TENANT: Final = "languages"
_MODES: Final = ("hybrid", "vector", "keyword")


def main() -> int:
    """Report the share of questions whose memory is the first result, by language and by mode."""
    pairs: dict[str, list[tuple[str, str]]] = json.loads(QUESTIONS.read_text())
    with tempfile.TemporaryDirectory(prefix="loci-multilingual-") as name:
        tenants = Path(name) / "tenants"
        tenants.mkdir()
        declare(tenants, _TENANT, tier="enterprise")
        with serve(Path(name), tenants) as served, served.client(served.key(_TENANT)) as client:
            report("multilingual", _measure(client, pairs))
    return 0


def _measure(client: httpx.Client, pairs: dict[str, list[tuple[str, str]]]) -> list[Figure]:
    for language, content in ((language, content) for language, some in pairs.items() for content, _ in some):
        client.post("/v1/memories", json={"content": content, "user_id": language}).raise_for_status()
    while _search(client, "?", "hybrid", None)["pending"]:
        pass
    own = {language: _hits(client, {language: some}, "hybrid", own=True) for language, some in pairs.items()}
    figures = [figure(f"hit@1 among the language's memories, {language}", hit, "") for language, hit in own.items()]
    for mode in _MODES:
        figures.append(
            figure(f"hit@1 among the language's memories, mode {mode}", _hits(client, pairs, mode, own=True), "")
        )
        figures.append(figure(f"hit@1 among all memories, mode {mode}", _hits(client, pairs, mode, own=False), ""))
    return figures


def _hits(client: httpx.Client, pairs: dict[str, list[tuple[str, str]]], mode: str, *, own: bool) -> float:
    hits: list[bool] = []
    for language, some in pairs.items():
        for content, question in some:
            results = _search(client, question, mode, language if own else None)["results"]
            hits.append(bool(results) and results[0]["content"] == content)
    return sum(hits) / len(hits)


def _search(client: httpx.Client, query: str, mode: str, user: str | None) -> dict[str, Any]:
    body = {"query": query, "mode": mode, "limit": 1, "filters": {"user_id": user} if user else {}}
    answer: dict[str, Any] = client.post("/v1/memories/search", json=body).raise_for_status().json()
    return answer


if __name__ == "__main__":
    sys.exit(main())
