"""pandoc's MathML as browsers set it best: read aloud, functions apart from what they are of, and a font.

`math.woff2`, whose parentheses and roots stretch, is a part of STIX Two Math 2.11, copyright 2001-2020 The
STIX Fonts Project Authors, under the SIL Open Font License 1.1 (https://scripts.sil.org/OFL). It was made by
fontTools 4.68 from the font in the package ziamath: `pyftsubset STIXTwoMath-Regular.ttf --flavor=woff2
--no-hinting --layout-features=ssty,dtls,flac,mkmk,mark,ccmp --name-IDs=0,1,2,3,4,5,6,13,14 --unicodes=...`
with the code points that it has. What is not in it, browsers take from a font of the machine.
"""

import re
from base64 import b64encode
from html import escape, unescape
from pathlib import Path
from typing import Any

from nbtypst.reading.markdown import Match, replaced
from nbtypst.reading.speech import read_aloud

MATH = (
    r"<math ([^>]*)>\s*<semantics>(.*?)<annotation[^>]*>(.*?)</annotation>\s*</semantics>\s*</math>"
    r"([,.;:!?)\]]*)"  # what stays with it
)
_NAME = r'<mi mathvariant="normal">([^\W\d_]{2,})</mi>'  # of a function, such as ln
_ACCENTED = r'(<msup>|<msubsup>)(<mover accent="true"><m[in][^>]*>%s</m[in]><mo accent[^<]*</mo></mover>)'
_APART = {  # a combining sign, which has no width and would stand to the left, and one that has
    "\u0300": "`",
    "\u0301": "´",
    "\u0302": "ˆ",
    "\u0303": "˜",
    "\u0306": "˘",
    "\u0307": "˙",
    "\u0308": "˙˙",
    "\u030a": "˚",
    "\u030c": "ˇ",
    "\u20db": "˙˙˙",
    "\u20dc": "˙˙˙˙",
}
# What pandoc writes, and what browsers set as TeX does, in the order in which it is replaced.
_BETTER: dict[str, Any] = {
    r'<mover>(<m[in][^>]*>.</m[in]><mo accent="true")': r'<mover accent="true">\1 stretchy="false"',
    f'(?<=stretchy="false">)[{"".join(_APART)}](?=<)': lambda sign: _APART[sign[0]],
    '(form="(?:prefix|postfix)">)∥': r"\1‖",  # the bar of a norm, not the sign between parallels
    r"(<msu(?:b|p|bsup)>)(<mo minsize[^<]*</mo>)": r"\1<mrow>\2</mrow>",  # where alone it has its size
    '<mo accent="true">([¯_])': r'<mo accent="true" class="bar">\1',
    'menclose notation="updiagonalstrike"': 'mrow class="cancel"',
    "/menclose": "/mrow",
    # its exponent stands as if it had no accent
    _ACCENTED % "[acegmnopqrsuvwxyz]": r'\1<mpadded height="0.5em">\2</mpadded>',
    _ACCENTED % ".": r'\1<mpadded height="0.7em">\2</mpadded>',
    rf"<mrow>({_NAME})<mo>&#8289;</mo></mrow>": r"\1",
}
_THIN = "0.167em"
_OPERANDS = ("mfrac", "mi", "mn", "mrow", "msqrt", "msub", "msubsup", "msup")


def font_face() -> str:
    """Return the style that gives a page its font for math, as "Math of this page", without a network."""
    data = b64encode(Path(__file__).with_name("math.woff2").read_bytes()).decode()
    return (
        '@font-face { font-family: "Math of this page"; '
        f'src: url("data:font/woff2;base64,{data}") format("woff2"); }}\n'
    )


def tidy(math: Match) -> str:
    """Return a formula read aloud, accents as wide as the letter's own, a thin space where TeX has one."""
    attributes, body, latex, mark = math.groups()
    body = replaced(body, _BETTER)
    body = re.sub(rf'(</(\w+)>)?{_NAME}(<mo stretchy="\w+" form="prefix">)?', _function, body)
    formula = f'<math {attributes} alttext="{escape(read_aloud(unescape(latex)))}">{body}</math>'
    return f'<span class="kept">{formula}{mark}</span>' if mark else formula


def _function(found: Match) -> str:
    closing, before, name, after = found.groups("")
    left = _THIN if before in _OPERANDS else "0"
    right = "0" if after else _THIN
    return f'{closing}<mo lspace="{left}" rspace="{right}" movablelimits="false">{name}</mo>{after}'
