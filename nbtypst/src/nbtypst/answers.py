"""List the answers of a report and what changed; the classes stand in `nbtypst.authoring`."""

from nbtypst.authoring.answers import Answers
from nbtypst.authoring.changes import Changes

__all__ = ["Answers", "Changes"]
