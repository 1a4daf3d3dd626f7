"""`loci serve|operator|policy|dataplane|embedder|admin|key|version`."""

from __future__ import annotations

import sys
from importlib.metadata import version
from typing import Final, NamedTuple

from cyclopts import App
from pydantic import ValidationError

from loci_contract import keys
from loci_contract.environment import PREFIX
from loci_contract.names import TENANT_NAME_RULE, is_tenant_name

USAGE_ERROR: Final = 2


class _Process(NamedTuple):
    path: str
    extra: str
    purpose: str


# By import path, so that a pod of one process needs, and loads, the packages of that process alone.
_PROCESSES: Final = {
    "serve": _Process(
        "loci_standalone.__main__:serve",
        "standalone",
        "All of it in one process; admin key: LOCI_ADMIN_KEY.",
    ),
    "operator": _Process("loci_operator.__main__:main", "operator", "Drive every MemoryTenant to its desired state."),
    "admin": _Process("loci_admin.__main__:main", "operator", "The admin API."),
    "policy": _Process("loci_policy.__main__:main", "policy", "Keys, limits and routing for Envoy."),
    "drain": _Process("loci_policy.drain:main", "policy", "Drain the Envoy of an ingress pod that stops."),
    "dataplane": _Process("loci_dataplane.__main__:main", "dataplane", "One tenant's memory API."),
    "embedder": _Process("loci_embedder.__main__:main", "embedder", "Text to vectors."),
}


def build() -> App:
    """The command line."""
    app = App(
        name="loci",
        help="Memory for AI applications. All but `serve` take their settings from the environment (LOCI_...).",
        version=lambda: version("loci-memory"),
    )
    for name, process in _PROCESSES.items():
        app.command(process.path, name=name, help=process.purpose)
    app.command(_key, name="key", help="Make an API key of your own, for a MemoryTenant's apiKeys.")
    app.command(_version, name="version", help="The installed version.")
    return app


def _key(tenant: str) -> None:
    """Print a new key, to be kept by whoever uses it, and the hash that the tenant's document takes."""
    if not is_tenant_name(tenant):
        _fail(f"{tenant!r} names no tenant: use {TENANT_NAME_RULE}")
    key = keys.generate(tenant)
    print(f"key:    {key}\nsha256: {keys.sha256(key)}")  # noqa: T201 - the command's result


def _version() -> None:
    print(version("loci-memory"))  # noqa: T201 - the command's result


def main() -> None:
    """Run the command given on the command line."""
    app = build()
    command = next(iter(sys.argv[1:]), "--help")
    if command not in app:  # said here: to suggest a likely one, cyclopts would import them all
        _fail(f"there is no command {command!r}; see `loci --help`")
    try:
        app()
    except ImportError as error:
        missing = error.__cause__  # cyclopts wraps it
        if not isinstance(missing, ModuleNotFoundError):
            raise
        _fail(f"`loci {command}` needs {missing.name}: pip install 'loci-memory[{_PROCESSES[command].extra}]'")
    except ValidationError as error:
        if error.title != "Settings":
            raise
        _fail(_bad_settings(error))


def _bad_settings(error: ValidationError) -> str:
    """Which settings are wrong and why, without their values: they may be secret."""
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
