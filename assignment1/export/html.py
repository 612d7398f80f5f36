"""The report as one self-contained HTML page with MathML: pandoc writes it by report.html and report.css."""

from assignment1.export.document import Report, ReportExporter


class ReportHTMLExporter(ReportExporter):
    """A report as one HTML page that needs no network and no script."""

    export_from_notebook = "Report (HTML)"
    output_mimetype = "text/html"

    def _file_extension_default(self) -> str:
        return ".html"

    def render(self, report: Report) -> str:
        raise NotImplementedError
