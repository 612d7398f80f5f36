"""What tests in a browser share: Chromium, a page, a JupyterLab to visit, and pad.js run by itself."""

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
BUSY = """() => !document.querySelector(".jp-Notebook-ExecutionIndicator[data-status='idle']")
    || [...document.querySelectorAll('.jp-InputPrompt')].some((one) => /\\[\\*\\]/.test(one.textContent))"""
FAILED = ".jp-RenderedText[data-mime-type*='error'], .jp-OutputArea-output[data-mime-type*='stderr']"
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
        for _ in range(1200):  # two minutes, on a machine that is busy
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


@contextmanager
def notebook(browser, name, folder):
    """A notebook open in JupyterLab, its kernel ready; that it asks anything of a network fails."""
    shutil.copy(ROOT / name, folder)
    with (
        jupyterlab(folder) as address,
        browser.new_context(viewport={"width": 1300, "height": 950}) as context,
    ):
        page, elsewhere = context.new_page(), []
        page.set_default_timeout(PATIENCE)
        page.on("request", lambda request: elsewhere.append(request.url))
        page.goto(f"{address}/lab/tree/{name}?token={TOKEN}")
        page.locator(".jp-Notebook .jp-Cell").last.wait_for(state="attached")
        page.locator("#jp-main-statusbar", has_text="| Idle").wait_for()  # the kernel is there
        yield page
        local = (address, address.replace("http", "ws"), "data:", "blob:")
        assert [url for url in elsewhere if not url.startswith(local)] == []


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
    """Run all cells and wait for the last; the outputs that are errors."""
    menu(page, "Run", "Run All Cells")
    page.wait_for_function(BUSY)
    page.wait_for_function(f"() => !({BUSY})()", timeout=5 * PATIENCE)
    page.wait_for_timeout(1000)  # until the last output is there
    return page.locator(FAILED).all_inner_texts()


@contextmanager
def visited(browser, file, width, scheme):
    """A page of HTML, opened from its file; the browser asks for nothing else, and says nothing."""
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
    """Where an element is, once it has stopped moving: what loads above it pushes it down."""
    place.scroll_into_view_if_needed()
    before, frame = None, place.bounding_box()
    while frame != before:
        page.wait_for_timeout(300)
        place.scroll_into_view_if_needed()
        before, frame = frame, place.bounding_box()
    return frame


def stroke(page, pad, *points):
    """Draw a line with the mouse on a pad; points go from 0 to 280."""
    frame = standing(page, pad)
    (x, y), *others = [
        [at + p * frame["width"] / 280 for at, p in zip((frame["x"], frame["y"]), point, strict=True)]
        for point in points
    ]
    page.mouse.move(x, y)
    page.mouse.down()
    for x, y in others:
        page.mouse.move(x, y, steps=6)
    page.mouse.up()


def told(pad, start):
    """Wait until a pad's status says a result, such as "7 with"."""
    said = pad.get_by_role("status").filter(has_text=re.compile(f"^{re.escape(start)}"))
    said.wait_for(timeout=PATIENCE)
