"""Programs that the Makefile runs; none does where a file would stand for a module or for a setting.

Only what Python has imported by itself is imported here: of all else there could be a file in its place.
"""

import os
import sys

modules = set(getattr(sys, "stdlib_module_names", ()))  # an old Python has no list of them
for folder in sys.path:
    if os.path.isdir(folder + "/nbformat"):  # the packages by which a report is made
        modules.update(os.listdir(folder))
modules.difference_update(["assignment1", "explore", "study", "tools"])  # our own folders
for name in os.listdir():
    stem = name[:-3] if name.endswith(".py") else name
    imported = stem != name or os.path.isfile(name + "/__init__.py")
    if name == "matplotlibrc" or (imported and {name, stem} & modules):
        sys.exit("error: " + name + " would change what is imported or drawn; rename it or move it away")
