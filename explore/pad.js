// A drawing pad for linear classifiers of 28 by 28 images: ten probabilities, and what each pixel says for a class.
// An anywidget (default export) and, by mount(), part of any page. No library, no build step, nothing from a network.

export const GRID = 280; // the drawing: a square of GRID by GRID, ink 0 to 255
export const SIDE = 28; // what the model sees
const PIXEL = GRID / SIDE, BOX = 20, UNDO = 50;

// ---- The drawing, and the image that the model sees of it ---------------------------------------------------------

const inside = (at) => Math.min(Math.max(Math.round(at), 0), GRID);
/** Ink along a segment, with a round brush; or, with `erase`, none. */
export function stroke(ink, [x0, y0], [x1, y1], radius, erase = false) {
  const dx = x1 - x0, dy = y1 - y0, length2 = dx * dx + dy * dy || 1, reach = radius + 1;
  const range = (a, b) => [inside(Math.min(a, b) - reach), inside(Math.max(a, b) + reach)];
  const [left, right] = range(x0, x1), [top, bottom] = range(y0, y1);
  for (let y = top; y < bottom; y++) {
    for (let x = left; x < right; x++) {
      const px = x + 0.5 - x0, py = y + 0.5 - y0;
      const t = Math.min(Math.max((px * dx + py * dy) / length2, 0), 1);
      const cover = Math.min(Math.max(radius + 0.5 - Math.hypot(px - t * dx, py - t * dy), 0), 1);
      const i = y * GRID + x;
      ink[i] = erase ? Math.min(ink[i], 255 * (1 - cover)) : Math.max(ink[i], 255 * cover);
    }
  }
}

/** The drawing of a 28 by 28 image: each pixel a square. */
export function enlarge(pixels) {
  const square = (i) => Math.floor(Math.floor(i / GRID) / PIXEL) * SIDE + Math.floor((i % GRID) / PIXEL);
  return Uint8Array.from({ length: GRID * GRID }, (_, i) => pixels[square(i)]);
}

/** A function that gives the mean ink of the square with its corner at (x, y) and sides s: no ink lies outside. */
function means(ink) {
  const width = GRID + 1, sums = new Float64Array(width * width);
  for (let y = 0; y < GRID; y++) {
    let row = 0;
    for (let x = 0; x < GRID; x++) {
      row += ink[y * GRID + x];
      sums[(y + 1) * width + x + 1] = sums[y * width + x + 1] + row;
    }
  }
  const sum = (x, y) => { // of all ink above and left of (x, y)
    x = Math.min(Math.max(x, 0), GRID);
    y = Math.min(Math.max(y, 0), GRID);
    const i = Math.min(Math.floor(x), GRID - 1), j = Math.min(Math.floor(y), GRID - 1), a = x - i;
    const along = (at) => (1 - a) * sums[at] + a * sums[at + 1];
    return (1 - y + j) * along(j * width + i) + (y - j) * along((j + 1) * width + i);
  };
  return (x, y, s) => Math.max(sum(x + s, y + s) - sum(x, y + s) - sum(x + s, y) + sum(x, y), 0) / (s * s);
}

/** The drawing as it is, made small: 28 by 28. */
export function shrink(ink) {
  const mean = means(ink);
  return Uint8Array.from({ length: SIDE * SIDE }, (_, i) =>
    Math.round(mean((i % SIDE) * PIXEL, Math.floor(i / SIDE) * PIXEL, PIXEL)));
}

/** The drawing as MNIST's images were made: scaled into a box of 20 by 20, its centre of mass moved to the centre. */
export function centre(ink) {
  const image = new Uint8Array(SIDE * SIDE);
  let left = GRID, right = -1, top = GRID, bottom = -1;
  ink.forEach((value, i) => {
    if (!value) return;
    const x = i % GRID, y = (i - x) / GRID;
    left = Math.min(left, x); right = Math.max(right, x + 1);
    top = Math.min(top, y); bottom = Math.max(bottom, y + 1);
  });
  if (right < 0) return image;
  const mean = means(ink), s = Math.max(right - left, bottom - top) / BOX;
  const count = (size) => Math.ceil(size / s - 1e-9), cols = count(right - left), rows = count(bottom - top);
  const x0 = (left + right - cols * s) / 2, y0 = (top + bottom - rows * s) / 2;
  const small = Array.from({ length: rows * cols }, (_, i) =>
    Math.round(mean(x0 + (i % cols) * s, y0 + Math.floor(i / cols) * s, s)));
  let mass = 0, mx = 0, my = 0;
  small.forEach((value, i) => { mass += value; mx += value * (i % cols); my += value * Math.floor(i / cols); });
  const offset = (moment, size) => Math.min(Math.max(Math.ceil(13.5 - moment / (mass || 1) - 1e-9), 0), SIDE - size);
  const ox = offset(mx, cols), oy = offset(my, rows);
  small.forEach((value, i) => { image[(oy + Math.floor(i / cols)) * SIDE + ox + (i % cols)] = value; });
  return image;
}

// ---- The model ----------------------------------------------------------------------------------------------------

export const bytes = (data) => new Uint8Array(data.buffer ?? data, data.byteOffset ?? 0, data.byteLength);

/** Bytes by way of a stream that deflates or inflates them. */
export const through = async (data, stream) => bytes(await new Response(new Blob([data]).stream().pipeThrough(stream)).arrayBuffer());

/** Weights, models x 785 x K, of float64, or of int16 with a scale for each model; a Float64Array for each model. */
export function decode(weights, K, scales) {
  const buffer = bytes(weights).slice().buffer, size = 785 * K;
  const all = scales.length ? new Int16Array(buffer) : new Float64Array(buffer);
  return Array.from({ length: all.length / size }, (_, m) =>
    Float64Array.from(all.subarray(m * size, (m + 1) * size), (value) => value * (scales[m] ?? 1)));
}

/** The logit of each class: the sum of weight times pixel, pixels from -1 (black) to 1 (white), and the bias. */
export function logits(pixels, w, K) {
  const z = Array.from(w.subarray(784 * K));
  for (let i = 0; i < 784; i++) {
    const x = (pixels[i] / 255) * 2 - 1;
    for (let k = 0; k < K; k++) z[k] += x * w[i * K + k];
  }
  return z;
}

/** Softmax. */
export function probabilities(pixels, w, K) {
  const z = logits(pixels, w, K), largest = Math.max(...z), e = z.map((value) => Math.exp(value - largest));
  const sum = e.reduce((a, b) => a + b);
  return e.map((value) => value / sum);
}

/** What each pixel adds to the logit of class k: weight times pixel; or, of `ink` alone, more than black would add. */
export function contributions(pixels, w, K, k, ink) {
  return Float64Array.from({ length: 784 }, (_, i) => w[i * K + k] * ((pixels[i] / 255) * 2 - (ink ? 0 : 1)));
}

/**
 * The image, 0 to 255, that takes the smallest change (the least sum of squares) until class b has a larger logit than class a; undefined if
 * none has. Pixels move against the difference of the two classes' weights, in proportion to it, as far as black and white allow.
 */
export function fool(pixels, w, K, a, b) {
  const moved = (far) => Uint8ClampedArray.from(pixels, (value, i) => value - far * (w[i * K + a] - w[i * K + b]));
  const tipped = (image) => { const z = logits(image, w, K); return z[b] > z[a]; };
  let low = 0, high = 1;
  while (!tipped(moved(high))) {
    if (high > 1e9) return undefined;
    high *= 2;
  }
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    if (tipped(moved(middle))) high = middle;
    else low = middle;
  }
  return Uint8Array.from(moved(high));
}

// ---- Pictures -----------------------------------------------------------------------------------------------------

const rgb = (r, g, b) => (0xff000000 | (b << 16) | (g << 8) | r) >>> 0;
function paint(canvas, pixel) {
  const context = canvas.getContext("2d"), image = context.createImageData(canvas.width, canvas.height);
  const all = new Uint32Array(image.data.buffer);
  for (let i = 0; i < all.length; i++) all[i] = pixel(i);
  context.putImageData(image, 0, 0);
}
const grey = (canvas, values) => paint(canvas, (i) => rgb(values[i], values[i], values[i]));

const SHADES = 256; // on either side of white
const COLOURS = Uint32Array.from({ length: 2 * SHADES + 1 }, (_, i) => {
  const end = i > SHADES ? [178, 24, 43] : [33, 102, 172], t = Math.abs(i / SHADES - 1) ** 0.8;
  return rgb(...end.map((channel) => 255 + t * (channel - 255)));
});
/** Red for above 0, blue for below, white for 0: the values from `first` on, one in `every`. */
export function signed(canvas, values, limit, first = 0, every = 1) {
  const scale = SHADES / (limit || 1);
  paint(canvas, (i) => COLOURS[SHADES + Math.round(Math.min(Math.max(values[first + i * every] * scale, -SHADES), SHADES))]);
}

/** A new element: its tag, attributes, and children. */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  if ("autocomplete" in element) element.autocomplete = "off"; // or a browser, of a page gone back to, restores the fields and nothing else
  element.append(...children);
  return element;
}

/** Tell the ear, by a status, what the eye sees in some elements; without words, they are read where they stand. */
export function hear(status, words, ...seen) {
  if (status.textContent === words) return;
  status.textContent = words;
  for (const element of seen) element.setAttribute("aria-hidden", words !== "");
}

const fact = ([name, value]) => h("tr", {}, h("th", { scope: "row" }, name), h("td", {}, value));
export const picture = (label, size = SIDE) => h("canvas", { width: size, height: size, role: "img", "aria-label": label });
export const percent = (p) => `${(100 * p).toFixed(1)}%`;
/** What class k costs at these logits, in nats. */
function cost(z, k) {
  const top = Math.max(...z);
  return Math.log(z.reduce((sum, value) => sum + Math.exp(value - top), 0)) + top - z[k];
}
/** A number of so many decimals, or, where it is large, of two digits. */
export const decimal = (value, digits) => (value < 1e4 ? value.toFixed(digits) : value.toExponential(1));
const number = (v) => (v < 0 ? "\u2212" : "+") + decimal(Math.abs(v), 2);

/** Show probabilities in rows, one for each class; the best is marked if there is one. */
function fillRows(all, shares) {
  const best = Math.max(...shares), alone = shares.some((share) => share < best);
  all.forEach(({ row, bar, value }, i) => {
    bar.style.width = value.textContent = percent(shares[i]);
    row.classList.toggle("pad-best", alone && shares[i] === best);
  });
}

// ---- The pad ------------------------------------------------------------------------------------------------------

/**
 * Put the pad into `root`. The configuration: `classes` (K names), `weights` and, if they are rounded, `scales` (see decode), `models` (for
 * each a name, the group it belongs to and `facts`, pairs of name and value), `at` (the model shown first), `images`
 * (784 bytes each), `titles` (theirs: the first `random` are any images, the others costly mistakes), `ink` (a drawing
 * or nothing), `fresh` (whether that makes room for the first stroke), `example` (an image that does, in its place), `sources` (buttons for more
 * images: a name, and a function that gives pixels, a title and the label), `why` (whether two classes are compared), `second` (the model
 * that a second pad begins with, if there may be one) and `gallery` (whether the weights are shown).
 * `changed(state)` is called when a stroke or a choice is made. Returns what others may do with the pad.
 */
export function mount(root, config, changed = () => {}) {
  const { classes, models, titles } = config, K = classes.length, W = decode(config.weights, K, config.scales ?? []);
  const images = bytes(config.images), state = { at: config.at, ink: new Uint8Array(GRID * GRID), centred: true, fresh: false, loaded: "", label: "" };
  state.fooled = false; // whether that has switched the centring off
  let drawn; // the image before it was changed to fool the model
  let pixels, probability, shown = -1, onlyInk = true, erasing = false, following = false, past = [], later;
  let brush = [GRID / 2, GRID / 2], from = null, down = false, keys = false; // down: the pen that the keyboard moves

  // Controls
  const button = (name, act, more = {}) => h("button", { type: "button", onclick: act, ...more }, name);
  const box = (name, checked, act) =>
    h("label", {}, h("input", { type: "checkbox", checked, onchange: (e) => act(e.target.checked) }), " ", name);
  const pad = h("canvas", {
    class: "pad-draw", width: GRID, height: GRID, tabindex: 0, role: "application",
    "aria-label": "Drawing pad. Arrow keys move the brush, with Shift further; "
      + "Space puts it down and lifts it; U undoes, C clears.",
  });
  const size = h("input", { type: "range", min: 4, max: 30, value: 12, "aria-label": "Brush size" });
  const eraser = button("Erase", () => {
    erasing = !erasing;
    eraser.setAttribute("aria-pressed", erasing);
  }, { "aria-pressed": "false" });
  const option = (title, i) => h("option", { value: i }, title);
  const begin = () => costly.value && load(+costly.value);
  const costly = h("select", { "aria-label": "Start from a costly mistake", onchange: begin },
    h("option", { value: "" }, "a costly mistake\u2026"), ...titles.map(option).slice(config.random));
  const verdict = h("p", { class: "pad-status" }); // for the eye at once, for the ear at rest
  const status = h("p", { class: "pad-said", role: "status", "aria-live": "polite" });
  const invitation = h("span", { class: "pad-invitation", "aria-hidden": "true" });
  const seen = picture("What the model sees"), map = picture("What each pixel says");
  const sums = h("p", { class: "pad-note" });

  const show = (k) => () => { shown = k; judge(); };
  const radio = (k, name) =>
    h("input", { type: "radio", name: group, "aria-label": name, checked: k === shown, onchange: show(k) });
  const group = `pad-${Math.random().toString(36).slice(2)}`;
  /** A row for a class: a bar as long as its probability, and the number. */
  const rows = classes.map((name, k) => {
    const bar = h("span", { class: "pad-bar" }), value = h("span", { class: "pad-value" }), track = h("span", { class: "pad-track" }, bar);
    return { bar, value, row: h("label", { class: "pad-row" }, radio(k, `map for ${name}`), h("b", {}, name), track, value) };
  });
  const about = "Probabilities; the class chosen here is the one that the map shows", likeliest = "map for the most probable";
  const bars = h("div", { class: "pad-bars", role: "radiogroup", "aria-label": about },
    ...rows.map((r) => r.row), h("label", { class: "pad-row pad-winner" }, radio(-1, likeliest), likeliest));

  // Choosing a model: which family, and how far along it
  const families = [...new Set(models.map((m) => m.group))];
  const members = (name) => models.flatMap((m, i) => (m.group === name ? [i] : []));
  const pick = (at) => { choose(at); report(); };
  const turn = () => { fill(); pick(along()); };
  const family = h("select", { "aria-label": "What the slider moves", onchange: turn }, ...families.map((f) => h("option", {}, f)));
  const slider = h("input", { type: "range", min: 0, step: 1, class: "pad-slider", oninput: () => pick(along()) });
  const along = () => members(family.value)[+slider.value], facts = h("table", { class: "pad-facts" });
  const which = h("span", { class: "pad-which" }), note = h("p", { class: "pad-note" });
  function fill() { slider.max = members(family.value).length - 1; }
  const tiles = classes.map((name) => picture(`weights for ${name}`));
  const named = (canvas, ...words) => h("figure", {}, canvas, h("figcaption", {}, ...words));
  const gallery = h("div", { class: "pad-gallery" }, ...tiles.map((tile, k) => named(tile, classes[k])));

  // Why one class and not another
  const list = (label, first) => h("select", { "aria-label": label, onchange: judge }, h("option", { value: "" }, first), ...classes.map(option));
  const asked = list("Why this class", "the most probable"), rival = list("And not this class", "the runner-up");
  const difference = picture("What each pixel says for one class and not the other");
  const between = h("figcaption");
  const parts = Array.from({ length: 4 }, () => {
    const name = h("span", { class: "pad-part" }), bar = h("span", { class: "pad-bar" }), value = h("span", { class: "pad-sum" });
    return { name, bar, value, row: h("div", { class: "pad-row" }, name, h("span", { class: "pad-track pad-middle-out" }, bar), value) };
  });
  const odds = h("p", { class: "pad-note" });
  const trick = button("Fool it", () => {
    const [a, b] = compared(), found = fool(pixels, W[state.at], K, a, b);
    if (!found) { odds.textContent = `No change makes it ${classes[b]}.`; return; }
    const first = drawn ?? pixels;
    keep();
    switchCentring(false, state.fooled || state.centred); // the model is to see these very pixels
    drawn = first;
    put(enlarge(found));
  });
  const why = h("div", { class: "pad-why" },
    h("p", {}, "Why ", asked, " and not ", rival, "?"),
    h("div", { class: "pad-reasons" }, h("figure", {}, difference, between), h("div", {}, ...parts.map((part) => part.row), odds)),
    h("p", {}, trick, " by the smallest change of the image that puts the second class before the first."));
  /** The two classes that are compared. */
  function compared() {
    const order = classes.map((_, i) => i).toSorted((a, b) => probability[b] - probability[a]);
    const a = asked.value ? +asked.value : order.find((k) => k !== +(rival.value || -1));
    return [a, rival.value ? +rival.value : order.find((k) => k !== a)];
  }
  function compare() {
    for (const [one, { value }] of [[asked, rival], [rival, asked]]) { // no class is compared with itself
      for (const each of one.options) each.disabled = value && each.value === value;
    }
    const [a, b] = compared(), w = W[state.at], z = logits(pixels, w, K), of = (k) => contributions(pixels, w, K, k, true), other = of(b);
    const says = of(a).map((value, i) => value - other[i]), sum = (sign) => says.reduce((all, value) => all + Math.max(sign * value, 0), 0);
    const total = z[a] - z[b], values = [sum(1), -sum(-1), total - sum(1) + sum(-1), total], limit = Math.max(...values.map(Math.abs)) || 1;
    const names = [`strokes for ${classes[a]}`, `strokes for ${classes[b]}`, "a black image", "in all"];
    signed(difference, says, says.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0));
    difference.setAttribute("aria-label", `What each pixel says for ${classes[a]} and not ${classes[b]}: ${number(total)} in all`);
    between.textContent = `red for ${classes[a]}, blue for ${classes[b]}`;
    parts.forEach(({ name, bar, value }, i) => {
      name.textContent = names[i];
      value.textContent = number(values[i]);
      bar.style.width = `${(50 * Math.abs(values[i])) / limit}%`;
      bar.style.marginLeft = `${50 + (50 * Math.min(values[i], 0)) / limit}%`;
      bar.classList.toggle("pad-minus", values[i] < 0);
    });
    const ratio = Math.exp(Math.abs(total)), times = ratio < 1e4 ? ratio.toFixed(ratio < 10 ? 1 : 0) : ratio.toExponential(0);
    odds.textContent = `The logit of ${classes[a]} less that of ${classes[b]}: between the two, ${times} to 1 for ${classes[total < 0 ? b : a]}.`;
  }

  // A second pad beside this one, with a model of its own, and one drawing or two
  let other, both = true;
  const echo = h("p", { class: "pad-echo", "aria-hidden": "true" }); // what the second says, where it is out of sight
  const twin = box("draw on both", true, (on) => { both = on; pass(false); });
  const compareModels = button("Two pads, two penalties", () => {
    const on = !other, place = h("div", { role: "group", "aria-label": "Second pad" });
    if (on) {
      desk.append(place);
      other = mount(place, { ...config, second: undefined, why: false, at: config.second, like: { ...state, ink: state.ink.slice(), at: config.second },
        heard: (words) => { echo.textContent = words; },
        paired: (pen, going) => { if (both) { follow(pen, going); if (!going) report(); } } });
    } else {
      desk.lastChild.remove();
      other = undefined;
      echo.textContent = "";
    }
    root.classList.toggle("pad-pair", on);
    compareModels.setAttribute("aria-pressed", on);
    twin.hidden = !on;
  }, { "aria-pressed": "false" });
  twin.hidden = true;

  root.classList.add("pad");
  root.setAttribute("data-lm-suppress-shortcuts", "true"); // JupyterLab's own keys stay away
  const choice = h("div", { class: "pad-choice" }, families.length > 1 ? family : families[0], slider, which);
  const centring = box("Centre and scale it, as MNIST was", true, (on) => { switchCentring(on); update(); report(); });
  const starts = [titles.length ? button("Random image", () => load(Math.floor(Math.random() * config.random))) : "",
    titles.length > config.random ? costly : "",
    ...(config.sources ?? []).map(([name, give]) => button(name, () => {
      const [found, title, label] = give();
      renew();
      put(enlarge(found), title, label);
    }))];
  const sides = [h("span", { class: "pad-for" }, "red for"), ", ", h("span", { class: "pad-against" }, "blue against")];
  const desk = h("div", { class: "pad-desk" }, h("div", {},
    config.gallery && models.length > 1 ? choice : "",
    h("div", { class: "pad-top" },
      h("div", { class: "pad-left" }, h("div", { class: "pad-paper" }, pad, invitation),
        h("div", { class: "pad-tools" }, button("Undo", undo), button("Clear", clear), eraser, h("label", { class: "pad-size" }, "Brush ", size)),
        h("div", { class: "pad-tools" }, ...starts),
        centring),
      h("div", { class: "pad-right" }, bars, verdict, echo, status),
      h("div", { class: "pad-middle" },
        named(seen, "what the model sees"), named(map, ...sides),
        h("div", {}, sums, box("black pixels count too", false, (on) => { onlyInk = !on; judge(); })))),
    config.gallery ? h("div", { class: "pad-below" }, facts, gallery, note) : ""));
  root.replaceChildren(config.second >= 0 ? h("div", { class: "pad-tools" }, compareModels, twin) : "", desk, config.why ? why : "");

  // What is shown
  function choose(at) {
    state.at = at;
    family.value = models[at].group;
    fill();
    slider.value = members(models[at].group).indexOf(at);
    slider.setAttribute("aria-label", models[at].group);
    slider.setAttribute("aria-valuetext", models[at].name);
    which.textContent = models[at].name;
    facts.replaceChildren(...models[at].facts.map(fact));
    const w = W[at], limit = w.subarray(0, 784 * K).reduce((a, b) => Math.max(a, Math.abs(b)), 0);
    if (config.gallery) tiles.forEach((tile, k) => signed(tile, w, limit, k, K));
    note.textContent = `The weights, on one scale: red ${limit.toPrecision(2)}, white 0, blue \u2212${limit.toPrecision(2)}.`;
    update();
  }
  function update() {
    pixels = state.centred ? centre(state.ink) : shrink(state.ink);
    grey(seen, pixels);
    judge();
    draw();
  }
  function draw() {
    grey(pad, state.ink);
    invitation.textContent = state.fresh ? "Your turn: draw over it" : "Draw a digit here";
    invitation.hidden = !state.fresh && (from !== null || state.ink.some(Boolean));
    if (keys) {
      const context = pad.getContext("2d");
      context.beginPath();
      context.arc(...brush, Math.max(+size.value, 6), 0, 7);
      for (const [colour, width] of [["#000", 7], [down ? "#ff9d00" : "#7fd4ff", 3]]) { // seen on ink, too
        Object.assign(context, { strokeStyle: colour, lineWidth: width });
        context.stroke();
      }
    }
  }
  /** Show what the model makes of the image. */
  function judge() {
    probability = probabilities(pixels, W[state.at], K);
    const best = probability.indexOf(Math.max(...probability)), k = shown < 0 ? best : shown;
    fillRows(rows, probability);
    rows.forEach(({ row }, i) => row.classList.toggle("pad-mapped", i === k));
    const says = contributions(pixels, W[state.at], K, k, onlyInk), total = says.reduce((a, b) => a + b, 0);
    signed(map, says, says.reduce((a, b) => Math.max(a, Math.abs(b)), 0));
    const all = logits(pixels, W[state.at], K), z = all[k], label = classes.indexOf(state.label);
    map.setAttribute("aria-label", `What each pixel says for ${classes[k]}: ${number(total)} in all`);
    sums.textContent = `Class ${classes[k]}: ${onlyInk ? "the strokes add" : "all pixels add"} ${number(total)}, `
      + `${onlyInk ? "a black image has" : "the bias is"} ${number(z - total)}: in all ${number(z)}.`;
    const order = classes.map((_, i) => i).toSorted((a, b) => probability[b] - probability[a]);
    const say = (i) => `${classes[i]} with ${percent(probability[i])}`, alike = probability[order[0]] === probability[order.at(-1)];
    const found = alike ? `each class with ${percent(1 / K)}.` : `${say(order[0])}, then ${say(order[1])}.`;
    const judged = alike ? "It" : best === label ? "Right: it" : `A mistake: ${state.label}`;
    verdict.textContent = `${drawn ? changes() : state.loaded}${state.ink.some(Boolean) ? "" : "Nothing drawn: "}${found}`.replace(/^each class/, "Each class")
      + (label < 0 ? "" : ` ${judged} costs ${decimal(cost(all, label), 2)} nats.`);
    if (config.why) compare();
    const told = keys && status.textContent.startsWith(where()) ? where() : ""; // where the pen is stays true
    if (status.textContent !== told) {
      hear(status, "", verdict); // until it is told anew
      status.textContent = told;
    }
    config.heard?.(whose());
  }
  function changes() {
    const most = drawn.reduce((far, value, i) => Math.max(far, Math.abs(value - pixels[i])), 0);
    return `Changed by at most ${most} of 255 shades a pixel: `;
  }
  /** Tell the ear what was found, once the pen rests; of one that has only moved, where it is. */
  function tell(moved = false) {
    clearTimeout(later);
    later = setTimeout(() => {
      if (moved) status.textContent = where();
      else hear(status, `${keys ? where() : ""}${other || config.paired ? whose() : verdict.textContent}`, verdict);
    }, 300);
  }
  function where() {
    const [column, row] = brush.map((at) => Math.min(Math.floor(at / PIXEL), SIDE - 1) + 1);
    return `${erasing ? "Eraser" : "Pen"} ${down ? "down" : "up"}, column ${column}, row ${row}. `;
  }
  const whose = () => `${models[state.at].name}: ${verdict.textContent}`;
  /** Tell the ear, and the state to who wants it. */
  function report() {
    tell();
    changed({ ...state, pixels });
    pass(false);
  }

  /** Have the drawing on the pad beside this one, too; `going` on, if the pen is still down. */
  function pass(going) {
    config.paired?.(state, going);
    if (!other || !both) return;
    other.follow(state, going);
    if (!going) other.tell();
  }

  // Drawing
  function keep() {
    past = [...past.slice(1 - UNDO), [{ ...state, ink: state.ink.slice() }, drawn]];
    drawn = undefined;
    costly.value = "";
    if (state.fresh && !erasing) state.ink.fill(0); // the example makes room for the first stroke
    Object.assign(state, { fresh: false, loaded: "", label: "" }); // what is drawn over is no longer that image
  }
  function switchCentring(on, fooled = false) {
    Object.assign(state, { centred: on, fooled });
    drawn = undefined; // it was seen as it was centred, or not
    centring.querySelector("input").checked = on;
  }
  /** Make room for another image, which is centred unless the reader has switched that off. */
  function renew() {
    keep();
    if (state.fooled) switchCentring(true);
  }
  /** Have a drawing on the pad, and its title in the verdict, as another pad shows them; a stroke that is still `going` is one to undo. */
  function follow({ ink, centred, fooled, fresh = false, loaded = "", label = "" }, going = false) {
    const begins = !following, same = ink.every((value, i) => value === state.ink[i]);
    following = going;
    if (same && centred === state.centred) return;
    if (begins && !same) keep();
    Object.assign(state, { ink: ink.slice(), fresh, loaded, label });
    switchCentring(centred, fooled);
    update();
  }
  function put(ink, loaded = "", label = "") {
    Object.assign(state, { ink, loaded, label, fresh: false });
    update();
    report();
  }
  /** Open with an image that makes room for the first stroke. */
  function open(ink, label) {
    Object.assign(state, { ink, loaded: `An example labelled ${label}: `, label, fresh: true });
  }
  /** Judge by other weights, of this shape, from now on. */
  function learn(w) {
    W[state.at] = w;
    judge();
  }
  function undo() {
    if (!past.length) return;
    const [before, image] = past.pop();
    Object.assign(state, before, { at: state.at });
    switchCentring(state.centred, state.fooled);
    drawn = image;
    costly.value = "";
    update();
    report();
  }
  function clear() {
    renew();
    if (erasing) eraser.click();
    put(new Uint8Array(GRID * GRID));
  }
  const labelOf = (i) => titles[i].replace(/ taken for .*$/, "");
  const image = (i) => enlarge(images.subarray(784 * i, 784 * (i + 1)));
  function load(i) {
    renew();
    if (i >= config.random) costly.value = i;
    put(image(i), `An image labelled ${labelOf(i)}: `, labelOf(i));
  }
  const place = (event) => {
    const frame = pad.getBoundingClientRect();
    return [((event.clientX - frame.left) / frame.width) * GRID, ((event.clientY - frame.top) / frame.height) * GRID];
  };
  function line(to, erase = erasing) {
    stroke(state.ink, from ?? to, to, +size.value, erase);
    from = to;
  }
  function move() {
    update();
    pass(true);
  }
  let held; // the pointer that draws: another finger, or a thumb that rests on the page, changes nothing
  pad.addEventListener("pointerdown", (event) => {
    if (event.button === 1 || held !== undefined) return;
    held = event.pointerId;
    event.preventDefault();
    pad.setPointerCapture(event.pointerId);
    keys = down = false;
    keep();
    from = null;
    line(place(event), erasing || event.button !== 0);
    move();
  });
  pad.addEventListener("pointermove", (event) => {
    if (!from || event.pointerId !== held) return;
    for (const e of event.getCoalescedEvents?.() ?? []) line(place(e), erasing || event.buttons > 1);
    line(place(event), erasing || event.buttons > 1);
    move();
  });
  const lift = () => { if (from) { from = null; report(); } };
  for (const name of ["pointerup", "pointercancel", "lostpointercapture"]) {
    pad.addEventListener(name, (event) => { if (event.pointerId === held) { held = undefined; lift(); } });
  }
  pad.addEventListener("contextmenu", (event) => event.preventDefault());
  pad.addEventListener("focus", () => { keys = pad.matches(":focus-visible"); draw(); });
  pad.addEventListener("blur", () => { keys = down = false; draw(); lift(); });
  pad.addEventListener("keydown", (event) => {
    const far = event.shiftKey ? 25 : 5, key = event.key.toLowerCase(), command = event.ctrlKey || event.metaKey;
    if (event.altKey || (command && (event.shiftKey || key !== "z"))) return; // the browser's own
    const step = { ArrowLeft: [-far, 0], ArrowRight: [far, 0], ArrowUp: [0, -far], ArrowDown: [0, far] }[event.key];
    const act = { u: undo, c: clear, z: command ? undo : null }[key];
    if (!step && !act && key !== " ") return;
    event.preventDefault();
    keys = true;
    if (act) {
      down = false;
      from = null;
      act();
    } else if (step) {
      brush = brush.map((at, axis) => Math.min(Math.max(at + step[axis], 0), GRID));
      if (down) line([...brush]);
    } else if ((down = !down)) {
      keep();
      from = null;
      line([...brush]);
    }
    if (!act) update();
    if (down) report();
    else if (from) lift();
    else if (step) tell(true);
  });
  root.addEventListener("keydown", (event) => event.stopPropagation());

  if (config.like) Object.assign(state, config.like);
  else if (config.example >= 0) open(image(config.example), labelOf(config.example));
  else if (config.fresh) Object.assign(state, { ink: bytes(config.ink).slice(), loaded: "An example: ", fresh: true });
  choose(state.at);
  if (config.ink?.byteLength && !config.fresh) put(bytes(config.ink).slice());
  if (config.like) switchCentring(state.centred, state.fooled);
  return { choose: pick, follow, keep, learn, tell, open: (image28, label) => { open(enlarge(image28), label); update(); }, put, seen: () => pixels, state };
}

/** The widget: its traits are the configuration, the large ones deflated; `ink`, `pixels`, `centred` and `at` follow the pen. */
async function render({ model, el }) {
  const inflate = (name) => through(model.get(name), new DecompressionStream("deflate"));
  const names = ["classes", "scales", "models", "at", "titles", "random", "fresh", "gallery"];
  const [weights, images, ink] = await Promise.all(["weights", "images", "ink"].map(inflate));
  let mine = false, theirs = false, pad, before;
  const send = (traits) => {
    mine = true;
    for (const [name, value] of Object.entries(traits)) model.set(name, value);
    model.save_changes();
    mine = false;
  };
  const changed = ({ at, centred, fresh, pixels, ink: drawing }) => {
    if (!pad) return; // still being made
    send({ at, centred, fresh, pixels: new DataView(pixels.buffer) });
    if (theirs) return;
    const deflated = through(drawing, new CompressionStream("deflate"));
    before = Promise.all([deflated, before]).then(([{ buffer }]) => send({ ink: new DataView(buffer) })); // in their order
  };
  pad = mount(el, { ...Object.fromEntries(names.map((name) => [name, model.get(name)])), weights, images, ink }, changed);
  const follow = {
    "change:ink": async () => {
      if (mine) return;
      const latest = model.get("ink"), given = await inflate("ink");
      if (latest !== model.get("ink") || given.every((value, i) => value === pad.state.ink[i])) return;
      theirs = true; // and is not sent back: another may have come since
      pad.keep(); // for Undo, which else takes back more than that
      pad.put(given);
      theirs = false;
    },
    "change:at": () => !mine && pad.choose(model.get("at")),
  };
  for (const [event, act] of Object.entries(follow)) model.on(event, act);
  return () => { for (const [event, act] of Object.entries(follow)) model.off(event, act); };
}

export default { render };
