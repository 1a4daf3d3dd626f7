"""Free ports, waiting, and child processes that end with their starter."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from loci_dev.rigs.processes import _can_be_bound, free_port, is_over, wait_until


def test_a_free_port_is_none_that_the_kernel_gives_to_outgoing_connections() -> None:
    lowest, highest = map(int, Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split())
    assert [port for port in (free_port() for _ in range(20)) if lowest <= port <= highest] == []


def test_no_port_is_given_twice_while_its_server_is_not_up_yet() -> None:
    assert len({free_port() for _ in range(100)}) == 100


def test_a_port_in_use_is_passed_over() -> None:
    with socket.socket() as server:
        server.bind(("0.0.0.0", 0))  # noqa: S104 - in use on every address, the loopback one among them
        server.listen()
        assert not _can_be_bound(server.getsockname()[1])


def test_two_processes_with_the_same_seed_take_ports_in_different_orders() -> None:
    script = (
        "import random\nfrom loci_dev.rigs.processes import free_port\nrandom.seed(0)\nprint(free_port(), free_port())"
    )
    orders = {subprocess.check_output([sys.executable, "-c", script]) for _ in range(2)}
    assert len(orders) == 2


def test_waiting_in_vain_names_what_did_not_come() -> None:
    with pytest.raises(TimeoutError, match=r"not within 0\.1 s: the moon is blue"):
        wait_until(lambda: False, "the moon is blue", seconds=0.1)


def test_a_child_dies_with_its_starter_even_when_that_is_killed(tmp_path: Path) -> None:
    script = (
        "import sys, time; from pathlib import Path; from loci_dev.rigs.processes import running\n"
        "with running(['sleep', '600'], Path(sys.argv[1])) as child: print(child.pid, flush=True); time.sleep(600)"
    )
    command = [sys.executable, "-c", script, str(tmp_path / "log")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as starter:
        assert starter.stdout is not None
        child = int(starter.stdout.readline())
        assert not is_over(child)
        os.kill(starter.pid, signal.SIGKILL)
    wait_until(lambda: is_over(child), "the child is dead")
