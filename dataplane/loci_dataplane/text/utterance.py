"""The speaker of a memory's content.

A turn of a conversation names its speaker in `metadata.speaker` or at the start of the content before a colon, possibly
after a time in brackets: `(8 May, 14:05) Ada: I moved`. Labels such as `Note:` are not speakers. A content with neither
has no speaker, and all of it is text.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import regex

from loci_dataplane.text.folding import fold

_LONGEST_NAME: Final = 64
_WORD: Final = r"[\p{Lu}\p{Lt}\p{Lo}][\p{L}\p{M}\p{N}.'’_-]*"
_ROLE: Final = r"user|assistant|human|ai|agent|customer|system|bot"
_PREFIX: Final = regex.compile(
    rf"\s*(?:[(\[][^()\[\]\n]{{1,60}}[)\]]\s*)?(?P<name>{_WORD}(?: {_WORD}){{0,2}}|{_ROLE})\s?[:：]\s+(?=\S)"
)
_LABELS: Final = frozenset(
    "note notes todo reminder update summary question answer q a task idea warning error info fact date time "
    "subject re fwd example tip ps fyi title topic".split()
)


@dataclass(frozen=True, slots=True)
class Utterance:
    """A content without its prefix, and its speaker; `speaker` is None without one."""

    speaker: str | None
    text: str


def utterance(content: str, metadata: Mapping[str, Any]) -> Utterance:
    """Take a content apart."""
    prefix = _PREFIX.match(content)
    named = metadata.get("speaker")
    if isinstance(named, str) and 0 < len(named.strip()) <= _LONGEST_NAME:
        repeated = prefix is not None and fold(prefix["name"]) == fold(named.strip())
        return Utterance(named.strip(), content[prefix.end() :] if prefix and repeated else content)
    if prefix is None or len(prefix["name"]) > _LONGEST_NAME or fold(prefix["name"]) in _LABELS:
        return Utterance(None, content)
    return Utterance(prefix["name"], content[prefix.end() :])
