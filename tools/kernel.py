"""IPython's extension for the kernel of a build."""

import logging
import os

from tools.processes import end_with


def load_ipython_extension(shell: object) -> None:
    """End this kernel, and all that it started, with its build."""
    end_with(int(os.environ["JPY_PARENT_PID"]))
    # A machine with many fonts would say so once, in whichever cell is the first that needs them.
    logging.getLogger("matplotlib.font_manager").addFilter(
        lambda record: "building the font cache" not in record.getMessage()
    )
