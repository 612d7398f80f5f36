"""README's pictures of pages: python -m tools.pictures PDF FOLDER."""

import sys
from pathlib import Path

import pypdfium2
from PIL import ImageOps

TASKS = ["Task 1a", "Task 2e", "Task 4b"]
WIDTH = 640  # pixels


def write(pdf: Path, folder: Path) -> None:
    """Write PNG files of the first page, and of those where some tasks begin."""
    document = pypdfium2.PdfDocument(pdf)
    pages = {"First page": 0}
    for item in document.get_toc():
        task = item.get_title().partition(":")[0]
        if task in TASKS:
            pages[task] = item.get_dest().get_index()
    for name, index in pages.items():
        page = document[index]
        large = page.render(scale=2 * WIDTH / page.get_width()).to_pil()
        small = ImageOps.contain(large, (WIDTH, 2 * WIDTH))
        small.quantize(48).save(folder / f"{name.lower().replace(' ', '-')}.png", optimize=True)


if __name__ == "__main__":
    write(*map(Path, sys.argv[1:]))
