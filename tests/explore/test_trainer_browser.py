"""The trainer in a page of HTML, used in Chromium as a reader would."""

import re

import numpy as np
import pytest

from assignment1 import LogisticRegression, load_mnist
from assignment1.run import Settings
from assignment1.training import gradient_descent
from browser import chromium, stroke, told, visited
from conftest import ROOT
from explore import page as pad_page
from nbtypst.reading.widgets import hashes

pytestmark = pytest.mark.slow

TWO = [(80, 90), (140, 40), (190, 90), (80, 230), (200, 230)]
# What changes in a while: pictures of the weights, and what is said to the ear
WATCH = """async (root, ms) => {
    const tile = root.querySelector(".trainer-weights canvas");
    const found = { pictures: new Set(), said: 0, first: 0 }, began = performance.now();
    const listener = new MutationObserver(() => { found.said++; });
    for (const one of root.querySelectorAll("[role=status], [aria-live]")) {
        listener.observe(one, { childList: true, characterData: true, subtree: true });
    }
    const before = tile.toDataURL();
    root.querySelector(".trainer-play").click();
    while (performance.now() < began + ms) {
        await new Promise(requestAnimationFrame);
        const now = tile.toDataURL();
        if (!found.first && now !== before) found.first = performance.now() - began;
        found.pictures.add(now);
    }
    return { ...found, pictures: found.pictures.size };
}"""

# How many pixels of a canvas are not black
INK = """canvas => {
    const context = new OffscreenCanvas(280, 280).getContext("2d", { willReadFrequently: true });
    context.drawImage(canvas, 0, 0);
    return context.getImageData(0, 0, 280, 280).data.filter((value, i) => value && i % 4 === 0).length;
}"""

RED_AND_BLUE = """canvas => {
    const context = new OffscreenCanvas(28, 28).getContext("2d", { willReadFrequently: true });
    context.drawImage(canvas, 0, 0);
    const pixels = context.getImageData(0, 0, 28, 28).data;
    return [0, 2].map((channel) => Array.from(pixels).filter((_, i) => i % 4 === channel));
}"""

# Of the words under a pad and in the trainer: those that the ear does not get, and what it gets beside them
UNHEARD = """part => {
    const own = [...part.querySelectorAll("p")];
    const seen = own.filter((e) => e.matches(".trainer-numbers, .pad-status, .trainer-taught"));
    const words = (all) => all.map((e) => e.textContent), told = words(own.filter((e) => e.role)).join(" ");
    const heard = words(own.filter((e) => e.ariaHidden !== "true")).join(" ");
    const beside = words(seen).reduce((left, one) => left.replaceAll(one, ""), told).trim();
    return [words(seen).filter((one) => !heard.includes(one)), beside];
}"""

# What is written on a canvas: words, their left and right end, and their line
WORDS = """canvas => {
    const text = CanvasRenderingContext2D.prototype, { fillText } = text, written = [];
    text.fillText = function (words, x, y, most = Infinity) {
        const width = Math.min(this.measureText(words).width, most);
        const left = this.textAlign === "right" ? x - width : x;
        if (this.canvas === canvas) written.push([words, left, left + width, y]);
    };
    dispatchEvent(new Event("resize"));
    text.fillText = fillText;
    return written;
}"""


@pytest.fixture(scope="module")
def browser():
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    return written(tmp_path_factory.mktemp("trainer") / "page.html", pad_page.fragment())


def written(file, fragment):
    """Write a page with the fragment alone, by the security policy that it needs."""
    (script,) = hashes(fragment)
    policy = f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src {script}"
    css = (ROOT / "nbtypst/src/nbtypst/export/page.css").read_text(encoding="utf-8")
    file.write_text(
        f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>Trainer</title>'
        f'<meta name="viewport" content="width=device-width"><style>{css}</style>'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        f"</head><body><main>{fragment}</main></body></html>",
        encoding="utf-8",
    )
    return file


@pytest.fixture(params=[(360, "dark"), (1400, "light")], ids=str)
def opened(request, browser, file):
    with visited(browser, file, *request.param) as page:
        trainer = page.locator("#trainer")
        trainer.locator(".trainer-numbers", has_text="Before the first step").wait_for()
        yield page, trainer


def bars(pad):
    return [float(text.rstrip("%")) for text in pad.locator(".pad-bars .pad-value").all_inner_texts()]


def press(trainer, name):
    trainer.get_by_role("button", name=name, exact=True).click()


def numbers(trainer):
    return trainer.locator(".trainer-numbers").inner_text()


def weights(trainer):
    return trainer.locator(".trainer-weights canvas").evaluate_all("all => all.map((c) => c.toDataURL())")


def end_of_axis(trainer):
    """Return the greatest loss that the axis shows, once the words beside it have said so."""
    words = [words for words, *_ in trainer.get_by_label("Losses").evaluate(WORDS)]
    top = max(float(word) for word in words if re.fullmatch(r"[\d.e+]+", word))
    assert f"Loss (nats, cut off at {top:g})" in trainer.locator("figcaption").first.inner_text()
    return top


def epochs(trainer, count):
    """Train so many epochs, each until it has ended."""
    trainer.get_by_label("Speed").press("End")
    for _ in range(count):
        before = numbers(trainer)
        press(trainer, "One epoch")
        trainer.page.wait_for_function(
            "before => { const now = document.querySelector('.trainer-numbers').textContent;"
            " return now !== before && now.startsWith('After epoch'); }",
            arg=before,
        )


def test_what_the_page_trains_is_what_numpy_trains_and_the_switch_takes_the_spikes_away(opened):
    page, trainer = opened
    mnist = load_mnist()
    data = mnist.binary(2, 3)
    for split in (data.train, data.validation):
        split.X[:, :784] = np.rint((split.X[:, :784] + 1) * 7.5) / 7.5 - 1
    settings = Settings(0.05, 3, shuffle=False, checks_per_epoch=31)
    run = gradient_descent(LogisticRegression(), data, settings)
    history, loss = run.history, run.history.validation_loss
    epochs(trainer, 3)
    height = loss[62:].max() - np.median(loss[62:])
    accuracy = history.validation_accuracy[-1]
    assert numbers(trainer) == (
        f"After epoch 3: validation loss {loss[-1]:.4f}, accuracy {accuracy:.1%}. "
        f"In epoch 3 the highest validation loss was {loss[62:].max():.4f}, {height:.4f} above the median."
    )
    assert height > 0.1
    example = data.validation.X[142:143]
    (shown,) = run.last.forward(example).ravel()  # the example on the pad
    assert bars(trainer) == pytest.approx([100 * shown, 100 - 100 * shown], abs=0.06)
    red, blue = np.reshape(trainer.locator(".trainer-weights canvas").evaluate(RED_AND_BLUE), (2, 784))
    w = run.last.w[:784, 0]
    strong = np.abs(w) > 0.1 * np.abs(w).max()
    assert strong.sum() > 100 and ((red > blue) == (w > 0))[strong].all()
    trainer.get_by_label("subtract the mean image").check()
    epochs(trainer, 2)
    (height,) = re.findall(r"([\d.]+) above the median", numbers(trainer))
    assert float(height) < 0.005
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_pictures_and_verdict_move_while_it_trains_and_nothing_is_said_before_it_rests(opened):
    page, trainer = opened
    assert bars(trainer) == [50, 50]
    seen = trainer.evaluate(WATCH, 2000)
    assert seen["said"] == 0
    assert seen["pictures"] >= 20 and 0 < seen["first"] < 1000  # of some 120 and 20 ms, on a busy machine
    assert bars(trainer) != [50, 50]
    press(trainer, "Pause")
    rest = numbers(trainer)
    assert rest.startswith("Epoch") or rest.startswith("After epoch")
    status = trainer.locator("> [role=status]")
    (best,) = trainer.locator(".pad-best b").all_inner_texts()
    assert (
        status.inner_text().startswith(rest) and f"{best} with {max(bars(trainer))}%" in status.inner_text()
    )
    page.wait_for_timeout(200)
    assert numbers(trainer) == rest
    press(trainer, "One step")
    assert numbers(trainer) != rest


def test_the_ear_gets_the_words_that_the_eye_sees_whatever_is_done(opened):
    page, trainer = opened
    above, slider = page.locator("#drawing-pad"), trainer.get_by_label("Epoch that is shown")
    status = trainer.locator("> [role=status]")

    def agree():
        for one in (above, trainer):
            assert one.evaluate(UNHEARD) == [[], ""]

    agree()
    assert status.inner_text() == ""  # nothing is told on loading
    for pad, words in ((trainer.locator(".pad"), "Each class"), (above, "2 with")):
        stroke(page, pad.locator(".pad-draw"), *TWO)
        agree()
        told(pad, words)
        agree()
    press(trainer, "Play")
    page.wait_for_timeout(300)
    agree()
    assert status.inner_text() == ""  # what was told is past
    mine = "Train on my drawing as 2", "One step", "Take mine out and start again"
    for name in ("Pause", "One step", *mine, "One step"):
        press(trainer, name)
        agree()
        assert numbers(trainer) in status.inner_text()
    slider.press("Home")
    agree()
    trainer.get_by_label("Task").select_option("ten")
    press(trainer, "One step")
    for task in ("two", "ten"):
        trainer.get_by_label("Task").select_option(task)
        agree()
        assert "Before the first step" in status.inner_text()
    above.get_by_role("button", name="Clear").click()
    press(trainer, "Train on my drawing as 2")
    agree()
    assert status.inner_text().endswith("Draw something first.")
    press(trainer, "Start again")
    agree()
    assert "Draw" not in status.inner_text() and "Before the first step" in status.inner_text()


def test_a_run_that_has_ended_says_so(browser, tmp_path):
    short = pad_page.fragment().replace("EPOCHS = 200", "EPOCHS = 2")
    with visited(browser, written(tmp_path / "page.html", short), 1400, "light") as page:
        trainer = page.locator("#trainer")
        trainer.locator(".trainer-numbers", has_text="Before the first step").wait_for()
        epochs(trainer, 1)
        assert "The run ends here" not in numbers(trainer)
        epochs(trainer, 1)
        for name in ("One step", "One epoch", "Play"):
            press(trainer, name)
            assert numbers(trainer).startswith("After epoch 2: ") and "The run ends here" in numbers(trainer)
        assert "The run ends here: start again." in trainer.locator("> [role=status]").inner_text()


def test_after_back_the_controls_agree_with_what_is_shown(browser, file):
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(file.as_uri())
        trainer, pad = page.locator("#trainer"), page.locator("#drawing-pad")
        trainer.locator(".trainer-numbers", has_text="Before the first step").wait_for()
        fields = page.locator("input, select")
        shown = "all => all.map((e) => [e.value, e.checked])"
        before = fields.evaluate_all(shown)
        pad.locator(".pad-slider").press("Home")
        pad.get_by_label("Why this class").select_option("7")
        pad.get_by_label("Start from a costly mistake").select_option(index=2)
        trainer.get_by_label("Task").select_option("ten")
        trainer.get_by_label("learning rate").select_option("1")
        for name in ("Centre and scale it", "black pixels count too", "shuffle before each epoch"):
            (trainer if "shuffle" in name else pad).get_by_label(name).click()
        assert fields.evaluate_all(shown) != before
        page.goto("about:blank")
        page.go_back()
        trainer.locator(".trainer-numbers", has_text="Before the first step").wait_for()
        page.wait_for_timeout(200)  # the browser restores fields at the page's end
        assert fields.evaluate_all(shown) == before


def test_with_forced_colours_what_colours_say_is_still_seen(browser, file):
    with browser.new_context(forced_colors="active") as context:
        page = context.new_page()
        page.goto(file.as_uri())
        page.locator(".trainer-numbers", has_text="Before the first step").wait_for()
        page.locator("#drawing-pad").get_by_role("button", name="Erase").click()

        def colours(names, name, pseudo=""):
            each = f"all => all.map((e) => getComputedStyle(e, {pseudo!r})[{name!r}])"
            return set(page.locator(names).evaluate_all(each))

        assert len(colours(".trainer-key", "backgroundColor", "::before")) == 3
        assert len(colours(".pad-bars .pad-bar, .pad-bars .pad-track", "backgroundColor")) == 3
        assert len(colours(".pad-why .pad-bar", "backgroundColor")) == 2
        assert len(colours(".pad-for, .pad-against", "borderBottomColor")) == 2
        assert len(colours("button[aria-pressed]", "backgroundColor")) == 2
        (chosen,) = colours(".pad-mapped", "borderTopColor")
        assert chosen not in colours(".pad-bars .pad-row:not(.pad-mapped)", "borderTopColor")


def test_with_room_between_words_and_letters_nothing_scrolls_sideways(browser, file):
    with browser.new_context(viewport={"width": 320, "height": 800}) as context:
        page = context.new_page()
        page.goto(file.as_uri())
        page.locator(".trainer-numbers", has_text="Before the first step").wait_for()
        room = "line-height: 1.5 !important; letter-spacing: .12em !important; word-spacing: .16em !important"
        page.add_style_tag(content=f"* {{ {room} }} p {{ margin-bottom: 2em !important }}")  # WCAG 1.4.12
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_one_goes_back_and_forth_through_the_epochs(opened):
    _, trainer = opened
    epochs(trainer, 2)
    second = bars(trainer)
    epochs(trainer, 1)
    last, slider = (
        (numbers(trainer), weights(trainer), bars(trainer)),
        trainer.get_by_label("Epoch that is shown"),
    )
    slider.press("ArrowLeft")
    assert numbers(trainer).startswith("After epoch 2: ")
    assert slider.get_attribute("aria-valuetext") == "after epoch 2"
    assert weights(trainer) != last[1] and bars(trainer) == pytest.approx(second, abs=0.11) != last[2]
    slider.press("Home")
    assert numbers(trainer).startswith("Before the first step") and bars(trainer) == [50, 50]
    slider.press("End")
    assert (numbers(trainer), weights(trainer), bars(trainer)) == last
    slider.press("Home")
    press(trainer, "One step")
    assert numbers(trainer).startswith("Epoch 4, step 1 of 31: ")
    assert slider.get_attribute("aria-valuetext") == "epoch 4, step 1 of 31"
    slider.press("ArrowLeft")
    assert numbers(trainer).startswith("After epoch 3: ")
    slider.press("ArrowRight")
    assert numbers(trainer).startswith("Epoch 4, step 1 of 31: ")
    press(trainer, "Start again")
    assert numbers(trainer).startswith("Before the first step")
    earlier = trainer.get_by_text("validation, the run before")
    assert earlier.is_visible()
    press(trainer, "Start again")
    assert earlier.is_hidden()  # no step was taken in the run before


def test_ten_digits_are_learned_and_a_drawing_is_judged_on_both_pads(opened):
    page, trainer = opened
    above = page.locator("#drawing-pad")
    trainer.get_by_label("Task").select_option("ten")
    epochs(trainer, 4)
    (accuracy,) = re.findall(r"accuracy ([\d.]+)%", numbers(trainer))
    assert float(accuracy) > 70
    assert len(set(weights(trainer))) == len(bars(trainer)) == 10
    stroke(page, trainer.locator(".pad-draw"), *TWO)
    told(trainer.locator(".pad"), "2 with")
    assert bars(trainer).index(max(bars(trainer))) == bars(above).index(max(bars(above))) == 2
    above.get_by_role("button", name="Clear").click()
    assert trainer.locator(".pad-status").inner_text().startswith("Nothing drawn")
    press(trainer, "Its costliest image")
    title = re.match(
        r"A validation image labelled (\d): (\d) with", trainer.locator(".pad-status").inner_text()
    )
    assert title and title[1] != title[2]


@pytest.mark.parametrize("name", ["#drawing-pad", "#trainer .pad"])
def test_a_pad_opens_with_an_example_that_makes_room_and_is_never_a_black_square(opened, name):
    page, _ = opened
    pad = page.locator(name)
    invitation, verdict = pad.locator(".pad-invitation"), pad.locator(".pad-status")

    def ink():
        return pad.locator(".pad-draw").evaluate(INK)

    example = ink()
    assert example > 5000 and verdict.inner_text().startswith("An example labelled 2: ")
    assert invitation.is_visible() and invitation.inner_text() == "Your turn: draw over it"
    stroke(page, pad.locator(".pad-draw"), (140, 40), (140, 240))
    assert invitation.is_hidden() and "example" not in verdict.inner_text()
    assert 0 < ink() < 6000  # the line alone
    pad.get_by_role("button", name="Clear").click()
    assert invitation.is_visible() and invitation.inner_text() == "Draw a digit here"
    for _ in range(2):
        pad.get_by_role("button", name="Undo").click()
    assert ink() == example and verdict.inner_text().startswith("An example labelled 2: ")
    assert invitation.is_visible() and invitation.inner_text() == "Your turn: draw over it"
    stroke(page, pad.locator(".pad-draw"), (140, 40), (140, 240))
    assert 0 < ink() < 6000  # again the line alone


def test_the_sentence_under_the_bars_never_contradicts_them(opened):
    page, _ = opened
    pad = page.locator("#drawing-pad")
    contradictions = pad.evaluate("""pad => {
        const slider = pad.querySelector(".pad-slider"), found = [];
        for (let at = 0; at <= +slider.max; at++) {
            slider.value = at;
            slider.dispatchEvent(new Event("input"));
            const best = (part) => pad.querySelector(`.pad-best ${part}`).textContent;
            const bar = `${best("b")} with ${best(".pad-value")}`;
            const says = pad.querySelector(".pad-status").textContent;
            if (!says.includes(`: ${bar}, then`)) found.push([bar, says]);
        }
        return found;
    }""")
    assert contradictions == []


def test_an_image_with_a_label_is_called_right_or_a_mistake_as_the_bars_are(opened):
    page, _ = opened
    pad = page.locator("#drawing-pad")
    slider = pad.locator(".pad-slider")
    found = set()
    for key in ("Home", *["ArrowRight"] * 8):
        slider.press(key)
        says = pad.locator(".pad-status").inner_text()
        best = pad.locator(".pad-bars .pad-best b").inner_text()
        assert says.endswith("nats.") and ("Right: it costs" in says) == (best == "2"), says
        found.add(best)
    assert len(found) > 1  # the example is not taken for 7 at each penalty
    stroke(page, pad.locator(".pad-draw"), (140, 40), (140, 240))
    assert "nats" not in pad.locator(".pad-status").inner_text()


@pytest.mark.parametrize("task", ["two", "ten"])
def test_the_trainers_example_is_the_costliest_mistake_of_its_own_task(browser, file, task):
    with visited(browser, file, 1400, "light") as page:
        trainer = page.locator("#trainer")
        trainer.locator(".trainer-numbers", has_text="Before the first step").wait_for()
        trainer.get_by_label("Task").select_option(task)
        before, drawn = trainer.locator(".pad-status").inner_text(), "c => c.toDataURL()"
        example = trainer.locator(".pad-draw").evaluate(drawn)
        share = "50.0%" if task == "two" else "10.0%"
        assert before.startswith(f"An example labelled 2: each class with {share}. It costs ")
        assert trainer.locator(".pad-best").count() == 0  # where none is better
        epochs(trainer, 10)
        says = trainer.locator(".pad-status").inner_text()
        assert says.startswith("An example labelled 2: ") and "A mistake: 2 costs" in says
        press(trainer, "Its costliest image")
        assert trainer.locator(".pad-draw").evaluate(drawn) == example


def test_a_drawing_that_is_added_is_trained_on_and_one_sees_what_it_changes(opened):
    page, trainer = opened
    taught, name = trainer.locator(".trainer-taught"), "Train on my drawing as {}"

    def chances():
        return [float(share) for share in re.findall(r"([\d.]+)%", taught.inner_text())]

    epochs(trainer, 2)
    press(trainer, name.format(3))
    assert taught.inner_text() == "Draw something first."  # the example is not the reader's
    page.locator("#drawing-pad").get_by_role("button", name="Clear").click()
    press(trainer, name.format(3))
    assert taught.inner_text() == "Draw something first."
    stroke(page, trainer.locator(".pad-draw"), *TWO)
    assert taught.inner_text().startswith("Say what")
    mine, accuracy = bars(trainer)[1], re.findall(r"accuracy ([\d.]+)%", numbers(trainer))[0]
    press(trainer, name.format(3))
    assert "3 had" in taught.inner_text() and "after epoch 2" in taught.inner_text()
    assert chances() == [mine, mine, float(accuracy), float(accuracy)]
    epochs(trainer, 1)
    before, now, then, later = chances()
    assert before == mine and now > 2 * mine and now == bars(trainer)[1]
    assert then == float(accuracy) != later
    assert taught.inner_text() in trainer.locator("> [role=status]").inner_text()
    trainer.get_by_label("Epoch that is shown").press("Home")
    assert re.findall(r"% (now|before|after epoch \d)", taught.inner_text()) == ["before", "before"]
    press(trainer, "Start again")
    assert chances()[:2] == [50, 50]  # it is there from the first step on
    out = trainer.get_by_role("button", name="Take mine out and start again", exact=True)
    out.click()
    assert out.evaluate("e => e === document.activeElement")
    epochs(trainer, 1)
    trained = numbers(trainer)
    out.click()
    assert numbers(trainer) == trained  # there is nothing to take out
    assert taught.inner_text().startswith("Say what") and bars(trainer)[1] < 50


def test_two_pads_at_two_penalties_are_drawn_on_at_once_or_each_by_itself(opened):
    page, _ = opened
    pad = page.locator("#drawing-pad")
    switch = pad.get_by_role("button", name="Two pads, two penalties")
    pad.get_by_label("Centre and scale it").uncheck()
    switch.press("Enter")
    assert not any(box.is_checked() for box in pad.get_by_label("Centre and scale it").all())
    pad.get_by_label("Centre and scale it").first.check()
    assert switch.get_attribute("aria-pressed") == "true"
    second = pad.get_by_role("group", name="Second pad")
    left, right = (one.bounding_box() for one in pad.locator(".pad-draw").all())
    if page.viewport_size["width"] > 1000:
        assert left["y"] == right["y"] and left["x"] + left["width"] < right["x"]
    else:
        assert left["x"] == right["x"] and left["y"] + left["height"] < right["y"]

    def drawn():
        return pad.locator(".pad-draw").evaluate_all("all => all.map((canvas) => canvas.toDataURL())")

    def said(one):
        values = [float(text.rstrip("%")) for text in one.locator(".pad-bars .pad-value").all_inner_texts()]
        return values[-10:]

    assert drawn()[0] == drawn()[1]  # the example, on both
    stroke(page, pad.locator(".pad-draw").first, *TWO)
    assert drawn()[0] == drawn()[1]
    switches = pad.get_by_label("Centre and scale it").all()
    for at, centred in ((0, False), (1, True)):
        switches[at].set_checked(centred)
        assert switches[1 - at].is_checked() == centred
    one, other = said(pad.locator(".pad-desk > div").first), said(second)
    assert one.index(max(one)) == other.index(max(other)) == 2 and max(one) > max(other) + 10
    first_words, second_words = pad.get_by_role("status").all()
    for words, name, share in ((first_words, "0.001", max(one)), (second_words, "1", max(other))):
        words.filter(has_text=f"λ = {name}: 2 with {share}%").wait_for(state="attached")
    second.locator(".pad-slider").press("ArrowRight")
    assert said(second) != other and said(pad.locator(".pad-desk > div").first) == one
    before = drawn()
    second.locator(".pad-draw").press("u")  # the keys of the second are those of the first
    switch.focus()  # and the brush that the keys move is gone
    assert drawn()[0] == drawn()[1] != before[1]
    pad.get_by_label("draw on both").uncheck()
    before = drawn()
    stroke(page, second.locator(".pad-draw"), (60, 60), (200, 60), (110, 240))
    after = drawn()
    assert after[0] == before[0] and after[1] != before[1]
    pad.get_by_label("draw on both").check()
    assert drawn()[0] == drawn()[1] == before[0]
    switch.click()
    assert pad.locator(".pad-draw").count() == 1 and drawn() == before[:1]
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_run_that_diverges_says_so_and_another_begins(opened):
    _, trainer = opened
    trainer.get_by_label("learning rate").select_option("3")
    trainer.get_by_label("penalty").select_option("1")
    epochs(trainer, 2)
    sums = trainer.locator(".pad-middle .pad-note").inner_text()
    assert re.search(r" add [+\u2212]\d\.\de\+\d+, a black image has", sums)
    assert not re.search(r"\d{6}", trainer.inner_text())
    axis = [word for word in trainer.get_by_label("Losses").evaluate(WORDS) if "e" in word[0][:-1]]
    huge = [word for word in axis if not word[0].startswith("epoch")]
    assert len({words for words, *_ in huge}) == len(huge) > 1
    assert min(left for _, left, *_ in huge) >= 0
    press(trainer, "Play")
    trainer.locator("> [role=status]", has_text="the loss is no longer a number").wait_for()
    assert trainer.locator(".trainer-play").inner_text() == "Play"
    trainer.get_by_label("Epoch that is shown").press("ArrowLeft")
    assert "NaN" not in trainer.inner_text() and "no longer" not in numbers(trainer)
    press(trainer, "Play")
    assert "the loss is no longer a number" in numbers(trainer)
    trainer.get_by_label("penalty \u03bb").select_option("0")
    trainer.get_by_role("combobox", name="learning rate").select_option("0.05")
    press(trainer, "Start again")
    epochs(trainer, 2)
    assert "validation loss 0.09" in numbers(trainer) and end_of_axis(trainer) < 2  # whatever was before


def test_a_while_of_large_losses_does_not_hide_those_that_follow(opened):
    _, trainer = opened
    rate = trainer.get_by_label("learning rate")
    epochs(trainer, 2)
    rate.select_option("3")
    epochs(trainer, 1)
    (highest,) = re.findall(r"highest validation loss was ([\d.]+)", numbers(trainer))
    assert float(highest) > 200
    rate.select_option("0.05")
    epochs(trainer, 4)
    assert end_of_axis(trainer) < 20


def test_the_words_of_changes_that_are_near_each_other_stand_apart(opened):
    page, trainer = opened
    stroke(page, trainer.locator(".pad-draw"), *TWO)
    rate, penalty = trainer.get_by_label("learning rate"), trainer.get_by_label("penalty")
    for value in ("0.1", "0.3"):
        epochs(trainer, 1)
        press(trainer, "Train on my drawing as 2")
        press(trainer, "Train on my drawing as 2")
        for one in (rate, penalty):
            one.select_option(value if one is rate else "0.01")
            press(trainer, "One step")
        trainer.get_by_label("shuffle before each epoch").set_checked(value == "0.1")
        rate.select_option("3")
        rate.select_option("1")
    words = trainer.get_by_label("Losses").evaluate(WORDS)
    marks = [mark for mark in words if not re.fullmatch(r"(epoch )?[\d.e+]+", mark[0])]
    assert [name for name, *_ in marks].count("my drawing \u00d72") == 2
    assert {name for name, *_ in marks} >= {"rate 0.1", "λ = 0.01", "shuffled", "rate 1", "file order"}
    assert "rate 3" not in {name for name, *_ in marks}  # it was tried by no step
    for mark, (_, left, right, line) in enumerate(marks):
        for _, other_left, other_right, other_line in marks[:mark]:
            assert abs(line - other_line) >= 12 or left > other_right or right < other_left
    assert max(line for *_, line in marks) < 150  # of 180


def test_the_trainer_is_used_by_keys_and_each_control_has_a_name(browser, file):
    with visited(browser, file, 1400, "light") as page:
        trainer, focused = page.locator("#trainer"), page.locator(":focus")
        trainer.locator(".trainer-numbers", has_text="Before the first step").wait_for()
        trainer.get_by_label("Task").focus()
        reached = []
        for _ in range(10):
            name = (
                "e => e.labels?.[0] ? [...e.labels[0].childNodes].map((n) => n.data).join('') : e.innerText"
            )
            reached.append(focused.evaluate(name).strip())
            page.keyboard.press("Tab")
        assert reached == [
            "Task",
            "learning rate",
            "penalty λ",
            "shuffle before each epoch",
            "subtract the mean image",
            "Play",
            "One step",
            "One epoch",
            "Start again",
            "Speed",
        ]
        controls = "e => [...e.querySelectorAll('canvas, input, select')]"
        unnamed = (
            f"e => ({controls})(e).filter((c) => !c.ariaLabel && !c.labels?.[0]?.innerText.trim()).length"
        )
        assert trainer.evaluate(unnamed) == 0
        trainer.locator(".trainer-play").focus()
        page.keyboard.press("Space")
        trainer.locator(".trainer-numbers", has_text="Epoch 2").wait_for()
        page.keyboard.press("Space")
        trainer.locator("> [role=status]", has_text="validation loss").wait_for(state="attached")


def test_who_wants_little_motion_sees_two_pictures_a_second(browser, file):
    with browser.new_context(reduced_motion="reduce") as context:
        page = context.new_page()
        page.goto(file.as_uri())
        trainer = page.locator("#trainer")
        trainer.locator(".trainer-numbers", has_text="Before the first step").wait_for()
        assert 2 <= trainer.evaluate(WATCH, 2000)["pictures"] <= 6


def test_in_print_and_without_script_there_is_no_trainer(browser, file):
    for options in ({}, {"java_script_enabled": False}):
        with browser.new_context(**options) as context:
            page = context.new_page()
            page.goto(file.as_uri())
            if not options:
                page.locator(".trainer-numbers", has_text="Before the first step").wait_for()
                page.emulate_media(media="print")
            assert page.locator("#trainer").is_hidden() and page.locator(".pad-still").is_visible()
