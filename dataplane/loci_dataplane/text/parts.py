"""Parts of a long content, each short enough that an embedding model reads all of it.

The model's tokenizer is elsewhere (the embedder may be another service), so tokens are estimated from above: a word of
common length is one token, a longer one a token for each three letters, and every character of a script that English
models know little of is one or more. Neighbouring parts overlap, so that a statement at a border is whole in one.
"""

from __future__ import annotations

from typing import Final

import regex

MAX_TOKENS: Final = 200
"""Estimated tokens of a part: the model's 256 less a fifth, by which the estimate errs on source code."""
OVERLAP_TOKENS: Final = 32
"""Estimated tokens that a part repeats of the one before."""
_COMMON: Final = 6
"""Letters up to which an ASCII word is one token."""
_PIECE: Final = regex.compile(r"\s*\S{1,16}|\s+$")
"""The unit that is never split: a word, or 16 characters of a run without spaces."""
_TOKEN: Final = regex.compile(r"[a-zA-Z]+|\S")
_HANGUL: Final = regex.compile(r"\p{Hangul}")


def parts(content: str) -> list[str]:
    """The content in overlapping parts; one, the content itself, when it is short."""
    if len(content) <= MAX_TOKENS // 3:  # at most three tokens a character
        return [content]
    pieces = [(found.start(), _tokens(found[0])) for found in _PIECE.finditer(content)]
    if sum(tokens for _, tokens in pieces) <= MAX_TOKENS:
        return [content]
    starts = [start for start, _ in pieces] + [len(content)]
    sizes = [tokens for _, tokens in pieces]
    return [content[starts[first] : starts[last]].strip() for first, last in _windows(sizes)]


def _windows(sizes: list[int]) -> list[tuple[int, int]]:
    """Ranges of pieces within the bound, each beginning inside the one before."""
    windows: list[tuple[int, int]] = []
    first = 0
    while True:
        last = _fill(sizes, first)
        windows.append((first, last))
        if last == len(sizes):
            return windows
        repeated, first = 0, last
        while first - 1 > windows[-1][0] and repeated + sizes[first - 1] <= OVERLAP_TOKENS:
            first -= 1
            repeated += sizes[first]


def _fill(sizes: list[int], first: int) -> int:
    """The end of the longest range from `first` on that keeps to the bound."""
    total, last = sizes[first], first + 1
    while last < len(sizes) and total + sizes[last] <= MAX_TOKENS:
        total += sizes[last]
        last += 1
    return last


def _tokens(piece: str) -> int:
    """Tokens of a piece, estimated from above."""
    return sum(map(_size, _TOKEN.findall(piece)))


def _size(word: str) -> int:
    if len(word) > 1:
        return 1 if len(word) <= _COMMON else -(-len(word) // 3)
    return 3 if _HANGUL.match(word) else 1  # the tokenizer takes a syllable apart
