"""What the tests of the pad share: pad.js run by Node or Chromium, a browser, and a JupyterLab to visit."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from conftest import ROOT

PAD = ROOT / "assignment1/explore/pad.js"
NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
CHROMIUM = next(filter(None, map(shutil.which, NAMES)), None)
TOKEN = "for-this-test"
SETTINGS = {  # all cells are in the page at once, and nothing is asked of a network
    "@jupyterlab/notebook-extension/tracker": {"windowingMode": "none"},
    "@jupyterlab/apputils-extension/notification": {
        "fetchNews": "false",
        "checkForUpdates": False,
        "doNotDisturbMode": True,
    },
}


@contextmanager
def chromium():
    """Chromium, driven by Playwright; a skip, with its reason, where one of them is not here."""
    if CHROMIUM is None:
        pytest.skip(f"none of {NAMES} is on this machine")
    driver = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with driver.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        try:
            yield browser
        finally:
            browser.close()


def javascript(function, given, folder):
    """What a JavaScript function of the module pad.js and some data gives: `(pad, given) => ...`."""
    if node := shutil.which("node"):
        (folder / "given.json").write_text(json.dumps(given), encoding="utf-8")
        (folder / "pad.mjs").write_text(PAD.read_text(encoding="utf-8"), encoding="utf-8")
        (folder / "run.mjs").write_text(
            'import * as pad from "./pad.mjs";\nimport { readFileSync } from "node:fs";\n'
            f'const found = ({function})(pad, JSON.parse(readFileSync("given.json")));\n'
            "process.stdout.write(JSON.stringify(found));\n",
            encoding="utf-8",
        )
        done = subprocess.run([node, "run.mjs"], cwd=folder, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)
    with chromium() as browser:
        source = json.dumps(PAD.read_text(encoding="utf-8"))
        load = f"URL.createObjectURL(new Blob([{source}], {{type: 'text/javascript'}}))"
        return browser.new_page().evaluate(
            f"async (given) => ({function})(await import({load}), given)", given
        )


@contextmanager
def jupyterlab(folder):
    """The address of a JupyterLab on a free port, ended at the end; `folder` is what it shows."""
    own = folder / ".own"
    for name, value in SETTINGS.items():
        path = own / "settings" / f"{name}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(value), encoding="utf-8")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = {"ip": "127.0.0.1", "port": port, "port_retries": 0, "allow_root": True, "open_browser": False}
    options["root_dir"] = folder
    command = [sys.executable, "-m", "jupyterlab", *(f"--ServerApp.{k}={v}" for k, v in options.items())]
    places = {"JUPYTER_CONFIG_DIR": "config", "JUPYTERLAB_SETTINGS_DIR": "settings"}
    places["JUPYTERLAB_WORKSPACES_DIR"] = "workspaces"
    environment = os.environ | {name: str(own / place) for name, place in places.items()}
    process = subprocess.Popen(
        [*command, f"--IdentityProvider.token={TOKEN}"],
        env=environment | {"JUPYTER_PREFER_ENV_PATH": "1"},
        stderr=subprocess.DEVNULL,
    )
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(300):
            try:
                urlopen(f"{address}/api?token={TOKEN}", timeout=30).close()
                break
            except URLError:
                assert process.poll() is None, "JupyterLab did not start"
                time.sleep(0.1)
        yield address
    finally:
        process.terminate()
        process.wait(30)


def stroke(page, pad, *points):
    """Draw a line with the mouse on a pad; points go from 0 to 280."""
    pad.scroll_into_view_if_needed()
    frame = pad.bounding_box()
    (x, y), *others = [
        [at + p * frame["width"] / 280 for at, p in zip((frame["x"], frame["y"]), point, strict=True)]
        for point in points
    ]
    page.mouse.move(x, y)
    page.mouse.down()
    for x, y in others:
        page.mouse.move(x, y, steps=6)
    page.mouse.up()
    page.wait_for_timeout(400)  # until the result is told
