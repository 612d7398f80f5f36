"""JupyterLab's export menu: a Jupyter server extension that keeps it to one entry for each of our pages.

The menu lists every format that the server names, here "Report_html" and "Report_pdf", beside the entries by
which overrides.d/nbtypst.json calls them what they are. Both formats work as before.
"""

import json
from typing import Any

OURS = ("report_html", "report_pdf")


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": __name__}]


def _load_jupyter_server_extension(app: Any) -> None:
    """Answer a request for the names of formats before the server's own handler does."""
    from jupyter_server.services.nbconvert.handlers import NbconvertRootHandler
    from jupyter_server.utils import url_path_join

    class Formats(NbconvertRootHandler):
        def finish(self, chunk: Any = None) -> Any:
            formats = json.loads(chunk or "{}")
            for name in OURS:
                formats.pop(name, None)
            return super().finish(json.dumps(formats))

    address = url_path_join(app.web_app.settings["base_url"], "api/nbconvert")
    app.web_app.add_handlers(".*$", [(address, Formats)])
