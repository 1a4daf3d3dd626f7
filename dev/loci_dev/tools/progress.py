"""Showing that a step of minutes is under way."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn


@contextlib.contextmanager
def under_way(label: str, console: Console, interval: float = 60) -> Iterator[None]:
    """For the length of the block a clock on a terminal; elsewhere a line, and one more every `interval` seconds."""
    with _clock(label, console) if console.is_terminal else _lines(label, console, interval):
        yield


@contextlib.contextmanager
def _clock(label: str, console: Console) -> Iterator[None]:
    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        progress.add_task(label, total=None)
        yield


@contextlib.contextmanager
def _lines(label: str, console: Console, interval: float) -> Iterator[None]:
    over, started = threading.Event(), time.monotonic()

    def tell() -> None:
        while not over.wait(interval):
            say(console, f"  ... still {label}, {time.monotonic() - started:.0f} s")

    say(console, f"  {label} ...")
    teller = threading.Thread(target=tell)
    teller.start()
    try:
        yield
    finally:
        over.set()
        teller.join()


def say(console: Console, line: str) -> None:
    """Print a line as it is."""
    console.print(line, markup=False, highlight=False, soft_wrap=True)
