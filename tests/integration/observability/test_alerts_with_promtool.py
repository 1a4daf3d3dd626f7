"""Each alert fires on made-up series that show its fault, and not on ones that show health: judged by promtool."""

import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from loci_dev.observability import rules
from loci_dev.tools.catalog import tool

ROOT = Path(__file__).parents[3]
INFO = {'loci_tenant_info{tenant="acme",tier="pro"}': "1+0x600"}
OK = 'memory_requests_total{tenant="acme",method="search",status="200"}'
FAILED = 'memory_requests_total{tenant="acme",method="search",status="503"}'
IN_TIME = 'memory_request_duration_seconds_bucket{tenant="acme",method="search",le="0.2"}'
SEARCHES = 'memory_request_duration_seconds_count{tenant="acme",method="search"}'


@dataclass(frozen=True)
class Case:
    """Series, a sample every `interval`, under which an alert fires `at` a time; and the same ones when all is well.

    `by` are the labels that the alert must carry.
    """

    alert: str
    faulty: dict[str, str]
    healthy: dict[str, str]
    at: str
    by: str = ""
    interval: str = "1m"


def requests(ok: str, failed: str) -> dict[str, str]:
    return {**INFO, OK: ok, FAILED: failed}


def searches(in_time: str, total: str) -> dict[str, str]:
    return {**INFO, IN_TIME: in_time, SEARCHES: total}


RECONCILES = "loci_operator_reconcile_duration_seconds_count"
PRO = '{tier="pro"}'
ACME = '{tenant="acme"}'
CASES = [
    Case("LociAvailabilityBurnFast", requests("0+980x120", "0+20x120"), requests("0+990x120", "0+10x120"), "2h", PRO),
    Case("LociAvailabilityBurnSlow", requests("0+990x480", "0+10x480"), requests("0+995x480", "0+5x480"), "8h", PRO),
    Case(
        "LociAvailabilityBurnDrain",
        requests("0+998x600", "0+2x600"),
        requests("0+9999x600", "0+1x600"),
        "4d",
        PRO,
        "10m",
    ),
    Case("LociSearchLatencyBurnFast", searches("0+80x120", "0+100x120"), searches("0+90x120", "0+100x120"), "2h", PRO),
    Case("LociSearchLatencyBurnSlow", searches("0+90x480", "0+100x480"), searches("0+95x480", "0+100x480"), "8h", PRO),
    Case(
        "LociSearchLatencyBurnDrain",
        searches("0+98x600", "0+100x600"),
        searches("0+100x600", "0+100x600"),
        "4d",
        PRO,
        "10m",
    ),
    Case("LociTenantBudgetSpent", requests("0+998x120", "0+2x120"), requests("0+9999x120", "0+1x120"), "2h", ACME),
    Case("LociServerErrors", requests("0+90x30", "0+10x30"), requests("0+99x30", "0+1x30"), "20m", ACME),
    Case(
        "LociIsolationBroken",
        {'loci_isolation_breached{attempt="search"}': "0x5 1x10"},
        {'loci_isolation_breached{attempt="search"}': "0x20"},
        "10m",
        '{attempt="search"}',
    ),
    Case(
        "LociIsolationUnproved",
        {"loci_isolation_last_round_timestamp_seconds": "0x60"},
        {"loci_isolation_last_round_timestamp_seconds": "0+60x60"},
        "30m",
    ),
    Case(
        "LociPolicyRefusing",
        {"loci_policy_errors_total": "0+5x30", 'loci_policy_decisions_total{outcome="allowed"}': "0+100x30"},
        {"loci_policy_errors_total": "0+0x30", 'loci_policy_decisions_total{outcome="allowed"}': "0+100x30"},
        "20m",
    ),
    Case(
        "LociRegistryDisconnected",
        {'loci_policy_registry_connected{instance="a"}': "0x10"},
        {'loci_policy_registry_connected{instance="a"}': "1x10"},
        "5m",
        '{instance="a"}',
    ),
    Case(
        "LociRegistryNotSynced",
        {'loci_policy_registry_synced{instance="a"}': "0x10"},
        {'loci_policy_registry_synced{instance="a"}': "1x10"},
        "5m",
        '{instance="a"}',
    ),
    Case(
        "LociRegistryStale",
        {'loci_policy_registry_last_contact_timestamp_seconds{instance="a"}': "0x20"},
        {'loci_policy_registry_last_contact_timestamp_seconds{instance="a"}': "0+60x20"},
        "10m",
        '{instance="a"}',
    ),
    Case(
        "LociRegistryInvalidRecord",
        {'loci_policy_registry_invalid_records_total{instance="a"}': "0 0 1x10"},
        {'loci_policy_registry_invalid_records_total{instance="a"}': "3x10"},
        "5m",
        '{instance="a"}',
    ),
    Case(
        "LociKeyPropagationSlow",
        {
            'loci_policy_key_propagation_seconds_bucket{le="5"}': "0x30",
            'loci_policy_key_propagation_seconds_bucket{le="10"}': "0+5x30",
            'loci_policy_key_propagation_seconds_bucket{le="+Inf"}': "0+5x30",
        },
        {
            'loci_policy_key_propagation_seconds_bucket{le="0.5"}': "0+5x30",
            'loci_policy_key_propagation_seconds_bucket{le="+Inf"}': "0+5x30",
        },
        "20m",
    ),
    Case(
        "LociRedisFallback",
        {'loci_policy_bucket_failures_total{instance="a"}': "0+30x10"},
        {'loci_policy_bucket_failures_total{instance="a"}': "30x10"},
        "5m",
        '{instance="a"}',
    ),
    Case(
        "LociOutboxLag",
        {'memory_outbox_entries{tenant="acme"}': "500x20"},
        {'memory_outbox_entries{tenant="acme"}': "500x5 0x15"},
        "15m",
        ACME,
    ),
    Case(
        "LociTenantNearQuota",
        {'memory_entities_count{tenant="acme"}': "950x20", 'loci_tenant_memories_limit{tenant="acme"}': "1000x20"},
        {'memory_entities_count{tenant="acme"}': "850x20", 'loci_tenant_memories_limit{tenant="acme"}': "1000x20"},
        "15m",
        ACME,
    ),
    Case("LociEmbedderRefusing", {"embedder_refused_total": "0+9x20"}, {"embedder_refused_total": "9x20"}, "15m"),
    Case(
        "LociTargetDown",
        {'up{job="loci-ingress",instance="a"}': "0x10", 'up{job="another",instance="a"}': "0x10"},
        {'up{job="loci-ingress",instance="a"}': "1x10", 'up{job="another",instance="a"}': "0x10"},
        "5m",
        '{instance="a", job="loci-ingress"}',
    ),
    Case(
        "LociOperatorErrors",
        {f'{RECONCILES}{{outcome="failed"}}': "0+20x60", f'{RECONCILES}{{outcome="done"}}': "0+80x60"},
        {f'{RECONCILES}{{outcome="failed"}}': "0+5x60", f'{RECONCILES}{{outcome="done"}}': "0+95x60"},
        "40m",
    ),
    Case(
        "LociOperatorQueueStuck",
        {"loci_operator_queue_age_seconds": "0+60x20"},
        {"loci_operator_queue_age_seconds": "0+60x4 0x16"},
        "15m",
    ),
    Case("LociRolloutPaused", {"loci_operator_rollout_paused": "1x5"}, {"loci_operator_rollout_paused": "0x5"}, "4m"),
    Case("LociMetricsAbsent", {"up": "1x10"}, {"loci_policy_registry_tenants": "0x10"}, "8m"),
]


def firing(case: Case, series: dict[str, str], expected: int) -> dict[str, Any]:
    """A test of promtool: so many alerts fire, each with the labels of the case."""
    labels = [part.split("=")[0].strip(" {}") for part in case.by.split(",") if part]
    query = f'count by ({", ".join(labels)}) (ALERTS{{alertname="{case.alert}",alertstate="firing"}})'
    samples = [{"labels": case.by or "{}", "value": expected}] if expected else []
    return {
        "interval": case.interval,
        "input_series": [{"series": name, "values": values} for name, values in series.items()],
        "promql_expr_test": [{"expr": query, "eval_time": case.at, "exp_samples": samples}],
    }


def judged(folder: Path, test: dict[str, Any]) -> subprocess.CompletedProcess[str]:
    path = folder / "test.yaml"
    document = {
        "rule_files": [str(ROOT / rules.CHART_RULES)],
        "evaluation_interval": test["interval"],
        "group_eval_order": [group.name for group in rules.groups()],  # else by chance
        "tests": [test],
    }
    path.write_text(yaml.safe_dump(document))
    return subprocess.run([str(tool("promtool")), "test", "rules", path], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("path", [rules.CHART_RULES, rules.COMPOSE_RULES])
def test_promtool_accepts_the_rules(path: str) -> None:
    command = [str(tool("promtool")), "check", "rules", str(ROOT / path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_each_alert_has_a_case() -> None:
    assert {case.alert for case in CASES} == {alert.name for alert in rules.all_alerts()}


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.alert)
def test_an_alert_fires_on_its_fault(case: Case, tmp_path: Path) -> None:
    done = judged(tmp_path, firing(case, case.faulty, 1))
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.alert)
def test_an_alert_is_silent_while_all_is_well(case: Case, tmp_path: Path) -> None:
    done = judged(tmp_path, firing(case, case.healthy, 0))
    assert done.returncode == 0, done.stdout + done.stderr
