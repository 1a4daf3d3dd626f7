"""The one command: what it lists, what it loads, and what it says when something is not right."""

from __future__ import annotations

import subprocess
import sys

import pytest

from loci_cli.__main__ import build
from loci_contract import keys

HEAVY = ("fastapi", "starlette", "uvicorn", "kopf", "kubernetes", "chromadb", "onnxruntime", "redis", "numpy")
PROCESSES = ("serve", "operator", "admin", "policy", "chroma-gate", "dataplane", "embedder", "prober", "doctor")


def loci(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "loci_cli", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)


def test_lists_every_process() -> None:
    listed = loci("--help").stdout
    assert all(f" {name} " in listed for name in PROCESSES)
    assert loci().stdout == listed


PRINT_WHAT_HELP_LOADS = """
import sys
from loci_cli.__main__ import main
sys.argv = ["loci", "--help"]
try:
    main()
finally:
    print(*sys.modules)
"""


def test_help_loads_no_process() -> None:
    command = [sys.executable, "-c", PRINT_WHAT_HELP_LOADS]
    printed = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    loaded = {name.split(".")[0] for name in printed.split()}
    assert {"loci_cli", "cyclopts"} <= loaded
    assert not loaded & {*HEAVY, *(f"loci_{process}" for process in (*PROCESSES, "standalone"))}


@pytest.mark.parametrize("name", PROCESSES)
def test_each_process_can_be_loaded(name: str) -> None:
    assert build()[name].default_command is not None


def test_says_its_version() -> None:
    assert loci("version").stdout == loci("--version").stdout != ""


def test_an_unknown_command_is_said_to_be_unknown() -> None:
    result = loci("polcy")
    assert (result.returncode, result.stderr) == (2, "loci: unknown command 'polcy'; see `loci --help`\n")


def test_bad_settings_are_named_without_their_values() -> None:
    result = loci("policy", LOCI_REPLICAS="none-of-yours", LOCI_ADMIN_KEY_SHA256="the-key-itself")
    assert result.returncode == 2
    assert result.stderr.startswith("loci: ")
    assert "LOCI_REPLICAS: " in result.stderr
    assert "LOCI_ADMIN_KEY_SHA256: " in result.stderr
    assert "none-of-yours" not in result.stderr
    assert "the-key-itself" not in result.stderr


def test_a_key_of_ones_own_is_one_that_the_ingress_takes() -> None:
    key, sha256 = (line.split()[1] for line in loci("key", "acme").stdout.splitlines())
    assert keys.is_well_formed(key)
    assert keys.tenant_of(key) == "acme"
    assert keys.sha256(key) == sha256
    assert loci("key", "No Tenant").returncode == 2
