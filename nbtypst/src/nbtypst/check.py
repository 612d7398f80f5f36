"""Check a notebook: `python -m nbtypst.check`; the functions stand in `nbtypst.export.check`."""

import sys

from nbtypst.export.check import evidence, main

__all__ = ["evidence", "main"]

if __name__ == "__main__":
    sys.exit(main())
