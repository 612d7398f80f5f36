"""report.html in Chromium as a reader opens it: from a file, on a phone and a screen, light and dark."""

import pytest

from browser import chromium, stroke, told, visited

pytestmark = pytest.mark.slow

SIX = [(170, 40), (110, 110), (95, 190), (140, 235), (180, 200), (150, 160), (105, 190)]


@pytest.fixture(scope="module")
def browser():
    with chromium() as started:
        yield started


@pytest.fixture(params=[(360, "light"), (360, "dark"), (1400, "light"), (1400, "dark")], ids=str)
def opened(request, browser, html):
    """Open the page on a phone and on a screen, light and dark; fail if it asks for anything else."""
    width, scheme = request.param
    with visited(browser, html, width, scheme) as page:
        yield page, width, scheme


def luminance(colour):
    """Return roughly the luminance, 0 to 1, of a CSS colour such as rgb(23, 24, 26)."""
    return sum(map(int, colour.strip("rgb()").split(","))) / 765


def test_a_stroke_changes_the_bars_and_nothing_is_cut(opened):
    page, width, scheme = opened
    pad = page.locator("#drawing-pad")
    values = pad.locator(".pad-value")
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


def test_a_wide_equation_shows_where_it_goes_on(opened):
    page, width, _ = opened
    equation = page.locator("#eq-2")
    equation.scroll_into_view_if_needed()
    left, right = ends(page, equation)
    wide = equation.evaluate("e => e.scrollWidth > e.clientWidth")
    assert wide == (width == 360) == (left != right)
    plain = left
    equation.evaluate("e => { e.scrollLeft = e.scrollWidth; }")
    page.wait_for_timeout(300)
    left, right = ends(page, equation)
    assert (left != plain) == wide and right == plain


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
        page.emulate_media(media="print")
        assert page.locator("#drawing-pad").is_hidden() and page.locator("img.pad-still").is_visible()
    with browser.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(html.as_uri())
        still = page.locator("img.pad-still")
        assert still.bounding_box()["width"] > 400 and "ten probabilities" in still.get_attribute("alt")
