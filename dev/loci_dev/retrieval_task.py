"""A retrieval task on real conversations, driven through `loci serve`: what it measures, and what scores mean on it.

The task is no part of this repository: a folder with `run_http.py`, beside the checkout in `shared/quality` or where
LOCI_QUALITY_TASK says. Each conversation is a tenant, each turn a memory, each question a search.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from loci_dataplane.search.retrievers.keyword import KeywordRetriever
from loci_dataplane.search.retrievers.vector import VectorRetriever
from loci_dev.bench import Figure, figure
from loci_dev.rigs.standalone import ADMIN_KEY, Served

_BESIDE = Path(__file__).parents[3] / "shared" / "quality"
_DEPTH: Final = 100


@dataclass(frozen=True)
class Result:
    """One result of one question."""

    score: float
    evidence: float
    cosine: float | None
    keyword: float
    relevant: bool


@dataclass(frozen=True)
class Answer:
    """The results of a question to one conversation; `expected` memories hold the answer, none in a foreign one."""

    results: Sequence[Result]
    expected: int


def task_folder() -> Path | None:
    """The retrieval task; None where there is none."""
    folder = Path(os.environ.get("LOCI_QUALITY_TASK", _BESIDE))
    return folder if (folder / "run_http.py").exists() else None


def run_task(task: Path, served: Served, folder: Path) -> dict[str, Any]:
    """Store the task's conversations and ask its questions; return what it measured."""
    command = [sys.executable, str(task / "run_http.py"), "--base-url", served.url, "--admin-key", ADMIN_KEY]
    files = ["--state", str(folder / "state.json"), "--out", str(folder / "result.json")]
    subprocess.run([*command, "--tier", "enterprise", *files], check=True)
    result: dict[str, Any] = json.loads((folder / "result.json").read_text())["variants"]["default"]
    return result


def answers(task: Path, served: Served, folder: Path, *, foreign: bool) -> list[Answer]:
    """Ask each question of its own conversation, or of the next one."""
    tenants = json.loads((folder / "state.json").read_text())["tenants"]
    own = conversations(task)
    asked = own[1:] + own[:1] if foreign else own
    found: list[Answer] = []
    for conversation, questions in zip(own, asked, strict=True):
        tenant = tenants[conversation["id"]]
        with served.client(tenant["key"]) as client:
            for question in questions["qa"]:
                expected = set() if foreign else set(question["evidence"])
                body = {"query": question["question"], "limit": _DEPTH, "explain": True}
                results = client.post("/v1/memories/search", json=body).raise_for_status().json()["results"]
                found.append(Answer([_result(r, tenant["map"], expected) for r in results], len(expected)))
    return found


def at_thresholds(own: Sequence[Answer], scores: Sequence[float]) -> Iterator[Figure]:
    """Precision and recall of the results that reach a score, and how often there is one."""
    for score in scores:
        reached = [[r for r in answer.results if r.score >= score] for answer in own]
        relevant = sum(r.relevant for results in reached for r in results)
        yield figure(f"score >= {score}: precision", relevant / max(1, sum(map(len, reached))), "")
        yield figure(f"score >= {score}: recall", relevant / sum(answer.expected for answer in own), "")
        yield figure(f"score >= {score}: results a question", sum(map(len, reached)) / len(own), "")
        found = sum(any(r.relevant for r in results) for results in reached)
        yield figure(
            f"score >= {score}: questions answered, of those with results", found / sum(map(bool, reached)), ""
        )


def _result(result: dict[str, Any], turns: dict[str, list[str]], expected: set[str]) -> Result:
    explanation = result["explanation"]
    values = {r.name: explanation.get(r.name, {}).get("evidence", 0.0) for r in (VectorRetriever, KeywordRetriever)}
    evidence = sum(r.weight * values[r.name] for r in (VectorRetriever, KeywordRetriever))
    evidence += explanation["neighbour"] + explanation["speaker"]
    cosine = explanation.get(VectorRetriever.name, {}).get("score")
    relevant = not expected.isdisjoint(turns.get(result["id"], []))
    return Result(result["score"], evidence, cosine, values[KeywordRetriever.name], relevant)


def conversations(task: Path) -> list[dict[str, Any]]:
    """The task's conversations: `turns`, each with the `content` that is stored, and `qa`, questions with evidence."""
    specification = importlib.util.spec_from_file_location("locomo_task", task / "locomo_task.py")
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    loaded: list[dict[str, Any]] = module.load()
    for conversation in loaded:
        for turn in conversation["turns"]:
            turn["content"] = module.render(turn["turn"], turn["date"], module.DEFAULT_FORMAT)
    return loaded
