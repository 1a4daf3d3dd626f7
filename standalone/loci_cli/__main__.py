"""The command `loci`: a subcommand for each process, and a few tools."""

from __future__ import annotations

import json
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final, NamedTuple

from cyclopts import App
from pydantic import ValidationError

from loci_contract import keys, receipts
from loci_contract.environment import PREFIX
from loci_contract.names import TENANT_NAME_RULE, is_tenant_name

USAGE_ERROR: Final = 2


class _Process(NamedTuple):
    path: str
    extra: str
    purpose: str


# Import paths rather than imports, so that a process loads and requires only its own packages.
_PROCESSES: Final = {
    "serve": _Process(
        "loci_standalone.__main__:serve",
        "standalone",
        "Run everything in one process; LOCI_ADMIN_KEY sets the admin key.",
    ),
    "operator": _Process(
        "loci_operator.__main__:main", "operator", "Run the operator, which reconciles MemoryTenants."
    ),
    "prepare-stores": _Process(
        "loci_operator.preparation:main", "operator", "Prepare a tenant's own PostgreSQL and Chroma for its data plane."
    ),
    "admin": _Process("loci_admin.__main__:main", "operator", "Run the admin API."),
    "policy": _Process(
        "loci_policy.__main__:main", "policy", "Run the policy, which authorizes and routes requests for Envoy."
    ),
    "drain": _Process("loci_policy.drain:main", "policy", "Drain Envoy before its ingress pod stops."),
    "chroma-gate": _Process(
        "loci_policy.chroma.__main__:main", "policy", "Authorize requests to a shared Chroma server for its Envoy."
    ),
    "dataplane": _Process("loci_dataplane.__main__:main", "dataplane", "Run the memory API of one tenant."),
    "embedder": _Process(
        "loci_embedder.__main__:main", "embedder", "Run the embedder, which turns texts into vectors."
    ),
    "prober": _Process(
        "loci_prober.__main__:main", "prober", "Try to break the isolation between two tenants, every minute."
    ),
    "doctor": _Process(
        "loci_cli.doctor.command:doctor", "doctor", "Check an installation, and say how to fix what is wrong."
    ),
}


def build() -> App:
    """Run the command line."""
    app = App(
        name="loci",
        help="Memory for AI applications. All commands but `serve` read settings from the environment (LOCI_...).",
        version=lambda: version("loci-memory"),
    )
    for name, process in _PROCESSES.items():
        app.command(process.path, name=name, help=process.purpose)
    app.command(_key, name="key", help="Generate an API key and its hash, for a MemoryTenant's apiKeys.")
    app.command(_verify_receipt, name="verify-receipt", help="Check receipts of erasures without the service.")
    app.command(_version, name="version", help="Print the installed version.")
    return app


def _key(tenant: str) -> None:
    """Print a new API key and its SHA-256, which goes into the tenant's spec."""
    if not is_tenant_name(tenant):
        _fail(f"{tenant!r} is not a valid tenant name: use {TENANT_NAME_RULE}")
    key = keys.generate(tenant)
    print(f"key:    {key}\nsha256: {keys.sha256(key)}")  # noqa: T201 - the command's result


def _verify_receipt(file: Path) -> None:
    """Check the hash of each receipt in a file, and that they follow one another.

    Args:
        file: a receipt, a list of receipts or lines of receipts of one tenant, in JSON; whole responses of
            `/v1/erasures` are taken, too.
    """
    try:
        given = _receipts(file.read_text())
    except (OSError, ValueError) as error:
        _fail(f"{file} has no receipts: {type(error).__name__}")
    if found := list(receipts.problems(given)):
        print("\n".join(found))  # noqa: T201 - the command's result
        raise SystemExit(1)
    numbers = ", ".join(str(receipt["number"]) for receipt in given)
    print(f"valid: receipt {numbers}; last hash {given[-1]['sha256']}")  # noqa: T201 - the command's result


def _receipts(text: str) -> list[dict[str, Any]]:
    try:
        document = json.loads(text)
    except ValueError:
        document = [json.loads(line) for line in text.splitlines() if line.strip()]
    entries = [entry.get("receipt") if isinstance(entry, dict) else None for entry in _listed(document)]
    found = [e if isinstance(e, dict) else entry for e, entry in zip(entries, _listed(document), strict=True)]
    if not found or not all(isinstance(receipt, dict) and "sha256" in receipt for receipt in found):
        raise ValueError("no receipts")
    return sorted(found, key=lambda receipt: receipt["number"])


def _listed(document: Any) -> list[Any]:
    return document if isinstance(document, list) else [document]


def _version() -> None:
    print(version("loci-memory"))  # noqa: T201 - the command's result


def main() -> None:
    """Run the command that the arguments name."""
    app = build()
    command = next(iter(sys.argv[1:]), "--help")
    if command not in app:  # checked here, because cyclopts would import every process to suggest a similar command
        _fail(f"unknown command {command!r}; see `loci --help`")
    try:
        app()
    except ImportError as error:
        missing = error.__cause__  # cyclopts wraps it
        if not isinstance(missing, ModuleNotFoundError):
            raise
        _fail(f"`loci {command}` requires {missing.name}; run pip install 'loci-memory[{_PROCESSES[command].extra}]'")
    except ValidationError as error:
        if error.title != "Settings":
            raise
        _fail(_bad_settings(error))


def _bad_settings(error: ValidationError) -> str:
    """Describe invalid settings without their values, which may be secret."""
    entries = error.errors(include_input=False, include_context=False, include_url=False)
    return "; ".join(
        f"{_variable(str(entry['loc'][0]))}: {entry['msg'].removeprefix('Value error, ')}" for entry in entries
    )


def _variable(field: str) -> str:
    return field if field.isupper() else f"{PREFIX}{field.upper()}"


def _fail(message: str) -> None:
    print(f"loci: {message}", file=sys.stderr)  # noqa: T201 - for the person at the terminal
    raise SystemExit(USAGE_ERROR)


if __name__ == "__main__":
    main()
