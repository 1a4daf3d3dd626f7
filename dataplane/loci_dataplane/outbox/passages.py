"""The texts that are embedded for a memory."""

from __future__ import annotations

from loci_dataplane.model.memory import Memory
from loci_dataplane.text.parts import parts
from loci_dataplane.text.utterance import utterance


def passages(memory: Memory) -> list[str]:
    """Return the content in parts that the model reads whole; those of an utterance each say whose it is.

    A question often names the speaker, who calls themselves `I`, so `Ada said, "I moved"` is nearer to it. The time
    before an utterance is left out.
    """
    said = utterance(memory.content, memory.metadata)
    if said.speaker is None:
        return parts(memory.content)
    return [f'{said.speaker} said, "{part}"' for part in parts(said.text)]
