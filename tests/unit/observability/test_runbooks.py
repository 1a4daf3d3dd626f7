"""Alerts and runbooks belong together, both ways, and every runbook has what the reader at night looks for."""

import re
from pathlib import Path

import pytest

from loci_dev.observability.model import RUNBOOKS, Alert
from loci_dev.observability.rules import all_alerts

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "docs" / "runbooks"
ALERTS = all_alerts()
SECTIONS = ["Symptom", "Impact", "Check", "Fix", "Escalate"]


def test_alerts_and_runbooks_are_the_same_set() -> None:
    assert {path.stem for path in FOLDER.glob("Loci*.md")} == {alert.name for alert in ALERTS}


def test_no_two_alerts_have_one_name() -> None:
    assert len({alert.name for alert in ALERTS}) == len(ALERTS)


@pytest.mark.parametrize("alert", ALERTS, ids=lambda a: a.name)
def test_an_alert_leads_to_its_runbook(alert: Alert) -> None:
    assert alert.rendered()["annotations"]["runbook_url"] == f"{RUNBOOKS}/{alert.name}/"
    text = (FOLDER / f"{alert.name}.md").read_text()
    assert text.startswith(f"# {alert.name}\n")
    assert re.findall("^## (.*)$", text, re.MULTILINE) == SECTIONS
    assert "```" in text, "a check is a command or a query"


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.md")), ids=lambda p: p.stem)
def test_a_runbook_is_in_the_navigation_and_the_index(path: Path) -> None:
    assert f"- runbooks/{path.name}" in (ROOT / "mkdocs.yml").read_text()
    assert path.name == "README.md" or f"({path.name})" in (FOLDER / "README.md").read_text()
