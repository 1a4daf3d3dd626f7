"""The pinned tools as data, and who needs them."""

from loci_dev.tools.catalog import all_tools, spare

CONTROL_PLANE = {"kube-apiserver", "kube-controller-manager", "kubectl", "etcd", "redis-server", "helm"}


def test_without_root_what_takes_root_and_the_main_tests_do_without_is_spared() -> None:
    tools = all_tools()
    spared = spare(tools, is_root=False, has_java=True)["root"]
    assert {tool.name for tool in tools if tool not in spared} == CONTROL_PLANE | {"jaeger", "neo4j"}
    assert {t.needed_by for t in spared} == {"a node", "benchmarks", "tests of stores", "tests of operations"}


def test_without_java_its_programs_are_spared() -> None:
    spared = spare(all_tools(), is_root=True, has_java=False)
    assert {lack: [tool.name for tool in tools] for lack, tools in spared.items()} == {
        "Maven and Java 17": ["neo4j"],
    }


def test_root_with_java_is_spared_nothing() -> None:
    assert spare(all_tools(), is_root=True, has_java=True) == {}
