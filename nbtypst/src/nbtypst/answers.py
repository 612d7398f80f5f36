"""List the answers of a report; the class stands in `nbtypst.authoring.answers`."""

from nbtypst.authoring.answers import Answers

__all__ = ["Answers"]
