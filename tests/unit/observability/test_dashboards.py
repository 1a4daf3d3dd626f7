"""Dashboards and the metrics reference are complete and read only what exists."""

import re

import pytest

from loci_dev.observability.dashboards import all_dashboards
from loci_dev.observability.panels import Dashboard
from loci_dev.observability.reference import names
from loci_dev.observability.rules import groups

EXPRESSIONS = [query.expr for d in all_dashboards() for panel in d.panels for query in panel.queries]


@pytest.mark.parametrize("dashboard", all_dashboards(), ids=lambda d: d.name)
def test_each_panel_has_a_title_of_its_own_and_tells_what_is_normal(dashboard: Dashboard) -> None:
    titles = [panel.title for panel in dashboard.panels]
    assert len(set(titles)) == len(titles)
    assert all(panel.help.endswith(".") for panel in dashboard.panels)


def test_every_metric_is_on_a_dashboard_or_in_a_rule() -> None:
    read = " ".join(EXPRESSIONS + [rule.expr for group in groups() for rule in group.rules])
    unread = [name for name in names() if not re.search(rf"\b{name}(_bucket|_count)?\b", read)]
    assert unread == ["loci_policy_registry_stale"], "follows from synced and connected"
