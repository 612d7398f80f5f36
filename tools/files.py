"""Files that are old or new, and whole."""

import os
import sys
from pathlib import Path


def write(target: Path, content: bytes) -> None:
    """Put a file in its place at once; exit with an error if that fails."""
    new = target.with_name(f"{target.name}.new")
    try:
        with new.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file)
        new.replace(target)
    except OSError as error:
        new.unlink(missing_ok=True)
        sys.exit(f"error: {target} could not be written, and is as it was: {error.strerror}")
    print(f"Wrote {target}")
