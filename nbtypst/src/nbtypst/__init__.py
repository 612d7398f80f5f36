"""Any notebook as an accessible page: nbconvert exporters to PDF/UA-1 and to one page of HTML."""

from nbtypst.html import ReportHTMLExporter
from nbtypst.pdf import ReportPDFExporter
from nbtypst.problems import ExportError

__all__ = ["ExportError", "ReportHTMLExporter", "ReportPDFExporter"]
