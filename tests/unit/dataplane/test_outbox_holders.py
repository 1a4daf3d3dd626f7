"""A lease of a process that is over is known to be free; of others nothing is assumed."""

from __future__ import annotations

import os
import socket
import subprocess
import sys

from loci_dataplane.stores.postgres.holders import is_over, new_holder

HOST = socket.gethostname()


def test_this_process_is_not_over_whichever_part_of_it_holds_a_lease() -> None:
    assert new_holder() != new_holder()
    assert not is_over(new_holder())


def test_a_process_that_ended_is_over() -> None:
    code = "from loci_dataplane.stores.postgres.holders import new_holder; print(new_holder())"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
    assert is_over(ended)


def test_an_earlier_process_with_this_ones_pid_is_over() -> None:
    assert is_over(f"{HOST}/{os.getpid()}/1/abc")


def test_nothing_is_known_of_other_hosts_and_other_names() -> None:
    assert not is_over(f"{HOST}-other/{os.getpid()}/1/abc")
    assert not is_over("0123456789abcdef")
    assert not is_over("")
