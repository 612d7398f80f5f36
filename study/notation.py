"""The assignment's notation and its questions, as the report's tables have them: read from notation.toml."""

import tomllib
from pathlib import Path

_FOUND = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
ROWS = _FOUND["rows"]
QUESTIONS = _FOUND["questions"]
