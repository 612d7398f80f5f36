"""README's pictures of pages: python tools/pictures.py PDF FOLDER."""

import io
import sys
from pathlib import Path

import pypdfium2
from PIL import Image

PAGES = {"first-page": None, "task-1a": "Task 1a", "task-2e": "Task 2e", "task-4b": "Task 4b"}
WIDTH = 640  # pixels


def pictures(pdf: Path) -> dict[str, bytes]:
    """PNG files by name: the first page, and those where some tasks begin."""
    document = pypdfium2.PdfDocument(pdf)
    starts: dict[str | None, int] = {None: 0}
    for item in document.get_toc():
        destination = item.get_dest()
        starts[item.get_title()] = destination.get_index() if destination else 0
    files = {}
    for name, title in PAGES.items():
        named = [start for start in starts if start and title and start.startswith(title)]
        index = starts[named[0] if named else title]
        page = document[index]
        image = page.render(scale=2 * WIDTH / page.get_width()).to_pil().convert("RGB")
        small = image.resize((WIDTH, round(WIDTH * image.height / image.width)), Image.Resampling.LANCZOS)
        data = io.BytesIO()
        small.quantize(48).save(data, "PNG", optimize=True)
        files[f"{name}.png"] = data.getvalue()
    return files


if __name__ == "__main__":
    folder = Path(sys.argv[2])
    folder.mkdir(exist_ok=True)
    for name, content in pictures(Path(sys.argv[1])).items():
        (folder / name).write_bytes(content)
