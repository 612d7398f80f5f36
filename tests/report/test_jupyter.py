"""The exporters in a running Jupyter server, where JupyterLab's menu "Save and Export Notebook As" goes."""

import json
import shutil
from urllib.request import Request, urlopen

import pytest

from browser import OURS, TOKEN, jupyter
from conftest import ELSEWHERE, ROOT

pytestmark = pytest.mark.slow

EXTENSIONS = ("jupyter_lsp", "jupyter_server_terminals", "jupyterlab", "notebook", "notebook_shim")


def ask(url):
    request = Request(url, headers={"Authorization": f"token {TOKEN}"})
    with urlopen(request, timeout=120) as answer:
        return answer.headers, answer.read()


@pytest.fixture(scope="module")
def server(unpacked):
    """Start a server in another folder, time zone and locale, without what exports nothing."""
    shutil.copy(ROOT / "report.ipynb", unpacked)
    without = dict.fromkeys(EXTENSIONS, False)
    with jupyter("jupyter_server", unpacked, ELSEWHERE, jpserver_extensions=without) as address:
        yield address


def test_export_menu_gives_the_bytes_of_make_in_any_folder_time_zone_and_locale(server, pdf, html):
    kinds = {"report_pdf": "application/pdf", "report_html": "text/html"}
    for name, ours in (("report_pdf", pdf), ("report_html", html)):
        headers, content = ask(f"{server}/nbconvert/{name}/report.ipynb?download=true")
        assert f"report{ours.suffix}" in headers["Content-Disposition"]
        assert headers["Content-Type"].startswith(kinds[name])
        assert content == ours.read_bytes()


def test_export_menu_has_our_formats_by_their_readable_names_only(server):
    formats = json.loads(ask(f"{server}/api/nbconvert")[1])  # what the menu lists by their own names
    assert {"html", "latex", "pdf"} <= set(formats) and not [name for name in formats if "report" in name]
    menus = json.loads(OURS.read_text(encoding="utf-8"))["@jupyterlab/mainmenu-extension:plugin"]["menus"]
    items = menus[0]["items"][0]["submenu"]["items"]
    assert [item["args"]["format"] for item in items] == ["report_pdf", "report_html"]
