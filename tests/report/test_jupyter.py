"""The exporters in a running Jupyter server, where JupyterLab's menu "Save and Export Notebook As" goes."""

import json
import shutil
from urllib.request import Request, urlopen

import pytest

from browser import TOKEN, jupyter
from conftest import ELSEWHERE, ROOT

pytestmark = pytest.mark.slow

EXTENSIONS = ("jupyter_lsp", "jupyter_server_terminals", "jupyterlab", "notebook", "notebook_shim")


def ask(url):
    request = Request(url, headers={"Authorization": f"token {TOKEN}"})
    with urlopen(request, timeout=120) as answer:
        return answer.headers, answer.read()


@pytest.fixture
def server(unpacked):
    """Start a server in another folder, time zone and locale, without what exports nothing."""
    shutil.copy(ROOT / "report.ipynb", unpacked)
    without = dict.fromkeys(EXTENSIONS, False)
    with jupyter("jupyter_server", unpacked, ELSEWHERE, jpserver_extensions=without) as address:
        yield address


def test_export_menu_gives_the_bytes_of_make_in_any_folder_time_zone_and_locale(server, pdf, html):
    formats = json.loads(ask(f"{server}/api/nbconvert")[1])
    for name, ours in (("report_pdf", pdf), ("report_html", html)):
        assert name in formats  # what the menu lists
        headers, content = ask(f"{server}/nbconvert/{name}/report.ipynb?download=true")
        assert f"report{ours.suffix}" in headers["Content-Disposition"]
        assert headers["Content-Type"].startswith(formats[name]["output_mimetype"])
        assert content == ours.read_bytes()
