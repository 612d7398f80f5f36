"""The exporter in a running Jupyter server, where JupyterLab's menu "Save and Export Notebook As" goes."""

import json
import shutil
import socket
import subprocess
import sys
import time
from urllib.error import URLError
from urllib.request import Request, urlopen

import pytest

from conftest import ROOT

TOKEN = "for-this-test"


def ask(url):
    with urlopen(Request(url, headers={"Authorization": f"token {TOKEN}"}), timeout=120) as answer:
        return answer.headers, answer.read()


@pytest.fixture
def server(tmp_path):
    """The address of a Jupyter server on this machine, with the notebook in its folder."""
    shutil.copy(ROOT / "report.ipynb", tmp_path)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = {"ip": "127.0.0.1", "port": port, "port_retries": 0, "allow_root": True, "open_browser": False}
    command = [sys.executable, "-m", "jupyter_server", *(f"--ServerApp.{k}={v}" for k, v in options.items())]
    process = subprocess.Popen(
        [*command, f"--IdentityProvider.token={TOKEN}"], cwd=tmp_path, stderr=subprocess.DEVNULL
    )
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(1200):  # two minutes, on a machine that is busy
            try:
                ask(f"{address}/api/status")
                break
            except URLError:
                assert process.poll() is None, "the server did not start"
                time.sleep(0.1)
        yield address
    finally:
        process.terminate()
        process.wait(30)


def test_export_menu_gives_the_bytes_of_make(server, pdf, html):
    formats = json.loads(ask(f"{server}/api/nbconvert")[1])
    for name, ours in (("report_pdf", pdf), ("report_html", html)):
        assert name in formats  # what the menu lists
        headers, content = ask(f"{server}/nbconvert/{name}/report.ipynb?download=true")
        assert f"report{ours.suffix}" in headers["Content-Disposition"]
        assert headers["Content-Type"].startswith(formats[name]["output_mimetype"])
        assert content == ours.read_bytes()
