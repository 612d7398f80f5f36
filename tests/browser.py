"""Share Chromium, a page, a JupyterLab to visit, and pad.js run by itself among the tests."""

import json
import os
import re
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

PAD = ROOT / "explore/pad.js"
NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
CHROMIUM = next(filter(None, map(shutil.which, NAMES)), None)
TOKEN = "for-this-test"
PATIENCE = 60_000  # ms; of a machine that has other work too
DECODED = """function decoded(text) {
    const characters = atob(text);
    const bytes = new Uint8Array(characters.length);
    for (let i = 0; i < bytes.length; i++) bytes[i] = characters.charCodeAt(i); // a callback takes far longer
    return bytes;
}
"""
BUSY = """() => !document.querySelector(".jp-Notebook-ExecutionIndicator[data-status='idle']")
    || [...document.querySelectorAll('.jp-InputPrompt')].some((one) => /\\[\\*\\]/.test(one.textContent))"""
FAILED = ".jp-RenderedText[data-mime-type*='error'], .jp-OutputArea-output[data-mime-type*='stderr']"
OURS = ROOT / "nbtypst/data/share/jupyter/lab/settings/overrides.d/nbtypst.json"
WIDGETS = "@jupyter-widgets/jupyterlab-manager:plugin"
SETTINGS = {  # all cells are in the page at once, and nothing is asked of a network
    WIDGETS.replace(":", "/"): json.loads(OURS.read_text(encoding="utf-8"))[WIDGETS],
    "@jupyterlab/notebook-extension/tracker": {"windowingMode": "none"},
    "@jupyterlab/apputils-extension/notification": {
        "fetchNews": "false",
        "checkForUpdates": False,
        "doNotDisturbMode": True,
    },
}


@contextmanager
def chromium():
    """Start Chromium, driven by Playwright; skip the test, with the reason, where one of them is not here."""
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
    """Return what a JavaScript function `(pad, given) => ...` makes of the module pad.js and some data.

    It may call `decoded(text)` for the bytes of a text in base64.
    """
    if node := shutil.which("node"):
        (folder / "given.json").write_text(json.dumps(given), encoding="utf-8")
        (folder / "pad.mjs").write_text(PAD.read_text(encoding="utf-8"), encoding="utf-8")
        (folder / "run.mjs").write_text(
            f'import * as pad from "./pad.mjs";\nimport {{ readFileSync }} from "node:fs";\n{DECODED}'
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
            f"async (given) => {{ {DECODED} return ({function})(await import({load}), given); }}", given
        )


@contextmanager
def jupyter(application, folder, environment, **options):
    """Serve a folder by a Jupyter application on a free port: yield its address, and end it at the end."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options |= {"ip": "127.0.0.1", "port": port, "port_retries": 0, "allow_root": True, "open_browser": False}
    arguments = [f"--ServerApp.{name}={value}" for name, value in options.items()]
    process = subprocess.Popen(
        [sys.executable, "-m", application, *arguments, f"--IdentityProvider.token={TOKEN}"],
        cwd=folder,
        env=os.environ | environment,
        stderr=subprocess.DEVNULL,
    )
    address = f"http://127.0.0.1:{port}"
    try:
        wait_for(f"{address}/api?token={TOKEN}", process)
        yield address
    finally:
        process.terminate()
        process.wait(30)


def wait_for(url, process):
    """Wait until a server answers: up to two minutes, on a machine that is busy."""
    for _ in range(1200):
        try:
            urlopen(url, timeout=30).close()
            return
        except URLError:
            assert process.poll() is None, "the server did not start"
            time.sleep(0.1)
    raise TimeoutError(url)


def jupyterlab(folder):
    """Serve a folder by a JupyterLab with settings of its own."""
    own = folder / ".own"
    for name, value in SETTINGS.items():
        path = own / "settings" / f"{name}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(value), encoding="utf-8")
    environment = {
        "JUPYTER_CONFIG_DIR": str(own / "config"),
        "JUPYTERLAB_SETTINGS_DIR": str(own / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(own / "workspaces"),
        "JUPYTER_PREFER_ENV_PATH": "1",
        "ASSIGNMENT1_KEEP": "1",  # as make lab
    }
    return jupyter("jupyterlab", folder, environment, root_dir=folder)


@contextmanager
def notebook(browser, name, folder):
    """Open a notebook in JupyterLab, its kernel ready; fail if the page asks anything of a network."""
    shutil.copy(ROOT / name, folder)
    shutil.copytree(ROOT / "text", folder / "text")
    size = {"width": 1300, "height": 950}
    with jupyterlab(folder) as address, browser.new_context(viewport=size) as context:
        page = context.new_page()
        asked = []
        page.set_default_timeout(PATIENCE)
        page.on("request", lambda request: asked.append(request.url))
        page.goto(f"{address}/lab/tree/{name}?token={TOKEN}")
        page.locator(".jp-Notebook .jp-Cell").last.wait_for(state="attached")
        page.locator("#jp-main-statusbar", has_text="| Idle").wait_for()  # the kernel is there
        yield page
        local = (address, address.replace("http", "ws"), "data:", "blob:")
        assert [url for url in asked if not url.startswith(local)] == []


def menu(page, *names):
    """Choose from JupyterLab's menu: again from the start where it is built anew under the pointer."""
    errors = pytest.importorskip("playwright.sync_api").Error
    for trial in range(10):
        try:
            page.locator(".lm-MenuBar-item", has_text=names[0]).click(timeout=5000)
            for name in names[1:-1]:
                page.locator(".lm-Menu-item", has_text=name).hover(timeout=5000)
            last = re.compile(f"^{re.escape(names[-1])}$")
            page.locator(".lm-Menu-itemLabel", has_text=last).click(timeout=5000)
            return
        except errors:
            if trial == 9:
                raise
            page.keyboard.press("Escape")
            page.wait_for_timeout(500)


def run_all(page):
    """Run all cells, wait for the last, and return the outputs that are errors."""
    menu(page, "Run", "Run All Cells")
    page.wait_for_function(BUSY)
    page.wait_for_function(f"() => !({BUSY})()", timeout=5 * PATIENCE)
    page.wait_for_timeout(1000)  # until the last output is there
    return page.locator(FAILED).all_inner_texts()


@contextmanager
def visited(browser, file, width, scheme):
    """Open a page of HTML from its file; fail if the browser asks for anything else, or reports an error."""
    noticed = []
    options = {"viewport": {"width": width, "height": 900}, "color_scheme": scheme}
    with browser.new_context(**options) as context:
        page = context.new_page()
        page.on("console", lambda message: noticed.append(message.text))
        page.on("pageerror", lambda error: noticed.append(str(error)))
        page.on("request", lambda request: noticed.append(request.url))
        page.goto(file.as_uri())
        yield page
    assert noticed == [file.as_uri()]


def standing(page, place):
    """Return the place of an element once it has stopped moving: what loads above it pushes it down."""
    place.scroll_into_view_if_needed()
    before = None
    frame = place.bounding_box()
    while frame != before:
        page.wait_for_timeout(300)
        place.scroll_into_view_if_needed()
        before = frame
        frame = place.bounding_box()
    return frame


def stroke(page, pad, *points):
    """Draw a line with the mouse on a pad; points go from 0 to 280."""
    frame = standing(page, pad)
    scale = frame["width"] / 280
    (x, y), *others = [(frame["x"] + scale * across, frame["y"] + scale * down) for across, down in points]
    page.mouse.move(x, y)
    page.mouse.down()
    for x, y in others:
        page.mouse.move(x, y, steps=6)
    page.mouse.up()


def told(pad, start):
    """Wait until a pad's status says a result, such as "7 with"."""
    said = pad.get_by_role("status").filter(has_text=re.compile(f"^{re.escape(start)}"))
    said.wait_for(timeout=PATIENCE)
