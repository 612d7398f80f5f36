"""What README shows of the report, PDF and pictures of pages: python -m tools.pictures NOTEBOOK FOLDER."""

import io
import sys
from pathlib import Path

import pypdfium2
from PIL import ImageOps

from nbtypst import ReportPDFExporter
from tools import files

TASKS = ["Task 1a", "Task 2e", "Task 4b"]
WIDTH = 640  # pixels


def write(notebook: Path, folder: Path) -> None:
    """Write the PDF, and PNG files of its first page and of those where some tasks begin."""
    pdf, _ = ReportPDFExporter().from_filename(str(notebook))
    files.write(folder / "report.pdf", pdf)
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
        data = io.BytesIO()
        small.quantize(48).save(data, "PNG", optimize=True)
        files.write(folder / f"{name.lower().replace(' ', '-')}.png", data.getvalue())


if __name__ == "__main__":
    write(*map(Path, sys.argv[1:]))
