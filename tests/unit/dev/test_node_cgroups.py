"""Where the node's cgroup is made, on folders that look like the kernel's."""

from pathlib import Path

import pytest

from loci_dev.cluster.namespaces import make_cgroups


@pytest.fixture
def unified(tmp_path: Path) -> Path:
    (tmp_path / "cgroup.controllers").write_text("cpu memory pids\n")
    (tmp_path / "cgroup.subtree_control").touch()
    (tmp_path / "system.slice").mkdir()
    return tmp_path


def test_in_a_unified_hierarchy_it_is_one_folder_at_the_top(unified: Path) -> None:
    make_cgroups(unified)
    assert [f.relative_to(unified) for f in unified.rglob("loci-cluster")] == [Path("loci-cluster")]


def test_in_a_unified_hierarchy_controllers_are_handed_down_one_by_one(unified: Path) -> None:
    make_cgroups(unified)
    # The kernel adds up what is written; a plain file keeps the last.
    assert (unified / "cgroup.subtree_control").read_text() == "+pids"


def test_a_controller_that_cannot_be_had_costs_nothing_else(unified: Path) -> None:
    (unified / "cgroup.subtree_control").unlink()
    (unified / "cgroup.subtree_control").mkdir()
    make_cgroups(unified)
    assert (unified / "loci-cluster").is_dir()


def test_with_version_1_it_is_a_folder_in_every_hierarchy(tmp_path: Path) -> None:
    for hierarchy in ("cpu", "memory"):
        (tmp_path / hierarchy).mkdir()
    (tmp_path / "cpu,cpuacct").symlink_to(tmp_path / "cpu")
    make_cgroups(tmp_path)
    made = {f.relative_to(tmp_path) for f in tmp_path.rglob("loci-cluster")}
    assert made == {Path("cpu/loci-cluster"), Path("memory/loci-cluster")}
