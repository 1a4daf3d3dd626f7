"""What keeps `loci serve` from starting is said in one line that names the way out."""

from __future__ import annotations

import re
import socket
from pathlib import Path

import pytest

from loci_dev.rigs.standalone import Served, try_to_serve


def complaint(*options: str | Path, **environment: str) -> str:
    result = try_to_serve(*options, **environment)
    assert result.returncode == 2, result
    assert result.stderr.startswith("loci: ")
    assert result.stderr.count("\n") == 1, result.stderr
    return result.stderr


def test_a_port_in_use(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        said = complaint("--data", tmp_path, "--port", str(taken.getsockname()[1]))
    assert "--port" in said
    assert "in use" in said


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert "--data" in complaint("--data", tmp_path / "file" / "data", "--port", "0")


def test_a_folder_that_another_process_uses(served: Served) -> None:
    assert "another `loci serve`" in complaint("--data", served.data, "--port", "0")


def test_a_folder_of_tenants_that_is_not_there(tmp_path: Path) -> None:
    assert "--tenants" in complaint("--data", tmp_path, "--port", "0", "--tenants", tmp_path / "none")


@pytest.mark.parametrize("key", ["tiny-secret", "a secret with spaces", "un cl\u00e9 qui est secret", "x" * 20 + "\n"])
def test_an_admin_key_that_no_header_could_carry(tmp_path: Path, key: str) -> None:
    said = complaint("--data", tmp_path, "--port", "0", LOCI_ADMIN_KEY=key)
    assert said == "loci: LOCI_ADMIN_KEY: must be at least 16 printable ASCII characters without spaces\n"


def test_a_host_that_is_not_ours(tmp_path: Path) -> None:
    assert re.search(
        r"cannot listen on 198\.51\.100\.1:", complaint("--data", tmp_path, "--port", "0", "--host", "198.51.100.1")
    )
