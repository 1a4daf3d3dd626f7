"""What each step of a search adds: the retrieval task, in this process, with one step left out at a time.

The conversations are stored and embedded once; then every variant asks all questions, which takes seconds.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np

from loci_dataplane.model.memory import Memory, new_id
from loci_dataplane.outbox.passages import passages
from loci_dataplane.search.recipe import DEFAULT, Recipe
from loci_dataplane.search.retrievers import retrievers
from loci_dataplane.search.schemas import SearchInput
from loci_dataplane.search.service import Search
from loci_dataplane.stores.embedded import embedded_stores
from loci_dataplane.stores.embedding import Purpose
from loci_dataplane.stores.ports import Stores
from loci_dataplane.text.parts import parts
from loci_dev.bench import Figure, figure, report
from loci_dev.retrieval_task import conversations, task_folder
from loci_embedder.serving import embedding_models
from loci_standalone.embedder import InProcessEmbedder

VARIANTS: Final = {
    "all steps": DEFAULT,
    "names among the words": replace(DEFAULT, names=False),
    "no evidence for the speaker": replace(DEFAULT, speaker=0.0),
    "no context": replace(DEFAULT, near=0.0, further=0.0),
    "context of direct neighbours": replace(DEFAULT, further=0.0),
    "no spread": replace(DEFAULT, spread=0.0),
    "questions like statements": replace(DEFAULT, question=0.0),
    "no more for an answer": replace(DEFAULT, answer=0.0),
}
PLAIN: Final = Recipe(names=False, speaker=0.0, near=0.0, further=0.0, spread=0.0, question=0.0, answer=0.0)
_FOREVER: Final = 10**9
_DEPTH: Final = 10


@dataclass(frozen=True)
class Conversation:
    """A conversation in its own stores; `turns` names the turn of each memory."""

    stores: Stores
    turns: dict[str, str]
    questions: Sequence[dict[str, Any]]


def main() -> int:
    """Ask all questions of every variant; report recall@10 and MRR."""
    if (task := task_folder()) is None:
        print("bench-ablation: skipped: no retrieval task beside the checkout (set LOCI_QUALITY_TASK)")
        return 0
    report("ablation", asyncio.run(_measure(task)))
    return 0


async def _measure(task: Path) -> list[Figure]:
    figures: list[Figure] = []
    async with AsyncExitStack() as stack:
        embedder = InProcessEmbedder(await stack.enter_async_context(embedding_models()))
        for speakers in (True, False):
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="loci-ablation-")))
            held = [await _stored(stack, folder, c, embedder, speakers=speakers) for c in conversations(task)]
            variants = VARIANTS if speakers else {"embedded without speakers": DEFAULT, "no step at all": PLAIN}
            for name, recipe in variants.items():
                figures += [f async for f in _asked(name, recipe, held, embedder)]
    return figures


async def _stored(
    stack: AsyncExitStack, folder: Path, conversation: dict[str, Any], embedder: InProcessEmbedder, *, speakers: bool
) -> Conversation:
    stores = await stack.enter_async_context(embedded_stores(folder / conversation["id"]))
    memories = {memory.id: (memory, turn) for memory, turn in _memories(conversation)}
    async with stores.transaction() as transaction:
        for memory, _ in memories.values():
            await transaction.add(memory, _FOREVER)
    for memory, _ in memories.values():
        texts = passages(memory) if speakers else parts(memory.content)
        await stores.vectors.replace({memory.id: await embedder.embed(texts, Purpose.PASSAGE, interactive=False)})
    return Conversation(stores, {i: turn for i, (_, turn) in memories.items()}, conversation["qa"])


def _memories(conversation: dict[str, Any]) -> Iterator[tuple[Memory, str]]:
    now = datetime.now(UTC)
    for turn in conversation["turns"]:
        metadata = {"speaker": turn["speaker"]}
        session = str(turn["session"])
        yield Memory(new_id(), turn["content"], None, None, session, metadata, now, now), turn["dia_id"]


async def _asked(
    name: str, recipe: Recipe, held: Sequence[Conversation], embedder: InProcessEmbedder
) -> AsyncIterator[Figure]:
    recalls, ranks = [], []
    for conversation in held:
        search = Search(
            conversation.stores, retrievers(conversation.stores, embedder), lambda: datetime.now(UTC), recipe
        )
        for question in conversation.questions:
            wanted = SearchInput(query=question["question"], limit=20)
            while (output := await search.search(wanted)).degraded:  # the machine was busy with other things
                pass
            turns = [conversation.turns[result.id] for result in output.results]
            places = [turns.index(turn) + 1 if turn in turns else _FOREVER for turn in question["evidence"]]
            recalls.append(np.mean([place <= _DEPTH for place in places]))
            ranks.append(min(places))
    yield figure(f"{name}: recall@10", float(np.mean(recalls)), "")
    yield figure(f"{name}: MRR", float(np.mean([1 / rank for rank in ranks])), "")


if __name__ == "__main__":
    sys.exit(main())
