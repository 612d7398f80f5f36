"""nbconvert exporters: an executed notebook becomes a report, its prose and results without its code."""

from nbtypst.html import ReportHTMLExporter
from nbtypst.pdf import ReportPDFExporter

__all__ = ["ReportHTMLExporter", "ReportPDFExporter"]
