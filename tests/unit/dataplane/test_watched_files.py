from __future__ import annotations

import os
from pathlib import Path

import pytest

from loci_contract.registry import Limits
from loci_dataplane.files import limits_file, token_file


def write(path: Path, text: str, at: int) -> None:
    path.write_text(text)
    os.utime(path, ns=(at, at))


def document(max_memories: int) -> str:
    return Limits(requests_per_minute=1, burst=1, max_memories=max_memories, max_graph_nodes=1).model_dump_json()


def test_a_change_takes_effect_and_a_broken_file_does_not(tmp_path: Path) -> None:
    path = tmp_path / "limits.json"
    write(path, document(10), at=1)
    limits = limits_file(path)
    assert limits().max_memories == 10
    write(path, document(20), at=2)
    assert limits().max_memories == 20
    write(path, "{", at=3)
    assert limits().max_memories == 20
    path.unlink()
    assert limits().max_memories == 20
    write(path, document(30), at=4)
    assert limits().max_memories == 30


def test_does_not_start_without_limits(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        limits_file(tmp_path / "missing.json")


def test_a_token_is_renewed_and_never_empty(tmp_path: Path) -> None:
    path = tmp_path / "ingress-token"
    write(path, "first\n", at=1)
    token = token_file(path)
    assert token() == b"first"
    write(path, " \n", at=2)
    assert token() == b"first"
    write(path, "second", at=3)
    assert token() == b"second"


def test_an_empty_token_lets_nobody_in_by_refusing_to_start(tmp_path: Path) -> None:
    write(tmp_path / "ingress-token", "\n", at=1)
    with pytest.raises(ValueError, match="empty"):
        token_file(tmp_path / "ingress-token")
