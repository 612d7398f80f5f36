"""report.ipynb in JupyterLab, used in Chromium as a student would: exported, run, changed and run again."""

import re
import shutil

import pytest

from browser import TOKEN, chromium, jupyterlab
from conftest import ROOT

BUSY = """() => !document.querySelector(".jp-Notebook-ExecutionIndicator[data-status='idle']")
    || [...document.querySelectorAll('.jp-InputPrompt')].some((one) => /\\[\\*\\]/.test(one.textContent))"""
FAILED = ".jp-RenderedText[data-mime-type*='error'], .jp-OutputArea-output[data-mime-type*='stderr']"
MARK = "No longer true"
MINUTES = 5 * 60_000  # of a machine that has other work too


@pytest.fixture
def lab(tmp_path_factory):
    """The report open in JupyterLab, and the addresses asked for elsewhere."""
    folder = tmp_path_factory.mktemp("lab")
    shutil.copy(ROOT / "report.ipynb", folder)
    with chromium() as browser, jupyterlab(folder) as address:
        page, elsewhere = browser.new_page(viewport={"width": 1300, "height": 900}), []
        page.on("request", lambda request: elsewhere.append(request.url))
        page.goto(f"{address}/lab/tree/report.ipynb?token={TOKEN}")
        page.locator(".jp-Notebook .jp-Cell").last.wait_for(timeout=120_000, state="attached")
        page.locator(".jp-Notebook-ExecutionIndicator[data-status='idle']").wait_for(timeout=60_000)
        yield page
        local = (address, address.replace("http", "ws"), "data:", "blob:")
        assert [url for url in elsewhere if not url.startswith(local)] == []


def menu(page, *names):
    """Choose from JupyterLab's menu."""
    page.locator(".lm-MenuBar-item", has_text=names[0]).click()
    for name in names[1:-1]:
        page.locator(".lm-Menu-item", has_text=name).hover()
    page.locator(".lm-Menu-item", has_text=names[-1]).click()


def downloaded_to(page, folder):
    """Have Chromium put downloads there: JupyterLab opens a page for each that Playwright does not see."""
    session = page.context.browser.new_browser_cdp_session()
    for name in session.send("Target.getBrowserContexts")["browserContextIds"]:
        behaviour = {"behavior": "allow", "downloadPath": str(folder), "browserContextId": name}
        session.send("Browser.setDownloadBehavior", behaviour)


def run_all(page):
    """Run all cells and wait for the last; how many cells failed, and what is marked."""
    page.locator(".lm-MenuBar-item", has_text="Run").click()
    page.locator(".lm-Menu-itemLabel", has_text=re.compile("^Run All Cells$")).click()
    page.wait_for_function(BUSY, timeout=60_000)
    page.wait_for_function(f"() => !({BUSY})()", timeout=MINUTES)
    page.wait_for_timeout(1000)  # until the last output is there
    return page.locator(FAILED).count(), page.locator(".jp-RenderedMarkdown", has_text=MARK).all_inner_texts()


@pytest.mark.parametrize("name, label", [("pdf", "Accessible PDF (Typst)"), ("html", "Accessible HTML page")])
def test_the_file_menu_gives_the_exporters_bytes_under_readmes_names(name, label, lab, request, tmp_path):
    ours = request.getfixturevalue(name)
    assert label in (ROOT / "README.md").read_text(encoding="utf-8")
    target = tmp_path / f"report.{name}"
    downloaded_to(lab, tmp_path)
    menu(lab, "File", "Save and Export Notebook As", label)
    for _ in range(400):
        if target.exists():
            break
        lab.wait_for_timeout(200)
    assert [path.name for path in tmp_path.iterdir()] == [target.name]
    assert target.read_bytes() == ours.read_bytes()


def test_with_another_patience_all_cells_run_and_what_no_longer_holds_is_marked(lab):
    cell = lab.locator(".jp-CodeCell", has_text="settings = dict(").filter(has_text="shuffle=False").first
    cell.locator(".cm-line", has_text="patience=10)").click()
    for key in ("End", "ArrowLeft", "Backspace", "Backspace", "5"):
        lab.keyboard.press(key)
    assert "patience=5)" in cell.locator(".cm-content").inner_text()
    failed, marked = run_all(lab)
    assert failed == 0 and len(marked) > 1
