"""pandoc's MathML as browsers set it best: read aloud, functions apart from what they are of, and a font.

`math.woff2`, whose parentheses and roots stretch, is a part of STIX Two Math 2.11, copyright 2001-2020 The
STIX Fonts Project Authors, under the SIL Open Font License 1.1 (https://scripts.sil.org/OFL). It was made by
fontTools 4.68 from the font in the package ziamath: `pyftsubset STIXTwoMath-Regular.ttf --flavor=woff2
--no-hinting --layout-features=ssty,dtls,flac,mkmk,mark,ccmp --name-IDs=0,1,2,3,4,5,6,13,14 --unicodes=...`
with the code points that it has. What is not in it, browsers take from a font of the machine.
"""

from __future__ import annotations

import re
from base64 import b64encode
from html import escape, unescape
from importlib.resources import files

from nbtypst.reading.speech import read_aloud

_MATH = re.compile(
    r"<math ([^>]*)>\s*<semantics>(.*?)<annotation[^>]*>(.*?)</annotation>\s*</semantics>", re.S
)
_NAME = r'<mi mathvariant="normal">([^\W\d_]{2,})</mi>'  # of a function, such as ln
_THIN = "0.167em"


def tidy(page: str) -> str:
    """A page of HTML, each formula in it read aloud and well spaced."""
    return _MATH.sub(lambda math: f'<math {math[1]} alttext="{_words(math[3])}">{_set(math[2])}', page)


def font_face() -> str:
    """The style that gives a page its font for math, as "Math of this page"; it asks nothing of a network."""
    data = b64encode((files(__package__) / "math.woff2").read_bytes()).decode()
    return (
        '@font-face { font-family: "Math of this page"; '
        f'src: url("data:font/woff2;base64,{data}") format("woff2"); }}\n'
    )


def _words(latex: str) -> str:
    return escape(read_aloud(unescape(latex)))


def _set(mathml: str) -> str:
    """Accents as wide as the letter's own, and a thin space where TeX has one beside a function's name."""
    mathml = mathml.replace('<mo accent="true">\u0302<', '<mo accent="true" stretchy="false">\u02c6<')
    mathml = mathml.replace('<mo accent="true">', '<mo accent="true" stretchy="false">')
    mathml = re.sub(rf"<mrow>({_NAME})<mo>&#8289;</mo></mrow>", r"\1", mathml)

    def function(found: re.Match[str]) -> str:
        before, name, after = found[1], found[2], found[3]
        left = _THIN if before in ("mi", "mn", "msup", "msub", "msubsup", "mfrac", "mrow", "msqrt") else "0"
        right = "0" if after else _THIN
        return (
            f'{f"</{before}>" if before else ""}<mo lspace="{left}" rspace="{right}" '
            f'movablelimits="false">{name}</mo>{after}'
        )

    return re.sub(rf'(?:</(\w+)>)?{_NAME}((?:<mo stretchy="\w+" form="prefix">)?)', function, mathml)
