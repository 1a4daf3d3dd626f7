"""Prometheus rules as data: recording rules, alerts, and the groups that hold them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

RUNBOOKS: Final = "https://loci.dev/runbooks"

Severity = Literal["emergency", "page", "ticket"]
"""`emergency` wakes everybody up, `page` somebody; `ticket` waits for working hours."""


@dataclass(frozen=True)
class Recording:
    """A recording rule; its name says which labels it keeps (`tier:...`, `tenant:...`)."""

    record: str
    expr: str

    def rendered(self) -> dict[str, Any]:
        """The rule as Prometheus reads it."""
        return {"record": self.record, "expr": self.expr}


@dataclass(frozen=True)
class Alert:
    """An alert.

    Args:
        name: also the name of its runbook, `docs/runbooks/<name>.md`.
        expr: PromQL; each series of its result is one alert.
        lasting: how long the expression holds before the alert fires, a Prometheus duration.
        severity: who hears of it.
        summary: one line with the affected tenant or tier.
        description: what the value means for users.
        labels: further labels, by which the same alert with several windows is told apart.
        kubernetes_only: left out of the rules for `loci serve`.
    """

    name: str
    expr: str
    lasting: str
    severity: Severity
    summary: str
    description: str
    labels: dict[str, str] = field(default_factory=dict)
    kubernetes_only: bool = False

    def rendered(self) -> dict[str, Any]:
        """The rule as Prometheus reads it."""
        return {
            "alert": self.name,
            "expr": self.expr,
            "for": self.lasting,
            "labels": {"severity": self.severity, **self.labels},
            "annotations": {
                "summary": self.summary,
                "description": self.description,
                "runbook_url": f"{RUNBOOKS}/{self.name}/",
            },
        }


@dataclass(frozen=True)
class Group:
    """Rules that are evaluated one after the other, every `interval`."""

    name: str
    rules: Sequence[Recording | Alert]
    interval: str = "30s"

    def rendered(self, *, kubernetes: bool) -> dict[str, Any]:
        """The group as Prometheus reads it."""
        rules = [r for r in self.rules if kubernetes or not (isinstance(r, Alert) and r.kubernetes_only)]
        return {"name": self.name, "interval": self.interval, "rules": [rule.rendered() for rule in rules]}
