"""Pictures of outputs, attachments and files beside the notebook, checked before they reach a page."""

import io
import re
import warnings
from base64 import b64decode, b64encode
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, unquote_to_bytes

from nbtypst.reading.mending import Data
from nbtypst.reading.svg import points, sanitise_svg, size

MOST_BYTES = 40_000_000
MOST_PIXELS = 60_000_000
_KEPT = ("jpeg", "png")  # as they are
_NOT_OF_PAGES = ("CMYK", "F", "I", "I;16", "YCCK")  # Pillow's modes that become others
_DATA = re.compile(r"data:image/[\w.+-]+(?:;[\w=-]+)*?(;base64)?,", re.I)


@dataclass
class Picture:
    """A picture that both kinds of page can show; width and height in points, as a browser has them."""

    content: bytes
    kind: str  # png, jpeg or svg
    width: float
    height: float
    alt: str = ""
    name: str = ""  # among the notebook's pictures

    @property
    def address(self) -> str:
        """Return the picture as a data address."""
        mime = "svg+xml" if self.kind == "svg" else self.kind
        return f"data:image/{mime};base64,{b64encode(self.content).decode()}"


def picture(raw: bytes) -> Picture:
    """Return a picture from the contents of a file: PNG and JPEG as they are, SVG sanitised, others as PNG.

    Raises ValueError for contents that are no picture, and for a picture larger than any page needs.
    """
    from PIL import Image  # takes a while

    if len(raw) > MOST_BYTES:
        raise ValueError(f"the picture has {len(raw):,} bytes, more than {MOST_BYTES:,}")
    if b"<svg" in raw[:5000]:
        svg = sanitise_svg(raw.decode("utf-8", "replace"))
        width, height = size(svg)
        if width <= 0 or height <= 0:
            raise ValueError("the SVG has no size")
        return Picture(svg.encode(), "svg", width, height)
    try:
        with warnings.catch_warnings(action="ignore"):
            image = Image.open(io.BytesIO(raw))
            if image.width * image.height > MOST_PIXELS:
                raise ValueError(f"the picture has {image.width} x {image.height} pixels")
            kind = str(image.format).lower()
            image.load()
    except ValueError:
        raise
    except Exception as error:
        raise ValueError("it is no picture that can be read") from error
    if kind not in _KEPT or image.mode in _NOT_OF_PAGES:
        out = io.BytesIO()
        image.convert("RGBA" if image.has_transparency_data else "RGB").save(out, "PNG")
        raw = out.getvalue()
        kind = "png"
    return Picture(raw, kind, image.width * 0.75, image.height * 0.75)


def from_address(address: str, folder: str | None, attachments: Data, sides: Data) -> Picture:
    """Return the picture that Markdown or HTML names: an attachment, data, or a file in the folder.

    Raises ValueError or OSError for one that is not to be had.
    """
    data = _DATA.match(address)
    if address.startswith("attachment:"):
        found = _attached(address.removeprefix("attachment:"), attachments)
    elif data:
        coded = unquote_to_bytes(address[data.end() :])
        found = picture(b64decode(coded) if data[1] else coded)
    elif re.match(r"[a-z][a-z\d+.-]*:", address, re.I):
        raise ValueError(f"the address {address[:60]!r} is of no file in the notebook's folder")
    else:
        found = picture(_beside(address, folder).read_bytes())
    return sized(found, sides)


def from_text(text: str) -> Picture:
    """Return the picture of a text, which is SVG, or any in base64."""
    return picture(text.encode("utf-8", "replace") if "<svg" in text else b64decode(re.sub(r"\s", "", text)))


def sized(found: Picture, sides: Data) -> Picture:
    """Return the picture with its width, its height or both set, where they are lengths."""
    ratio = found.width / found.height
    wide = points(str(sides.get("width")))
    high = points(str(sides.get("height")))
    if wide or high:
        found.width = wide or high * ratio
        found.height = high or wide / ratio
    return found


def _attached(name: str, attachments: Data) -> Picture:
    """Return the first form of an attachment that can be read; SVG, too, may be in base64."""
    bundle = attachments.get(unquote(name)) or attachments.get(name)
    if not bundle:
        raise ValueError(f"the cell has no attachment {name!r}")
    for data in bundle.values():
        try:
            return from_text(data)
        except ValueError as error:
            problem = error
    raise problem


def _beside(address: str, folder: str | None) -> Path:
    """Return the file of a relative address, if it is in the folder and no link leads out of it."""
    if folder is None:
        raise ValueError(f"{address!r} is sought in the notebook's folder, which is not known")
    base = Path(folder).resolve()
    for name in (unquote(re.split("[?#]", address)[0]), unquote(address)):
        try:
            path = (base / name).resolve()
            if path.is_relative_to(base) and path.is_file() and path.stat().st_size <= MOST_BYTES:
                return path
        except (OSError, ValueError):
            continue
    raise ValueError(f"no file {address!r} is in the notebook's folder")
