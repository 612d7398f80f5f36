"""What README shows of the report, PDF and pictures of pages: python -m tools.pictures."""

import io
from pathlib import Path

import pypdfium2

from nbtypst import ReportPDFExporter
from tools import files

SHOWN = ["First page", "Task 1a", "Task 2e", "Task 4b"]
WIDTH = 640  # pixels


def write(notebook: Path, folder: Path) -> None:
    """Write the PDF, and PNG files of its first page and of those where some tasks begin."""
    pdf, _ = ReportPDFExporter().from_filename(str(notebook))
    files.write(folder / "report.pdf", pdf)
    document = pypdfium2.PdfDocument(pdf)
    pages = {"First page": 0}
    for item in document.get_toc():
        pages[item.get_title().partition(":")[0]] = item.get_dest().get_index()
    for name in SHOWN:
        page = document[pages[name]]
        picture = page.render(scale=WIDTH / page.get_width()).to_pil()
        data = io.BytesIO()
        picture.quantize(48).save(data, "PNG", optimize=True)
        files.write(folder / f"{name.lower().replace(' ', '-')}.png", data.getvalue())


if __name__ == "__main__":
    write(Path("report.ipynb"), Path("docs"))
