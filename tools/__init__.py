"""Programs that the Makefile runs; none does where a file would stand for a module or for a setting.

Only what Python has imported by itself is imported here: of all else there could be a file in its place.
"""

import os
import sys

modules = set(getattr(sys, "stdlib_module_names", ()))  # an old Python has no list of them
for folder in sys.path:
    if os.path.isdir(folder + "/nbformat"):  # the packages by which a report is made
        modules.update(os.listdir(folder))
for name in os.listdir():
    if name == "matplotlibrc" or (name.endswith(".py") and {name, name[:-3]} & modules):
        sys.exit("error: " + name + " would change what is imported or drawn; rename it or move it away")
