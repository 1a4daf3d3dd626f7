"""Where tools are built: one build at a time, and nothing of a killed one stays."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from loci_dev.tools.workspace import workspace

BUILD = """
import sys
from pathlib import Path
from loci_dev.tools.workspace import workspace
with workspace(Path(sys.argv[1])) as folder:
    (folder / "half-written").touch()
    print("building", flush=True)
    sys.stdin.read()
"""


@contextmanager
def a_build(cache: Path) -> Iterator[subprocess.Popen[str]]:
    """A build in another process, which ends when its standard input does."""
    command = [sys.executable, "-c", BUILD, str(cache)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield process


def said(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def left(cache: Path) -> list[Path]:
    return [entry for entry in cache.iterdir() if entry.name != ".lock"]


def test_what_a_killed_build_left_is_gone_after_the_next(tmp_path: Path) -> None:
    with a_build(tmp_path) as killed:
        assert said(killed) == "building"
        killed.send_signal(signal.SIGKILL)
    assert len(left(tmp_path)) == 1
    with workspace(tmp_path) as folder:
        assert left(tmp_path) == [folder]
        assert list(folder.iterdir()) == []
    assert left(tmp_path) == []


def test_a_second_build_says_that_it_waits_and_disturbs_nothing(tmp_path: Path) -> None:
    with a_build(tmp_path) as first, a_build(tmp_path) as second:
        assert {said(first), said(second)} == {"building", "tools: waiting for another build"}
        assert [f.name for f in left(tmp_path)[0].iterdir()] == ["half-written"]
        assert len(left(tmp_path)) == 1
        first.kill()
        second.kill()


def test_a_build_that_waited_is_done_after_the_other(tmp_path: Path) -> None:
    with a_build(tmp_path) as first:
        assert said(first) == "building"
        with a_build(tmp_path) as second:
            assert said(second) == "tools: waiting for another build"
            first.communicate("")
            assert said(second) == "building"
            second.communicate("")
    assert (first.returncode, second.returncode) == (0, 0)
    assert left(tmp_path) == []
