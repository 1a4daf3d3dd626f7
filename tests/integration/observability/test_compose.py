"""deploy/compose.yaml and its configuration files, judged by the tools that read them."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from loci_dev.observability import rules
from loci_dev.tools.catalog import tool

DEPLOY = Path(__file__).parents[3] / "deploy"


def accepted(*command: str | Path) -> str:
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_compose_tool_accepts_the_file() -> None:
    program = shutil.which("docker-compose")
    if program is None:
        pytest.skip("docker-compose is not installed")
    services = yaml.safe_load(accepted(program, "--file", DEPLOY / "compose.yaml", "config"))["services"]
    assert services["loci"]["command"][0] == "serve"


def test_only_loci_starts_without_the_profile_and_every_port_is_on_the_loopback_address() -> None:
    services = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]
    assert [name for name, service in services.items() if service.get("profiles") != ["full"]] == ["loci"]
    ports = [port for service in services.values() for port in service.get("ports", [])]
    assert len(ports) > 5
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_every_mounted_file_exists() -> None:
    services = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]
    mounts = [volume.split(":")[0] for service in services.values() for volume in service.get("volumes", [])]
    files = [mount for mount in mounts if mount.startswith(".")]
    assert len(files) == 4
    assert all((DEPLOY / file).exists() for file in files)


def test_prometheus_accepts_its_configuration_and_reads_our_rules() -> None:
    path = DEPLOY / "prometheus" / "prometheus.yml"
    accepted(tool("promtool"), "check", "config", "--syntax-only", path)
    assert [Path(file).name for file in yaml.safe_load(path.read_text())["rule_files"]] == [
        Path(rules.COMPOSE_RULES).name
    ]


def test_grafana_finds_the_dashboards_and_their_source() -> None:
    services = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]
    provider = yaml.safe_load((DEPLOY / "grafana" / "dashboards" / "loci.yaml").read_text())["providers"][0]
    mounted = {v.split(":")[1]: DEPLOY / v.split(":")[0] for v in services["grafana"]["volumes"]}
    files = list(mounted[provider["options"]["path"]].glob("*.json"))
    assert {json.loads(file.read_text())["uid"] for file in files} >= {"loci-platform", "loci-slo"}
