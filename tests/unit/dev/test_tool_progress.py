"""What is seen of a step of minutes."""

import io
import re

from rich.console import Console

from loci_dev.rigs.processes import wait_until
from loci_dev.tools.progress import under_way

LABEL = "building kube-apiserver (1/9)"


def test_without_a_terminal_a_line_comes_again_and_again() -> None:
    written = io.StringIO()
    with under_way(LABEL, Console(file=written), interval=0.01):
        wait_until(lambda: written.getvalue().count("still") > 1, "two more lines")
    first, second, *_ = written.getvalue().splitlines()
    assert first == f"  {LABEL} ..."
    assert re.fullmatch(rf"  \.\.\. still {re.escape(LABEL)}, \d+ s", second)


def test_without_a_terminal_nothing_more_comes_when_the_step_is_over() -> None:
    written = io.StringIO()
    with under_way(LABEL, Console(file=written)):
        pass
    assert written.getvalue().splitlines() == [f"  {LABEL} ..."]


def test_on_a_terminal_a_clock_runs() -> None:
    written = io.StringIO()
    with under_way(LABEL, Console(file=written, force_terminal=True, width=120)):
        wait_until(lambda: "0:00:0" in written.getvalue(), "the clock is shown")
    assert LABEL in written.getvalue()
