"""Print findings for people or for programs."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict

from loci_cli.doctor.findings import Finding, Status


def has_failed(findings: Sequence[Finding]) -> bool:
    """Whether any check failed."""
    return any(finding.status is Status.FAILED for finding in findings)


def table(findings: Sequence[Finding]) -> str:
    """A line for each finding, its fix below it, and the number of findings by status."""
    width = max((len(finding.name) for finding in findings), default=0)
    lines = []
    for finding in findings:
        lines.append(f"{finding.status:<7}  {finding.name:<{width}}  {finding.message}")
        if finding.fix:
            lines.append(f"{'':<7}  {'':<{width}}  fix: {finding.fix}")
    return "\n".join([*lines, "", _summary(findings)])


def document(findings: Sequence[Finding]) -> str:
    """The findings as a JSON object: `failed` is the number of checks that failed."""
    count = sum(finding.status is Status.FAILED for finding in findings)
    return json.dumps({"failed": count, "findings": [asdict(finding) for finding in findings]}, indent=2)


def _summary(findings: Sequence[Finding]) -> str:
    counted = Counter(finding.status for finding in findings)
    return ", ".join(f"{counted[status]} {status}" for status in Status if counted[status])
