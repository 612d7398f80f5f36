"""Text of PDF files, for comparison."""

import re
import unicodedata
from collections import Counter

import pypdfium2


def text(path):
    """Return all the text, words divided at a line's end joined again, letters of math as plain letters."""
    pages = [page.get_textpage().get_text_range() for page in pypdfium2.PdfDocument(path)]
    joined = re.sub("\ufffe(\r?\n)?|\u00ad|(?<=[a-z])[\u2010-]\r?\n", "", "\n".join(pages))
    decomposed = unicodedata.normalize("NFKD", joined)
    return "".join(c for c in decomposed if not unicodedata.combining(c))


def words(content):
    """Count each word, letter and number."""
    return Counter(re.findall(r"[^\W\d_]+|\d+(?:\.\d+)?", content))


def outside(path, left, right, top, bottom):
    """Return the characters that lie outside these margins, in points, each after the number of its page."""
    found = []
    for number, page in enumerate(pypdfium2.PdfDocument(path), 1):
        width, height = page.get_size()
        content = page.get_textpage()
        for i in range(content.count_chars()):
            x0, y0, x1, y1 = content.get_charbox(i)
            inside = x0 >= left and x1 <= width - right and y0 >= bottom and y1 <= height - top
            if x1 > x0 and not inside and content.get_text_range(i, 1).strip():
                found.append((number, content.get_text_range(i, 1)))
    return found
