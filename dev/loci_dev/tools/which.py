"""Print where a pinned tool is: `python -m loci_dev.tools.which helm`."""

from __future__ import annotations

import sys

from loci_dev.tools.catalog import MissingToolError, tool

if __name__ == "__main__":
    try:
        print(tool(sys.argv[1]))
    except MissingToolError as error:
        sys.exit(str(error))
