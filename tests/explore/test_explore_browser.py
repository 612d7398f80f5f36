"""explore.ipynb in JupyterLab, and the pad in a page of HTML, used in Chromium as a student would."""

import re

import numpy as np
import pytest

from assignment1 import load_mnist
from assignment1.mnist import preprocess
from browser import chromium, menu, notebook, run_all, stroke, told, visited
from conftest import ROOT
from explore import page as pad_page
from explore.pad import DIGITS, starts
from nbtypst.reading.widgets import hashes
from study.optima import load_optima

pytestmark = pytest.mark.slow

FOUR = ([(60, 60), (50, 150), (150, 150)], [(135, 50), (125, 250)])
SEVEN = ([(60, 60), (200, 60), (110, 240)],)

SHADES = """canvas => {
    const context = new OffscreenCanvas(28, 28).getContext("2d", { willReadFrequently: true });
    context.drawImage(canvas, 0, 0);
    return Array.from(context.getImageData(0, 0, 28, 28).data).filter((_, i) => i % 4 === 0);
}"""

# Which keys the pad takes from the browser
TAKEN = """(pad, keys) => keys.filter((words) => {
    const [key, ...held] = words.split("+").reverse();
    const down = { key, ctrlKey: held.includes("Ctrl"), metaKey: held.includes("Meta") };
    const more = { shiftKey: held.includes("Shift"), altKey: held.includes("Alt"), cancelable: true };
    return !pad.dispatchEvent(new KeyboardEvent("keydown", { ...down, ...more }));
})"""
# The lightest that a canvas has in a box
LIGHT = """(canvas, box) => {
    const { data } = canvas.getContext("2d").getImageData(...box);
    return Math.max(...data.filter((_, i) => i % 4 < 3));
}"""


@pytest.fixture(scope="module")
def browser():
    with chromium() as started:
        yield started


def bars(pad):
    """Return the probabilities that the pad shows for its own model, in percent."""
    own = pad.locator(".pad-bars").first.locator(".pad-value")
    return [float(text.rstrip("%")) for text in own.all_inner_texts()]


def pictures(pad):
    """Return the contents of the weights' images."""
    return pad.locator(".pad-gallery canvas").evaluate_all("all => all.map((canvas) => canvas.toDataURL())")


def draw(page, pad, strokes):
    for points in strokes:
        stroke(page, pad.locator(".pad-draw"), *points)


# The page


@pytest.fixture(params=[(360, "dark"), (1400, "light")], ids=str)
def opened(request, browser, tmp_path):
    """Open a page with nothing but the pad, by the security policy that the pad needs."""
    width, scheme = request.param
    (script,) = hashes(pad_page.fragment())
    policy = f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src {script}"
    css = (ROOT / "nbtypst/src/nbtypst/export/page.css").read_text(encoding="utf-8")
    file = tmp_path / "page.html"
    file.write_text(
        f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>Pad</title><style>{css}</style>'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        f"</head><body><main>{pad_page.fragment()}</main></body></html>",
        encoding="utf-8",
    )
    with visited(browser, file, width, scheme) as page:
        yield page, page.locator("#drawing-pad")


def test_in_the_page_the_bars_follow_the_pen_and_the_slider(opened):
    page, pad = opened
    empty = bars(pad)
    draw(page, pad, FOUR)
    told(pad, "4 with")
    drawn = bars(pad)
    assert abs(sum(drawn) - 100) < 1 and drawn != empty and max(drawn) == drawn[4]
    before = pictures(pad)
    pad.locator(".pad-slider").press("Home")
    assert (
        pad.locator(".pad-which").inner_text() == "λ = 1" and pictures(pad) != before and bars(pad) != drawn
    )
    costly = pad.get_by_label("Start from a costly mistake")
    for _ in range(2):
        costly.select_option(index=2)
        assert costly.input_value() != ""
        stroke(page, pad.locator(".pad-draw"), *SEVEN[0])
        assert costly.input_value() == ""  # it is drawn over, and can be chosen again
    pad.locator(".pad-slider").press("End")
    pad.get_by_role("button", name="Random image").click()
    assert max(bars(pad)) > 30
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_cleared_pad_is_drawn_on_whatever_was_erased(opened):
    page, pad = opened
    draw(page, pad, FOUR)
    eraser = pad.get_by_role("button", name="Erase")
    for pressed in ("true", "false"):
        eraser.click()
        assert eraser.get_attribute("aria-pressed") == pressed
    eraser.click()
    pad.get_by_role("button", name="Clear").click()
    assert eraser.get_attribute("aria-pressed") == "false"
    draw(page, pad, FOUR)
    told(pad, "4 with")


def test_the_pad_says_why_one_class_and_not_another_and_is_fooled(opened):
    _, pad = opened
    why, verdict = pad.locator(".pad-why"), pad.locator(".pad-status")
    why.get_by_label("Why this class").select_option("7")
    why.get_by_label("And not this class").select_option("2")
    before = bars(pad)
    model, mnist = load_optima()[0.001], load_mnist()
    worst = starts(model, mnist.softmax().validation, DIGITS, 20, 1).images[-1]  # the pad opens with it
    z, black = model.logits(preprocess(np.stack([worst, np.zeros_like(worst)])))[:, [7, 2]]
    sums = [float(text.replace("\u2212", "-")) for text in why.locator(".pad-sum").all_inner_texts()]
    assert sums[0] > 0 > sums[1] and sum(sums[:3]) == pytest.approx(sums[3], abs=0.02)
    assert sums[2:] == pytest.approx([black[0] - black[1], z[0] - z[1]], abs=0.02)
    assert why.locator("figcaption").inner_text() == "red for 7, blue for 2"
    assert why.locator("option:disabled").evaluate_all("all => all.map((e) => e.value)") == ["2", "7"]
    why.get_by_role("button", name="Fool it").click()
    after = bars(pad)
    assert after[2] >= after[7] and before[7] > before[2]
    assert verdict.inner_text().startswith("Changed by at most ")
    pad.get_by_role("button", name="Undo").click()
    assert bars(pad) == before and pad.get_by_label("Centre and scale it").is_checked()


def test_a_pad_fooled_twice_tells_the_whole_change_and_the_next_image_is_centred_again(opened):
    page, pad = opened
    trainer = page.locator("#trainer")
    verdicts = [one.locator(".pad-status") for one in (pad, trainer)]
    switches = [one.get_by_label("Centre and scale it") for one in (pad, trainer)]
    seen = pad.get_by_label("What the model sees")
    fool = pad.get_by_role("button", name="Fool it")

    def fooled():
        fool.click()
        assert not any(switch.is_checked() for switch in switches)
        return int(re.findall("^Changed by at most (\\d+) ", verdicts[0].inner_text())[0])

    draw(page, pad, SEVEN)
    before = np.array(seen.evaluate(SHADES))
    for _ in range(2):
        most = fooled()
        assert most == np.abs(np.array(seen.evaluate(SHADES)) - before).max()
        assert not verdicts[1].inner_text().startswith("Changed")  # it has another model
    assert most > 10
    pad.get_by_role("button", name="Undo").click()
    assert fooled() == most
    for one, name in ((pad, "Clear"), (pad, "Random image"), (trainer, "Random image"), (trainer, "Clear")):
        one.get_by_role("button", name=name).click()
        assert all(switch.is_checked() for switch in switches), name
        fooled()
    switches[0].check()
    assert not verdicts[0].inner_text().startswith("Changed")  # as a whole, it is now another image
    switches[0].uncheck()
    pad.get_by_role("button", name="Clear").click()
    assert not switches[0].is_checked()  # as the reader has left it


def test_the_pad_can_be_drawn_on_and_understood_without_a_mouse(browser, tmp_path):
    file = tmp_path / "page.html"
    file.write_text(f"<html lang='en'><body>{pad_page.fragment()}</body></html>", encoding="utf-8")
    page = browser.new_page()
    page.goto(file.as_uri())
    pad, focused = page.locator("#drawing-pad"), page.locator(":focus")
    page.keyboard.press("Tab")
    assert focused.inner_text() == "Two pads, two penalties"
    page.keyboard.press("Tab")
    assert "Penalty" in focused.get_attribute("aria-label")
    page.keyboard.press("Tab")
    assert "Arrow keys" in focused.get_attribute("aria-label")
    for key in ["Shift+ArrowUp"] * 3 + ["Space"] + ["ArrowDown"] * 30 + ["Space"]:
        page.keyboard.press(key)
    told(pad, "Pen up, column 15, row 22. 1 with")
    drawn, paper = bars(pad), pad.locator(".pad-draw")
    assert paper.evaluate(LIGHT, [140, 200, 1, 1]) == 0  # the brush is seen on white ink
    page.keyboard.press("ArrowRight")
    told(pad, "Pen up, column 15, row 22. ")
    theirs = ["c", "C", "u", "Shift+Z", "Shift+C", "ArrowLeft", "y"]
    browsers = [f"{held}+{key}" for held in ("Ctrl", "Meta", "Alt") for key in theirs]
    assert paper.evaluate(TAKEN, browsers) == [] and bars(pad) == drawn
    page.keyboard.press("Space")
    page.keyboard.press("u")  # the pen that was down is up
    page.keyboard.press("ArrowLeft")
    told(pad, "Pen up, column 15, row 22.")
    page.keyboard.press("u")
    assert bars(pad) != drawn and paper.evaluate(TAKEN, ["Ctrl+z", "Meta+z"]) == ["Ctrl+z", "Meta+z"]
    reached = set()
    for _ in range(9):
        page.keyboard.press("Tab")
        reached.add(focused.evaluate("e => e.ariaLabel || e.labels?.[0]?.innerText.trim() || e.innerText"))
    wanted = {"Undo", "Clear", "Erase", "Brush size", "Random image", "Start from a costly mistake"}
    wanted |= {"Centre and scale it, as MNIST was", "map for the most probable", "black pixels count too"}
    assert reached == wanted
    controls = "e => [...e.querySelectorAll('canvas, input, select')]"
    assert pad.evaluate(f"e => ({controls})(e).filter(c => !c.ariaLabel && !c.labels?.length).length") == 0


def test_a_finger_draws_and_does_not_scroll_the_page(browser, tmp_path):
    file = tmp_path / "page.html"
    file.write_text(f"<html lang='en'><body>{pad_page.fragment()}</body></html>", encoding="utf-8")
    with browser.new_context(has_touch=True, viewport={"width": 360, "height": 600}) as context:
        page = context.new_page()
        page.goto(file.as_uri())
        pad = page.locator("#drawing-pad")
        frame, send = pad.locator(".pad-draw").bounding_box(), context.new_cdp_session(page).send
        for i in range(20):  # a line upwards, as one scrolls
            at = {
                "x": frame["x"] + frame["width"] / 2,
                "y": frame["y"] + frame["height"] * (0.9 - i * 0.04),
                "id": 0,
            }
            kind = "touchMove" if i % 10 else "touchStart"
            second = {"x": frame["x"] + 30, "y": frame["y"] + 30 + i, "id": 1}
            send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [at, second][: 1 + i // 10]})
        send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
        told(pad, "1 with")
        assert page.evaluate("scrollY") == 0
        assert (
            pad.locator(".pad-draw").evaluate(LIGHT, [0, 0, 100, 280]) == 0
        )  # a second finger draws nothing
        pad.get_by_role("button", name="Clear").click()
        thumb = {"x": 4, "y": frame["y"] + 40, "id": 2}  # it rests beside the pad
        send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [thumb]})
        for i in range(10):
            at = {"x": frame["x"] + 140, "y": frame["y"] + 60 + 15 * i, "id": 3}
            kind = "touchMove" if i else "touchStart"
            send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [thumb, at]})
        send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
        told(pad, "1 with")


def test_without_script_the_page_has_a_still(browser, tmp_path):
    file = tmp_path / "page.html"
    file.write_text(f"<html lang='en'><body>{pad_page.fragment()}</body></html>", encoding="utf-8")
    with browser.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(file.as_uri())
        still = page.locator("#drawing-pad + figure img")
        assert still.bounding_box()["width"] > 400 and "ten probabilities" in still.get_attribute("alt")


# JupyterLab


@pytest.fixture(scope="module")
def lab(browser, tmp_path_factory):
    """Open explore.ipynb in JupyterLab and run all its cells."""
    with notebook(browser, "explore.ipynb", tmp_path_factory.mktemp("lab")) as page:
        assert run_all(page) == []
        page.locator(".jp-OutputArea details").first.wait_for()
        for number in range(3):  # none opens black
            pad = page.locator(".pad").nth(number)
            assert pad.locator(".pad-status").inner_text().startswith("An example: ")
            assert pad.locator(".pad-invitation").inner_text() == "Your turn: draw over it"
        yield page


def test_all_cells_of_the_notebook_run(lab):
    assert lab.get_by_text("Traceback").count() == 0
    assert lab.get_by_text("Error displaying widget").count() == 0
    assert lab.locator(".pad").count() == 3


def test_in_jupyterlab_a_stroke_changes_the_probabilities_and_python_sees_it(lab):
    pad = lab.locator(".pad").nth(0)
    pad.get_by_role("button", name="Clear").click()  # of what another test drew
    empty = bars(pad)
    draw(lab, pad, SEVEN)
    told(pad, "7 with")
    assert bars(pad) != empty and max(bars(pad)) == bars(pad)[7]
    cell = lab.locator(".jp-CodeCell", has_text="model.predict(pad.image)")
    cell.locator(".cm-content").click()
    lab.keyboard.press("Control+Enter")
    cell.locator(".jp-OutputArea-output", has_text="[7]").wait_for()
    pad.locator(".pad-draw").focus()
    cells = lab.locator(".jp-Cell").count()
    for key in ("b", "Space", "ArrowRight", "Space", "c"):  # JupyterLab's shortcut b adds a cell
        lab.keyboard.press(key)
    assert lab.locator(".jp-Cell").count() == cells and bars(pad) == empty


def test_in_jupyterlab_the_slider_changes_the_weights_and_the_drawings_probabilities(lab):
    pad = lab.locator(".pad").nth(1)
    pad.get_by_role("button", name="Clear").click()
    draw(lab, pad, SEVEN)
    told(lab.locator(".pad").nth(0), "7 with")  # the pads share one drawing, by way of the kernel
    seen = []
    for key in ("Home", "End"):
        pad.locator(".pad-slider").press(key)
        seen.append(
            (
                pad.locator(".pad-which").inner_text(),
                pictures(pad),
                bars(pad),
                pad.locator(".pad-facts").inner_text(),
            )
        )
    (first, *one), (last, *other) = seen
    assert (first, last) == ("λ = 1", "λ = 0.00001")
    assert all(a != b for a, b in zip(one, other, strict=True))
    pad.get_by_label("What the slider moves").select_option("No penalty, stopped after")
    pad.locator(".pad-slider").press("Home")
    assert pad.locator(".pad-which").inner_text() == "1 epoch" and pictures(pad) not in (one[0], other[0])


def test_in_jupyterlab_undo_takes_back_what_was_drawn_last_on_either_pad(lab):
    first, second = (lab.locator(".pad").nth(number) for number in range(2))
    first.get_by_role("button", name="Clear").click()
    draw(lab, first, FOUR)
    told(first, "4 with")
    told(second, "4 with")
    before = bars(first)
    draw(lab, second, ([(20, 20), (260, 20)],))
    lab.wait_for_timeout(2000)
    assert bars(first) != before
    first.get_by_role("button", name="Undo").click()
    assert bars(first) == before
    told(second, "4 with")


def test_in_jupyterlab_a_run_is_stopped_and_kept(lab):
    draw(lab, lab.locator(".pad").nth(0), SEVEN)
    lab.get_by_label("epochs", exact=True).fill("1000")
    lab.keyboard.press("Tab")
    lab.get_by_label("patience (0: none)").fill("0")
    lab.keyboard.press("Tab")
    status = lab.locator("[role=status]", has_text="all epochs done, in epoch 5")
    status.wait_for()
    train = lab.locator("button[title=Train]")
    for size, said in (("1e9", "batch size is 1000000000; expected"), ("128", "all digits")):
        lab.get_by_label("batch size").fill(size)
        lab.keyboard.press("Tab")
        train.click()
        lab.locator("[role=status]", has_text=said).wait_for()
    lab.locator("[role=status]", has_text="of 1000").wait_for()
    lab.get_by_text("Your drawing: ").wait_for()  # beside the weights, while it trains
    seen = lab.get_by_label("look at run").input_value()
    lab.wait_for_timeout(1500)
    assert seen == "1: all digits, learning rate 0.05, epochs 5"
    lab.locator("button[title='Stop and keep']").click()
    lab.locator("[role=status]", has_text="interrupted, in epoch").wait_for()
    lab.locator("pre", has_text="SoftmaxRegression: interrupted").wait_for()
    lab.locator("img[alt='Losses and accuracies; runs: 2']").wait_for()


def test_saved_and_opened_again_the_notebook_shows_its_pads(lab):
    with lab.expect_response(lambda response: response.request.method == "PUT"):
        menu(lab, "File", "Save Notebook")
    lab.reload()
    lab.locator(".jp-Notebook .jp-Cell").last.wait_for(state="attached")
    for number in range(3):
        lab.locator(".pad").nth(number).locator(".pad-value").first.wait_for()
    assert lab.get_by_text("Error displaying widget").count() == 0


def test_the_saved_notebook_is_small_and_does_not_grow_when_all_is_run_again(lab):
    sizes = []
    for _ in range(2):
        assert run_all(lab) == []
        with lab.expect_response(lambda response: response.request.method == "PUT") as saved:
            menu(lab, "File", "Save Notebook")
        sizes.append(saved.value.json()["size"])
    assert lab.locator(".pad").count() == 3
    assert abs(sizes[1] - sizes[0]) < 1000 and sizes[1] < 2**20
