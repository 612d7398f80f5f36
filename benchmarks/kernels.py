"""OpenBLAS's own choice of kernels: import this module before NumPy.

Some machines set two variables for the sake of older builds; a current NumPy is slower for it.
"""

import os

from threadpoolctl import threadpool_info

os.environ.pop("OPENBLAS_CORETYPE", None)
os.environ.pop("OPENBLAS_L2_SIZE", None)


def architectures():
    """Return the processors that the loaded kernels are written for, such as SkylakeX."""
    libraries = threadpool_info()
    names = {library["architecture"] for library in libraries if "architecture" in library}
    return ", ".join(sorted(names))
