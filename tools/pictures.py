"""README's pictures of pages: python -m tools.pictures PDF FOLDER."""

import io
import sys
from pathlib import Path

import pypdfium2

from tools.files import write

TASKS = ["Task 1a", "Task 2e", "Task 4b"]
WIDTH = 640  # pixels


def pictures(pdf: Path) -> dict[str, bytes]:
    """Return PNG files by name: the first page, and those where some tasks begin."""
    document = pypdfium2.PdfDocument(pdf)
    pages = {"first-page": 0}
    for item in document.get_toc():
        task = item.get_title().partition(":")[0]
        if task in TASKS:
            pages[task.lower().replace(" ", "-")] = item.get_dest().get_index()
    files = {}
    for name, index in pages.items():
        page = document[index]
        image = page.render(scale=2 * WIDTH / page.get_width()).to_pil().convert("RGB")
        data = io.BytesIO()
        image.reduce(2).quantize(48).save(data, "PNG", optimize=True)
        files[f"{name}.png"] = data.getvalue()
    return files


if __name__ == "__main__":
    for name, content in pictures(Path(sys.argv[1])).items():
        write(Path(sys.argv[2], name), content)
