"""Pictures of outputs, attachments and files beside the notebook, checked before they reach a page."""

from __future__ import annotations

import io
import re
import warnings
from base64 import b64decode, b64encode
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, unquote_to_bytes

from PIL import Image

from nbtypst.reading.svg import sanitise_svg, size

MOST_BYTES, MOST_PIXELS = 40_000_000, 60_000_000
MIME = {"png": "image/png", "jpg": "image/jpeg", "svg": "image/svg+xml"}


@dataclass
class Picture:
    """A picture that both kinds of page can show; width and height in points, as a browser has them."""

    content: bytes
    kind: str  # png, jpg or svg
    width: float
    height: float
    alt: str = ""

    @property
    def address(self) -> str:
        """The picture as a data address."""
        return f"data:{MIME[self.kind]};base64,{b64encode(self.content).decode()}"


def picture(content: bytes | str) -> Picture:
    """A picture from the contents of a file: PNG and JPEG as they are, SVG sanitised, others as PNG.

    Raises ValueError for what is none, and for one that is larger than any page needs.
    """
    raw = content.encode("utf-8", "replace") if isinstance(content, str) else content
    if len(raw) > MOST_BYTES:
        raise ValueError(f"the picture has {len(raw):,} bytes, more than {MOST_BYTES:,}")
    if b"<svg" in raw[:5000]:
        svg = sanitise_svg(raw.decode("utf-8", "replace"))
        width, height = size(svg)
        if width <= 0 or height <= 0:
            raise ValueError("the SVG has no size")
        return Picture(svg.encode(), "svg", width, height)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            image = Image.open(io.BytesIO(raw))
            if image.width * image.height > MOST_PIXELS:
                raise ValueError(f"the picture has {image.width} x {image.height} pixels")
            kind = {"PNG": "png", "JPEG": "jpg"}.get(image.format or "", "")
            image.load()
    except ValueError:
        raise
    except Exception as error:
        raise ValueError("it is no picture that can be read") from error
    if not kind or image.mode in ("CMYK", "YCCK", "I", "F", "I;16"):
        out = io.BytesIO()
        image.convert("RGBA" if "transparency" in image.info or "A" in image.mode else "RGB").save(out, "PNG")
        raw, kind = out.getvalue(), "png"
    return Picture(raw, kind, image.width * 0.75, image.height * 0.75)


def from_output(kind: str, data: Any, about: dict[str, Any]) -> Picture:
    """The picture of an output's data of one MIME type, at the size that its metadata asks for."""
    text = "".join(data) if isinstance(data, list) else str(data)
    found = picture(text if "svg" in kind else b64decode(re.sub(r"\s", "", text)))
    return _sized(found, about.get("width"), about.get("height"))


def _sized(found: Picture, width: object, height: object) -> Picture:
    """The picture with a side or both set in pixels, where they are numbers."""
    sides = [re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(?:px)?\s*", str(side)) for side in (width, height)]
    wide, high = (float(side[1]) * 0.75 if side and float(side[1]) > 0 else 0.0 for side in sides)
    ratio = found.width / found.height
    if wide or high:
        found.width, found.height = wide or high * ratio, high or wide / ratio
    return found


class Remote(ValueError):  # noqa: N818
    """The picture is not here but on the network: it can only be a link."""


def from_address(
    address: str, folder: str | None, attachments: dict[str, Any], sides: dict[str, str]
) -> Picture:
    """The picture that Markdown or HTML names: an attachment, data, or a file in the notebook's folder.

    Raises Remote for one on the network, ValueError for any other that is not to be had.
    """
    if re.match(r"(https?:)?//", address, re.I):
        raise Remote(address)
    if address.startswith("attachment:"):
        bundle = attachments.get(unquote(address[11:]), {}) or attachments.get(address[11:], {})
        if not bundle:
            raise ValueError(f"the cell has no attachment {address[11:]!r}")
        found = _attached(bundle)
    elif match := re.match(r"data:image/[\w.+-]+(?:;[\w=-]+)*?(;base64)?,", address, re.I):
        data = address[match.end() :]
        found = picture(b64decode(unquote(data)) if match[1] else unquote_to_bytes(data))
    elif re.match(r"[a-z][a-z\d+.-]*:", address, re.I):
        raise ValueError(f"the address {address[:60]!r} is of no file in the notebook's folder")
    else:
        found = picture(_beside(address, folder).read_bytes())
    return _sized(found, sides.get("width"), sides.get("height"))


def _attached(bundle: dict[str, Any]) -> Picture:
    """The first picture that can be read, of those that an attachment has; SVG, too, may be in base64."""
    problem = ValueError("the attachment is empty")
    for data in bundle.values():
        text = "".join(data) if isinstance(data, list) else str(data)
        try:
            return picture(text if "<svg" in text else b64decode(re.sub(r"\s", "", text)))
        except ValueError as error:
            problem = error
    raise problem


def _beside(address: str, folder: str | None) -> Path:
    """The file of a relative address, if it is in the notebook's folder and no link leads out of it."""
    if folder is None:
        raise ValueError(f"{address!r} is sought in the notebook's folder, which is not known")
    base = Path(folder).resolve()
    for name in (unquote(address.partition("?")[0].partition("#")[0]), unquote(address)):
        try:
            path = (base / name).resolve()
            inside = path.is_relative_to(base) and path != base
            if inside and path.is_file() and path.stat().st_size <= MOST_BYTES:
                return path
        except (OSError, ValueError):
            continue
    raise ValueError(f"no file {address!r} is in the notebook's folder")
