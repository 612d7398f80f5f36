"""Write in a notebook; the functions stand in `nbtypst.authoring.writing`."""

from nbtypst.authoring.writing import say, sci, show, table, versions

__all__ = ["say", "sci", "show", "table", "versions"]
