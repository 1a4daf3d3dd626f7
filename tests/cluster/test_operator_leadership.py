"""Two operators on a real API server: one is active, and the other takes over when it ends, dies or hangs."""

import json
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from loci_dev.cluster.tenants import Tenants
from loci_dev.rigs.processes import wait_until

Start = Callable[..., AbstractContextManager[Path]]


def holder(tenants: Tenants) -> str:
    if not tenants.exists("lease", "loci-operator", "-n", "loci-system"):
        return ""
    return str(tenants.get("lease", "loci-operator", "-n", "loci-system")["spec"]["holderIdentity"])


@contextmanager
def pair(tenants: Tenants, start: Start) -> Iterator[tuple[Path, Path]]:
    """The logs of an active operator and of its standby."""
    with start(LOCI_IDENTITY="one") as one:
        wait_until(lambda: holder(tenants) == "one", "the first leads")
        with start(LOCI_IDENTITY="two") as two:
            yield one, two


def send(log: Path, number: signal.Signals) -> None:
    os.kill(int(log.with_suffix(".pid").read_text()), number)


def events(log: Path) -> list[str]:
    lines = [json.loads(line) for line in log.read_text().splitlines() if line.startswith("{")]
    return [str(line["event"]) for line in lines]


def test_a_standby_does_nothing_until_the_active_one_is_killed(tenants: Tenants, start_operator: Start) -> None:
    with pair(tenants, start_operator) as (one, two):
        tenants.apply("led-by-one")
        tenants.settled("led-by-one")
        assert "applied" in events(one)
        assert {"leading", "applied"}.isdisjoint(events(two))
        send(one, signal.SIGKILL)
        tenants.apply("led-by-two")
        wait_until(lambda: holder(tenants) == "two", "the standby takes over")
        tenants.settled("led-by-two")
        # It knew everything before, and writes nothing of what is in its desired state.
        assert '"tenant_id":"led-by-one"' not in two.read_text()


def test_an_operator_that_ends_regularly_gives_its_lease_up(tenants: Tenants, start_operator: Start) -> None:
    with start_operator(LOCI_IDENTITY="brief") as log:
        wait_until(lambda: holder(tenants) == "brief", "it leads")
    assert holder(tenants) == "", log.read_text()[-3000:]


def test_one_that_hung_stands_by_when_it_goes_on(tenants: Tenants, start_operator: Start) -> None:
    with pair(tenants, start_operator) as (one, two):
        send(one, signal.SIGSTOP)
        wait_until(lambda: holder(tenants) == "two", "the standby takes over")
        send(one, signal.SIGCONT)
        wait_until(lambda: "leadership lost, standing by" in events(one), "it stands by")
        tenants.apply("led-by-the-second")
        tenants.settled("led-by-the-second")
        assert '"tenant_id":"led-by-the-second"' not in one.read_text()
        send(two, signal.SIGTERM)
        wait_until(lambda: holder(tenants) == "one", "it leads again")
        tenants.apply("led-by-the-first")
        tenants.settled("led-by-the-first")
