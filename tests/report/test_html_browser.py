"""report.html in Chromium as a reader opens it: from a file, on a phone and a screen, light and dark."""

import re
from io import BytesIO

import numpy as np
import pypdfium2
import pytest
from PIL import Image, ImageChops

from browser import chromium, stroke, told, visited

pytestmark = pytest.mark.slow

SIX = [(170, 40), (110, 110), (95, 190), (140, 235), (180, 200), (150, 160), (105, 190)]


@pytest.fixture(scope="module")
def browser():
    with chromium() as started:
        yield started


@pytest.fixture(scope="module", params=[(360, "dark"), (1400, "light")], ids=str)
def visit(request, browser, html):
    """Open the page on a phone and on a screen, light and dark; fail if it asks for anything else."""
    width, scheme = request.param
    with visited(browser, html, width, scheme) as page:
        yield page, width, scheme


@pytest.fixture
def opened(visit):
    """Return the page at its top; each test uses another part of it, which it alone finds as it is opened."""
    page, *_ = visit
    page.evaluate("scrollTo({ top: 0, behavior: 'instant' })")
    page.locator("nav [aria-current]").wait_for(state="detached")
    return visit


def luminance(colour):
    """Return roughly the luminance, 0 to 1, of a CSS colour such as rgb(23, 24, 26)."""
    return sum(map(int, colour.strip("rgb()").split(","))) / 765


def test_a_stroke_changes_the_bars_and_nothing_is_cut(opened):
    page, width, scheme = opened
    pad = page.locator("#drawing-pad")
    values = pad.locator(".pad-bars .pad-value")
    empty = values.all_inner_texts()
    stroke(page, pad.locator(".pad-draw"), *SIX)
    told(pad, "6 with")
    drawn = [float(text.rstrip("%")) for text in values.all_inner_texts()]
    assert values.all_inner_texts() != empty and max(drawn) == drawn[6]
    assert page.locator("img.pad-still").is_hidden()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    cut = "all => all.filter((e) => e.getBoundingClientRect().right > innerWidth).length"
    assert pad.locator("*").evaluate_all(cut) == 0
    body = page.locator("body").evaluate("e => [getComputedStyle(e).color, getComputedStyle(e).background]")
    text, ground = (luminance(colour[: colour.index(")") + 1]) for colour in body)
    assert (text < 0.2 and ground > 0.9) if scheme == "light" else (text > 0.8 and ground < 0.2)


def test_pictures_are_dark_on_light_in_both_schemes(opened):
    page, *_ = opened
    grounds = page.locator("figure img").evaluate_all("all => all.map((e) => getComputedStyle(e).background)")
    assert len(grounds) > 10 and all(ground.startswith("rgb(255, 255, 255)") for ground in grounds)


def ends(page, equation):
    """Return pictures of strips as wide as the shadow, at both ends of an equation."""
    frame = equation.bounding_box()
    places = (frame["x"], frame["x"] + frame["width"] - 12)
    return [page.screenshot(clip={"x": x, "y": frame["y"], "width": 12, "height": 4}) for x in places]


def differ(one, other):
    """Tell whether two pictures differ by more than the shade by which a browser dithers a gradient."""
    pictures = [Image.open(BytesIO(png)).convert("RGB") for png in (one, other)]
    return np.asarray(ImageChops.difference(*pictures)).max() > 1


def test_a_wide_equation_shows_where_it_goes_on(opened):
    page, width, _ = opened
    equation = page.locator("#eq-2")
    equation.scroll_into_view_if_needed()
    left, right = ends(page, equation)
    wide = equation.evaluate("e => e.scrollWidth > e.clientWidth")
    assert wide == (width == 360) == differ(left, right)
    plain = left
    equation.evaluate("e => { e.scrollLeft = e.scrollWidth; }")
    page.wait_for_timeout(300)
    left, right = ends(page, equation)
    assert differ(left, plain) == wide and not differ(right, plain)


def test_math_is_set_in_the_pages_own_font_and_parentheses_stretch(opened):
    page, *_ = opened
    page.evaluate("document.fonts.ready")
    loaded = (
        "[...document.fonts].filter((f) => f.status == 'loaded').map((f) => f.family.replaceAll('\"', ''))"
    )
    assert page.evaluate(loaded) == ["Math of this page"]
    tall = "all => all.map((e) => e.getBoundingClientRect().height)"
    heights = page.locator("#eq-2 mo[form=prefix][stretchy=true]").evaluate_all(tall)
    fraction = page.locator("#eq-2 mfrac").first.evaluate("e => e.getBoundingClientRect().height")
    assert heights and max(heights) > 0.9 * fraction


def test_in_print_and_without_script_a_still_takes_the_pads_place(browser, html):
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(html.as_uri())
        page.locator("nav [href='#trainer']").wait_for()
        page.emulate_media(media="print")
        assert page.locator("nav [href='#trainer']").is_hidden()
        assert page.locator("#drawing-pad").is_hidden() and page.locator("img.pad-still").is_visible()
    with browser.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(html.as_uri())
        still = page.locator("img.pad-still")
        assert still.bounding_box()["width"] > 400 and "ten probabilities" in still.get_attribute("alt")


def test_the_contents_stay_and_show_where_one_is(opened):
    page, width, _ = opened
    contents = page.locator("nav#contents")
    marks = "all => new Set(all.map((e) => getComputedStyle(e).borderLeftColor)).size"
    assert contents.locator("a").evaluate_all(marks) == 1  # before the first section none is marked
    for place in ("task-2b", "references"):
        page.locator(f"section#{place}").evaluate("e => e.scrollIntoView()")
        page.wait_for_timeout(500)
        current = contents.locator("[aria-current]")
        assert current.get_attribute("href") == f"#{place}"
        if width > 1000:
            assert contents.locator("a").evaluate_all(marks) == 2
            page.emulate_media(forced_colors="active")
            assert contents.locator("a").evaluate_all(marks) == 2
            page.emulate_media(forced_colors="none")
            heights = contents.locator("a").evaluate_all("all => all.map((e) => e.offsetHeight)")
            assert min(heights) >= 24  # which a finger finds
            assert 0 < current.bounding_box()["y"] < 880
            assert contents.evaluate("e => e.scrollWidth <= e.clientWidth")  # no link is beyond its side
            assert (
                contents.bounding_box()["x"] + contents.bounding_box()["width"]
                <= page.locator("main").bounding_box()["x"]
            )
    contents.get_by_role("link", name="Watch it learn").press("Enter")  # a click may hit what scrolls there
    page.locator("nav [aria-current][href='#trainer']").wait_for(state="attached")
    assert page.locator("#trainer h3").bounding_box()["y"] < 200
    back = page.locator(".back")
    assert back.is_visible() == (width < 1000)
    if width < 1000:
        back.click()
        page.wait_for_timeout(300)
        assert -5 < contents.bounding_box()["y"] < 300 and contents.evaluate(
            "e => e === document.activeElement"
        )


# What lies beside the bar that leads to the contents: nothing may, in the whole width of the window
BESIDE_THE_BAR = """place => {
    scrollTo(0, place * document.documentElement.scrollHeight);
    const bar = document.querySelector(".back").getBoundingClientRect(), found = new Set();
    for (let x = 1; x < document.documentElement.clientWidth; x += 5) {
        for (const y of [bar.top + 2, (bar.top + bar.bottom) / 2, innerHeight - 1]) {
            const there = document.elementFromPoint(x, y);
            if (!there.closest(".back") && !there.matches("html, body")) found.add(there.tagName);
        }
    }
    return [bar.bottom >= innerHeight, ...found];
}"""


@pytest.mark.parametrize("width", [360, 768, 1100])
def test_the_way_back_to_the_contents_covers_no_words_and_says_where_one_is(width, browser, html):
    with visited(browser, html, width, "light") as page:
        bar = page.locator(".back")
        for place in (0.3, 0.5, 0.8):
            assert page.evaluate(BESIDE_THE_BAR, place) == [True]
        assert bar.evaluate("e => getComputedStyle(e).backgroundColor").startswith("rgb(")  # opaque
        page.locator("section#task-3d").evaluate("e => e.scrollIntoView()")
        page.locator(".back[data-at='Task 3d: Overfitting']").wait_for()
        link = page.locator("main p a").nth(20)
        link.evaluate("e => e.scrollIntoView({ block: 'end' })")
        end = link.bounding_box()["y"] + link.bounding_box()["height"]
        assert end < bar.bounding_box()["y"]  # where the keyboard leads, too, nothing is covered


def test_each_task_has_its_code_folded(opened):
    page, *_ = opened
    code = page.locator("#task-2b details.code").first
    assert page.locator("#task-2b > details.code").count() <= 3  # one for cells that follow one another
    lines = code.locator("pre").first
    assert lines.is_hidden()
    code.get_by_text("Code", exact=True).click()
    assert lines.is_visible() and "train(LogisticRegression(), digits, **settings" in code.inner_text()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_figure_enlarges_by_keys_and_its_words_are_legible_on_a_phone(opened):
    page, width, _ = opened
    figure = page.locator("figure#fig-1")
    image, button = figure.locator("img"), figure.get_by_role("button", name="Enlarge Figure 1")
    figure.scroll_into_view_if_needed()
    before = image.bounding_box()
    assert before["width"] > 480  # of 8-point type it stays 8 points
    assert figure.locator("figcaption").evaluate("e => e.getBoundingClientRect().right <= innerWidth")
    if width == 360:
        for left in (0, 50, 1000):  # a sign says that it enlarges, however far one has scrolled
            figure.locator(".picture").evaluate("(e, left) => { e.scrollLeft = left; }", left)
            frame = figure.locator(".picture").bounding_box()
            corner = {"x": frame["x"] + frame["width"] - 45, "y": frame["y"] + 8, "width": 40, "height": 20}
            assert np.asarray(Image.open(BytesIO(page.screenshot(clip=corner))).convert("L")).min() < 100
        figure.locator(".picture").evaluate("e => { e.scrollLeft = 0; }")
    button.focus()
    place = page.evaluate("scrollY")
    page.keyboard.press("Enter")
    assert image.bounding_box()["width"] > 1.5 * before["width"]
    assert page.locator(":focus").inner_text() == "Close"
    for key in ("Tab", "Tab", "Shift+Tab", "Shift+Tab", "Shift+Tab"):
        page.keyboard.press(key)
        assert page.locator("a:focus, .picture > div > button:focus, canvas:focus").count() == 0
    figure.get_by_role("button", name="Close").focus()
    for key in ("PageDown", "End", "ArrowRight", "ArrowRight", "ArrowDown"):
        page.keyboard.press(key)
    page.wait_for_timeout(200)  # while it scrolls
    enlarged = figure.locator("[popover]")
    wide, seen = enlarged.evaluate("e => [e.scrollWidth > e.clientWidth, e.scrollLeft]")
    assert page.evaluate("scrollY") == place and (seen > 0) == wide
    close = figure.get_by_role("button", name="Close").bounding_box()
    assert close["x"] >= 0 and close["y"] >= 0 and close["x"] + close["width"] <= width
    page.keyboard.press("Escape")
    assert image.bounding_box() == before and page.evaluate("scrollY") == place
    assert button.evaluate("e => e === document.activeElement")
    button.click()
    figure.get_by_role("button", name="Close").click()
    assert image.bounding_box()["width"] == before["width"]


def test_the_caption_of_a_wide_table_stays_where_its_table_scrolls(opened):
    page, width, _ = opened
    boxes = page.locator("figure > .scroll")
    wide = boxes.evaluate_all("all => all.filter((e) => e.scrollWidth > e.clientWidth + 1).length")
    assert wide if width == 360 else wide == 0
    outside = """all => all.filter((box) => {
        const caption = box.parentElement.querySelector("figcaption");
        const before = caption.getBoundingClientRect();
        box.scrollLeft = 1000;
        const after = caption.getBoundingClientRect();
        return before.left !== after.left || after.right > innerWidth;
    }).length"""
    assert boxes.count() > 7 and boxes.evaluate_all(outside) == 0


def test_a_mark_after_a_formula_stays_with_it(opened):
    page, *_ = opened
    kept = page.locator("main .kept")
    assert (
        kept.count() > 40
        and kept.evaluate_all("all => Math.max(...all.map((e) => e.getClientRects().length))") == 1
    )
    loose = (
        "all => all.filter((e) => /^[,.;:!?)]/.test(e.nextSibling?.data ?? '') && !e.closest('.kept')).length"
    )
    assert page.locator("main math").evaluate_all(loose) == 0


def test_the_hat_of_y_has_its_size(opened):
    page, *_ = opened
    hats = """all => all.map((e) => {
        const size = (part) => parseFloat(getComputedStyle(part).fontSize);
        return size(e.lastElementChild) / size(e);
    })"""
    sizes = page.locator("main mover[accent]").evaluate_all(hats)
    assert len(sizes) > 20 and min(sizes) == 1


def test_in_print_no_head_of_a_table_stands_alone(browser, html, tmp_path):
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(html.as_uri())
        page.pdf(path=tmp_path / "report.pdf", prefer_css_page_size=True)
    starts = re.compile(r"^Table (\w+)\. ", re.M)
    document = pypdfium2.PdfDocument(tmp_path / "report.pdf")
    found = 0
    for sheet in document:
        content = sheet.get_textpage().get_text_range()
        for match in starts.finditer(content):
            found += 1
            below = content[match.end() :].split("\n")
            assert len(below) > 5, match[0]
    assert found > 7
