"""What packages may import: every package has a layer, and every process declares what it loads."""

import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import grimp
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[3]
PRODUCT = ("foundation", "operator", "dataplane", "standalone")
PYPROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())
PACKAGES = sorted(p.parent.name for folder in PRODUCT for p in (ROOT / folder).glob("*/__init__.py"))
EXTRAS = {
    "loci_operator": "operator",
    "loci_admin": "operator",
    "loci_policy": "policy",
    "loci_dataplane": "dataplane",
    "loci_embedder": "embedder",
    "loci_prober": "prober",
    "loci_cli.doctor": "doctor",
}


def contracts() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = PYPROJECT["tool"]["importlinter"]["contracts"]
    return [contract for contract in found if contract["type"] == "layers"]


def test_every_package_is_shipped_typed_checked_and_has_a_layer() -> None:
    tool = PYPROJECT["tool"]
    shipped = sorted(Path(path).name for path in tool["hatch"]["build"]["targets"]["wheel"]["packages"])
    assert shipped == PACKAGES
    assert sorted(tool["importlinter"]["root_packages"]) == PACKAGES
    assert sorted(set(tool["mypy"]["packages"]) - {"loci_dev"}) == PACKAGES
    (between,) = (contract for contract in contracts() if "containers" not in contract)
    assert sorted(name for layer in between["layers"] for name in layer.split(" | ")) == PACKAGES


def test_every_package_has_an_exhaustive_contract_of_its_own() -> None:
    inside = {name: contract for contract in contracts() for name in contract.get("containers", ())}
    assert sorted(name for name in inside if "." not in name) == PACKAGES
    assert [name for name, contract in inside.items() if not contract.get("exhaustive")] == []


@pytest.mark.parametrize(("package", "extra"), EXTRAS.items())
def test_a_process_declares_all_that_it_loads(package: str, extra: str) -> None:
    graph = grimp.build_graph(*PACKAGES, include_external_packages=True)
    modules = {package, *graph.find_descendants(package)}
    loaded = modules.union(*(graph.find_upstream_modules(module) for module in modules))
    external = {name for name in loaded if graph.is_module_squashed(name)}
    project = PYPROJECT["project"]
    entries = [*project["dependencies"], *project["optional-dependencies"][extra]]
    declared = {canonicalize_name(Requirement(entry).name) for entry in entries}
    installed = packages_distributions()
    named = {canonicalize_name(installed[name][0]) for name in external if name in installed}
    assert named - declared == set()
