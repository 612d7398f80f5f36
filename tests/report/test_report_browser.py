"""report.ipynb in JupyterLab, used in Chromium as a student would: exported, run, changed and run again."""

import pytest

from browser import chromium, menu, notebook, run_all
from conftest import ROOT

pytestmark = pytest.mark.slow

IN_VIEW = "e => e.getBoundingClientRect().bottom > 0 && e.getBoundingClientRect().top < innerHeight"


@pytest.fixture
def lab(tmp_path_factory):
    with chromium() as browser, notebook(browser, "report.ipynb", tmp_path_factory.mktemp("lab")) as page:
        yield page


def downloaded_to(page, folder):
    """Send downloads to a folder: JupyterLab opens a page for each, which Playwright does not see."""
    session = page.context.browser.new_browser_cdp_session()
    for name in session.send("Target.getBrowserContexts")["browserContextIds"]:
        behaviour = {"behavior": "allow", "downloadPath": str(folder), "browserContextId": name}
        session.send("Browser.setDownloadBehavior", behaviour)


def test_the_file_menu_gives_the_exporters_bytes_under_readmes_names(lab, pdf, html, tmp_path):
    for ours, label in ((pdf, "Accessible PDF (Typst)"), (html, "Accessible HTML page")):
        assert label in (ROOT / "README.md").read_text(encoding="utf-8")
        folder = tmp_path / label
        folder.mkdir()
        target = folder / f"report{ours.suffix}"
        downloaded_to(lab, folder)
        menu(lab, "File", "Save and Export Notebook As", label)
        for _ in range(400):
            if target.exists():
                break
            lab.wait_for_timeout(200)
        assert [path.name for path in folder.iterdir()] == [target.name]
        assert target.read_bytes() == ours.read_bytes()


def test_with_another_patience_all_cells_run_and_what_no_longer_holds_is_marked(lab):
    cell = lab.locator(".jp-CodeCell", has_text="settings = dict(").filter(has_text="shuffle=False").first
    cell.locator(".cm-line", has_text="patience=10)").click()
    for key in ("End", "ArrowLeft", "Backspace", "Backspace", "5"):
        lab.keyboard.press(key)
    assert "patience=5)" in cell.locator(".cm-content").inner_text()
    assert run_all(lab) == []
    assert lab.locator(".jp-RenderedMarkdown", has_text="No longer true").count() > 1
    last = lab.locator(".jp-Notebook .jp-Cell").last
    assert "No longer true" in last.inner_text() and "before," in last.inner_text()
    last.get_by_role("link", name="2d.answer").first.click()
    told = lab.locator(".jp-CodeCell", has_text='say("2d.answer")')
    lab.wait_for_function(IN_VIEW, arg=told.element_handle())


def test_after_an_error_the_line_at_the_top_and_the_last_cell_lead_to_the_cell(lab):
    cell = lab.locator(".jp-CodeCell", has_text="positive, negative = 2, 3").first
    cell.locator(".cm-line").first.click()
    lab.keyboard.press("Home")
    lab.keyboard.type("1 / 0; ")
    assert len(run_all(lab)) == 1
    last = lab.locator(".jp-Notebook .jp-Cell").last
    number = cell.locator(".jp-InputPrompt").inner_text().strip().rstrip(":")
    words = f"In {number} ended in an error, ZeroDivisionError: division by zero"
    assert lab.get_by_text(words).count() == 2 and words in last.inner_text()
    last.get_by_role("link", name="ended in an error").click()
    lab.wait_for_function(IN_VIEW, arg=cell.element_handle())
