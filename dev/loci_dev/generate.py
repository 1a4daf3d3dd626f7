"""``make generate``: write every generated file; with ``--check``, fail when a committed one is stale."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from loci_dev import chart_values, envoy_routes, manifests, openapi
from loci_dev.observability import dashboards, reference, rules
from loci_resources import crd

_ROOT = Path(__file__).parents[2]


def main() -> int:
    """Write or check the files; return 1 when a checked file is stale."""
    parser = argparse.ArgumentParser(prog="make generate", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing")
    check = parser.parse_args().check
    files = {_ROOT / path: text for path, text in _rendered().items()}
    stale = [path for path, text in files.items() if not path.exists() or path.read_text() != text]
    for path in stale:
        print(f"{'stale' if check else 'written'}: {path.relative_to(_ROOT)}")
        if not check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(files[path])
    if check and stale:
        print("run `make generate` and commit the result", file=sys.stderr)
    return int(check and bool(stale))


def _rendered() -> dict[str, str]:
    parts = (crd, chart_values, envoy_routes, rules, dashboards, reference, openapi, manifests)
    return {path: text for part in parts for path, text in part.rendered().items()}


if __name__ == "__main__":
    sys.exit(main())
