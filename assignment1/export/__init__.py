"""nbconvert exporters: an executed notebook becomes a report, its prose and results without its code."""

from assignment1.export.html import ReportHTMLExporter
from assignment1.export.pdf import ReportPDFExporter

__all__ = ["ReportHTMLExporter", "ReportPDFExporter"]
