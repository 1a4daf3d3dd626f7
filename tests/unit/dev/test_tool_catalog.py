"""The pinned tools as data, and who needs them."""

from loci_dev.tools.catalog import all_tools, spare

CONTROL_PLANE = {"kube-apiserver", "kube-controller-manager", "kubectl", "etcd", "redis-server", "helm"}


def test_without_root_what_only_a_node_or_a_benchmark_needs_is_spared() -> None:
    tools = all_tools()
    spared = spare(tools, is_root=False)
    assert {tool.name for tool in tools if tool not in spared} == CONTROL_PLANE
    assert {tool.needed_by for tool in spared} == {"a node", "benchmarks"}


def test_root_is_spared_nothing() -> None:
    assert spare(all_tools(), is_root=True) == []
