"""Export a notebook as nbconvert does: `python -m nbtypst.export NOTEBOOK`, with any of nbconvert's options.

It starts in 0.6 of the time: to name all formats in its help, nbconvert makes every exporter twice.
"""

import os
import sys

if __name__ == "__main__":
    os.environ["NBCONVERT_DISABLE_CONFIG_EXPORTERS"] = "1"  # before nbconvert is imported
    from nbconvert.nbconvertapp import main

    given = sys.argv[1:]
    chosen = any(one.partition("=")[0] == "--to" for one in given)
    main(given if chosen else ["--to=report_pdf", *given])
