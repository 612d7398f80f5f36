"""The HTML page, as headless Chromium shows it: offline, on a phone, in print."""

import json
import re
import shutil
import subprocess
import unicodedata
from html.parser import HTMLParser

import pypdfium2
import pytest

import pages
from conftest import ROOT
from explore import page as pad_page
from nbtypst.reading.references import nodes
from nbtypst.reading.widgets import hashes

pytestmark = pytest.mark.slow

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
CHROMIUM = next(filter(None, map(shutil.which, NAMES)), None)
CONTROL = "http://control.invalid/seen.png"  # asked for by the test's own page: what would be noticed
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason=f"none of {NAMES} is on this machine")


class Page(HTMLParser):
    """The page's elements, and its text outside <style>."""

    def __init__(self, source):
        super().__init__()
        self.elements, self.text, self.shown, self.open = [], [], [], []  # shown: not what is folded
        self.feed(source)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        self.open.append("button" if ("class", "read") in attrs else tag)  # words for a screen reader alone

    def handle_endtag(self, tag):
        self.open.pop()
        while self.open and self.open[-1] in ("meta", "link", "img", "br", "col"):
            self.open.pop()

    def handle_data(self, data):
        if not {"style", "math", "title", "script"} & set(self.open):
            if "pre" not in self.open:  # code speaks as it is written
                self.text.append(data)
            if not {"button", "details"} & set(self.open):
                self.shown.append(data)


@pytest.fixture(scope="module")
def page(html):
    return Page(html.read_text(encoding="utf-8"))


def chromium(folder, *arguments):
    command = [str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder}"]
    done = subprocess.run([*command, *map(str, arguments)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_page_is_self_contained_and_allows_the_script_of_the_pad_alone(page, html):
    tags = [tag for tag, _ in page.elements]
    assert not {"link", "iframe", "object", "embed"} & set(tags) and tags.count("script") == 1
    (policy,) = (a["content"] for tag, a in page.elements if a.get("http-equiv") == "Content-Security-Policy")
    asked = "default-src 'none'; img-src data:; font-src data:; style-src 'unsafe-inline'; script-src {}"
    assert policy == asked.format(*hashes(pad_page.fragment()))
    assert not [name for _, attributes in page.elements for name in attributes if name.startswith("on")]
    sources = [attributes["src"] for _, attributes in page.elements if "src" in attributes]
    assert all(re.match("data:image/(svg[+]xml|png);base64,", source) for source in sources)
    source = html.read_text(encoding="utf-8")
    assert pad_page.fragment() in source and len(pad_page.fragment().encode()) <= 1_600_000
    addresses = re.findall(r"url\(.{20}", source)
    assert len(addresses) == 1 and addresses[0].startswith('url("data:font/woff2;ba')
    names = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(names) == len(set(names))
    inner = [a["href"][1:] for tag, a in page.elements if tag == "a" and a["href"].startswith("#")]
    assert len(inner) > 20 and set(inner) <= set(names)


def test_page_can_be_read_aloud(page, document):
    tags = [tag for tag, _ in page.elements]
    assert dict(page.elements)["html"] == {"lang": "en"}
    assert tags.count("main") == tags.count("nav") == tags.count("header") == tags.count("h1") == 1
    math = [attributes for tag, attributes in page.elements if tag == "math"]
    assert len(math) == sum(node["t"] == "Math" for node in nodes([block for _, block in document.blocks]))
    assert all(re.fullmatch(r"[^\\$]+", attributes["alttext"]) for attributes in math)
    images = [attributes for tag, attributes in page.elements if tag == "img"]
    assert len(images) == len(document.pictures) + 1 and all(
        image["alt"] for image in images
    )  # and the pad's
    assert all(a.get("scope") == "col" for tag, a in page.elements if tag == "th") and "th" in tags
    assert not re.search(r"\$|\\[a-zA-Z]", "".join(page.text))


def test_tables_and_figures_are_read_aloud_as_their_captions_name_them(page):
    labels = {a["aria-label"].removeprefix("Enlarge ") for _, a in page.elements if "aria-label" in a}
    numbered = {label for label in labels if re.match(r"(Table|Figure) ", label)}
    assert {"Table 1", "Table A1", "Figure 1", "Figure A1"} <= numbered
    text = "".join(page.text)
    assert [label for label in numbered if f"{label}. " not in text.replace("\xa0", " ")] == []


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_text_has_contrast(scheme):
    css = (ROOT / "nbtypst/src/nbtypst/export/page.css").read_text(encoding="utf-8")
    block = re.findall(r":root \{([^}]*--text[^}]*)\}", css)[scheme]
    colours = dict(re.findall(r"--(\w+): #(\w{6})", block))

    def luminance(colour):
        channels = [int(colour[i : i + 2], 16) / 255 for i in (0, 2, 4)]
        r, g, b = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
        return 0.2126 * r + 0.7152 * g + 0.0722 * b

    def contrast(colour):
        darker, lighter = sorted(luminance(each) for each in (colour, colours["page"]))
        return (lighter + 0.05) / (darker + 0.05)

    for name in ("text", "faint", "link"):
        assert contrast(colours[name]) >= 4.5, name
    ring = re.findall(r"outline: 3px solid #(\w+);", (ROOT / "explore/pad.css").read_text(encoding="utf-8"))
    trainer = (ROOT / "explore/trainer.js").read_text(encoding="utf-8")
    curves = re.findall(r'\b(?:BATCH_COLOUR|VALIDATION|BEFORE) = "#(\w+)"', trainer)
    for colour in (*ring, *curves):
        assert len(colour) == 6 and contrast(colour) >= 3, colour
    assert len(ring) == 1 and len(curves) == 3


@needs_chromium
def test_no_request_leaves_the_page_and_nothing_scrolls_sideways(html, tmp_path):
    frames = "".join(f'<iframe src="{html.as_uri()}" style="width:{w}px"></iframe>' for w in (320, 360, 1280))
    script = """onload = () => { document.body.textContent = JSON.stringify(Array.from(frames).map(f => {
        const root = f.document.documentElement;
        const scrolls = ".scroll, .equation, .picture, pre";
        const cut = [...root.querySelectorAll("main *")].filter(e => !e.closest(scrolls)
            && e.getBoundingClientRect().right > f.innerWidth + 1).length;
        return [f.innerWidth, root.scrollWidth, cut];
    })); };"""
    probe = tmp_path / "probe.html"
    probe.write_text(f"<body>{frames}<img src='{CONTROL}'><script>{script}</script>", encoding="utf-8")
    log = tmp_path / "net.json"
    shown = chromium(
        tmp_path / "user",
        "--allow-file-access-from-files",
        "--disable-background-networking",
        "--host-resolver-rules=MAP * ~NOTFOUND",
        f"--log-net-log={log}",
        "--dump-dom",
        probe.as_uri(),
    )
    measured = json.loads(shown.partition("<body>")[2].partition("</body>")[0])
    assert [width for width, _, _ in measured] == [320, 360, 1280]
    for width, content, cut in measured:
        assert content <= width and cut == 0, measured
    events = json.loads(log.read_text(encoding="utf-8"))["events"]
    asked = [event.get("params", {}) for event in events]
    browser = "not an origin"  # what the browser asks for itself, such as its updates
    urls = {params["url"] for params in asked if params.get("initiator", browser) != browser}
    assert urls == {CONTROL}


@needs_chromium
def test_print_cuts_nothing(html, page, tmp_path):
    printed = tmp_path / "printed.pdf"
    options = ["--no-pdf-header-footer", f"--print-to-pdf={printed}"]
    chromium(tmp_path / "user", *options, html.as_uri())
    assert {tuple(round(x) for x in p.get_size()) for p in pypdfium2.PdfDocument(printed)} == {(595, 842)}
    assert pages.outside(printed, left=72, right=72, top=60, bottom=30) == []
    text = pages.text(printed)  # in which a hyphen at the end of a line is lost: crossentropies
    there = set(pages.words(text))
    shown = unicodedata.normalize("NFKD", "".join(page.shown))
    plain = "".join(c for c in shown if not unicodedata.combining(c))
    wanted = [word for word in pages.words(plain) if len(word) > 1 and word not in ("Skip", "Contents")]
    lost = [word for word in wanted if word not in there]
    assert [word for word in lost if f"-{word}" not in plain or word not in text] == []
