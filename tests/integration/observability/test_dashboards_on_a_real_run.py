"""Every query of every dashboard, and every metric that a rule reads, against a Prometheus that scraped a real run."""

import json
import re
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from loci_dev.observability import rules
from loci_dev.observability.dashboards import FOLDER, all_dashboards
from loci_dev.observability.model import Alert
from loci_dev.observability.run import TENANTS, Run
from loci_dev.rigs.processes import wait_until

ROOT = Path(__file__).parents[3]
CLUSTER_ONLY = {"loci_policy_key_propagation_seconds"}
"""Always there, but observed only where a Kubernetes API tells when a key changed: its quantiles are NaN here."""
METRIC = re.compile(r"\b(?:(?:tenant|tier):)?(?:memory|loci|embedder)_[a-z_]+(?::[a-z0-9_]+)?\b|\bup\b")


@dataclass(frozen=True)
class Target:
    dashboard: str
    panel: str
    expr: str
    legend: str

    def __str__(self) -> str:
        return f"{self.dashboard}-{self.panel}"


def targets() -> list[Target]:
    """The queries as they are in the generated files."""
    found = []
    for dashboard in all_dashboards():
        document = json.loads((ROOT / FOLDER / f"{dashboard.name}.json").read_text())
        for panel in document["panels"]:
            found += [
                Target(dashboard.name, panel["title"], target["expr"], target["legendFormat"])
                for target in panel["targets"]
            ]
    return found


def substituted(run: Run, expr: str) -> str:
    """The query with each of its dashboard's variables replaced by the first choice that it offers."""
    for dashboard in all_dashboards():
        for variable in dashboard.variables:
            if f"${variable.name}" in expr:
                choices = label_values(run, variable.metric, variable.label)
                assert {*TENANTS} <= {*choices}
                expr = expr.replace(f"${variable.name}", min(TENANTS))
    assert "$" not in expr
    return expr


def label_values(run: Run, metric: str, label: str) -> list[str]:
    response = httpx.get(f"{run.prometheus.url}/api/v1/label/{label}/values", params={"match[]": metric})
    values: list[str] = response.json()["data"]
    return values


@pytest.mark.parametrize("target", targets(), ids=str)
def test_a_query_returns_data_with_the_labels_of_its_legend(run: Run, target: Target) -> None:
    query = substituted(run, target.expr)
    wait_until(lambda: bool(run.prometheus.query(query)), query)
    series = run.prometheus.query(query)
    wanted = set(re.findall(r"\{\{(\w+)\}\}", target.legend))
    assert all(wanted <= found["metric"].keys() for found in series)
    if not any(name in query for name in CLUSTER_ONLY):
        assert [found for found in series if found["value"][1] != "NaN"]


def test_every_metric_of_a_rule_exists_in_the_run(run: Run) -> None:
    expressions = [rule.expr for group in rules.groups() for rule in group.rules]
    names = {name for expression in expressions for name in METRIC.findall(expression)}
    assert len(names) > 20
    known = set(label_values(run, '{__name__=~".+"}', "__name__"))
    assert names - known == set()


def test_no_alert_fires_while_all_is_well(run: Run) -> None:
    names = {rule.name for group in rules.groups() for rule in group.rules if isinstance(rule, Alert)}
    active = {found["metric"]["alertname"] for found in run.prometheus.query("ALERTS")}
    assert active & names == set()
