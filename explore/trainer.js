// A trainer: mini-batch gradient descent for linear classifiers, a step at a time in the reader's browser, with what a step changes.
// Part of a page, after pad.js and in one script with it (see page.py). No library, no build step, nothing from a network.
import { decimal, h, hear, mount, percent, picture, probabilities, SIDE, signed, through } from "./pad.js";

const PIXELS = SIDE * SIDE, UNIT = (2 * 17) / 255; // an input is UNIT times 4 bits of ink, and an offset: -1, or minus the mean

// ---- The algorithm ------------------------------------------------------------------------------------------------

/** Images of 4 bits a pixel, a byte for a pixel and the one below it, as lists of the pixels that have ink: where, and how much. */
export function unpack(packed) {
  const count = (2 * packed.length) / PIXELS, start = new Uint32Array(count + 1), pixels = new Uint8Array(count * PIXELS);
  let inked = 0, end = 0;
  for (let above = 0, i = 0; above < pixels.length; above += 2 * SIDE) {
    for (let x = above; x < above + SIDE; x++, i++) {
      pixels[x] = packed[i] >> 4;
      pixels[x + SIDE] = packed[i] & 15;
      inked += (pixels[x] > 0) + (pixels[x + SIDE] > 0);
    }
  }
  const at = new Uint16Array(inked), ink = new Uint8Array(inked);
  for (let n = 0, p = 0; n < count; n++) {
    for (let i = 0; i < PIXELS; i++, p++) {
      if (pixels[p]) { at[end] = i; ink[end++] = pixels[p]; }
    }
    start[n + 1] = end;
  }
  return { start, at, ink, count };
}

/** An image, 0 to 255. */
export function pixelsOf({ start, at, ink }, image) {
  const pixels = new Uint8Array(PIXELS);
  for (let j = start[image]; j < start[image + 1]; j++) pixels[at[j]] = 17 * ink[j];
  return pixels;
}

/** The two tasks of packed images. `labels` (a digit a letter, in file order) are of all images of the pair, and of the first of the file. */
export function tasks(images, { pair, labels }) {
  const two = {}, ten = {};
  let next = 0;
  for (const [split, { pairs, first }] of Object.entries(labels)) {
    const is = (digit) => pair.includes(digit), begin = next, others = begin + pairs.length;
    let inPair = begin;
    next = others;
    two[split] = { rows: Uint32Array.from(pairs, (_, i) => begin + i), targets: Uint8Array.from(pairs, (digit) => +(digit === pair[0])) };
    ten[split] = { rows: Uint32Array.from(first, (digit) => (is(digit) ? inPair++ : next++)), targets: Uint8Array.from(first) };
  }
  return { two: { images, K: 1, ...two }, ten: { images, K: 10, ...ten } };
}

/** Whole numbers below a bound, by chance: mulberry32. */
function dice(seed) {
  return (bound) => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * bound);
  };
}

/**
 * A model in training from zero weights: logistic regression (K = 1, target 1 or 0) or softmax regression. `settings` are rate, lambda,
 * batch, shuffle and centred; they may change at any time, except that the order of images is that of its epoch, and `centre` changes the inputs.
 */
export class Learner {
  constructor({ images, train, validation, K }, settings) {
    Object.assign(this, { images, train, validation, K, extra: [], settings: { batch: 128, lambda: 0, ...settings }, steps: 0 });
    this.w = new Float64Array((PIXELS + 1) * K);
    this.order = Uint32Array.from(train.rows.keys());
    this.roll = dice(settings.seed ?? 0);
    this.perEpoch = Math.floor(train.rows.length / this.settings.batch);
    const sums = new Float64Array(PIXELS), { start, at, ink } = images;
    for (const row of train.rows) for (let j = start[row]; j < start[row + 1]; j++) sums[at[j]] += ink[j];
    this.mean = sums.map((sum) => (-UNIT * sum) / train.rows.length);
    this.plain = new Float64Array(PIXELS).fill(-1);
    this.offset = this.settings.centred ? this.mean : this.plain;
  }

  /** Take inputs without the mean image, or with it, from now on; the bias makes up for it, so that all outputs stay. */
  centre(centred) {
    this.w = this.weights(centred ? this.mean : this.plain);
    this.offset = centred ? this.mean : this.plain;
    this.settings.centred = centred;
  }

  /** Have an image, 0 to 255, in each batch from now on, beside those of its turn. */
  add(pixels, target) {
    const { start, at, ink, count } = this.images, { rows, targets } = this.train;
    const shades = Array.from(pixels, (value) => Math.round(value / 17)), inked = [...shades.keys()].filter((i) => shades[i]);
    this.images = {
      start: Uint32Array.of(...start, at.length + inked.length), at: Uint16Array.from([...at, ...inked]),
      ink: Uint8Array.from([...ink, ...inked.map((i) => shades[i])]), count: count + 1,
    };
    this.train = { rows: Uint32Array.of(...rows, count), targets: Uint8Array.of(...targets, target) };
    this.extra.push(rows.length);
  }

  /** The weights (785, K) that give the same outputs for inputs with this offset: as a rule, for pixels from -1 to 1. */
  weights(offset = this.plain) {
    const w = this.w.slice(), bias = PIXELS * this.K;
    for (let i = 0; i < bias; i++) w[bias + (i % this.K)] += w[i] * (this.offset[Math.floor(i / this.K)] - offset[Math.floor(i / this.K)]);
    return w;
  }

  /** One step on the next batch: [loss, accuracy] of the batch before it. */
  step() {
    const { batch, shuffle, rate, lambda } = this.settings, { K, w, order, train, offset } = this, { start, at, ink } = this.images;
    const first = (this.steps % this.perEpoch) * batch;
    if (!first && shuffle) {
      for (let i = order.length - 1; i > 0; i--) {
        const j = this.roll(i + 1);
        [order[i], order[j]] = [order[j], order[i]];
      }
    } else if (!first) order.forEach((_, i) => { order[i] = i; });
    const chosen = Uint32Array.of(...order.subarray(first, first + batch), ...this.extra), N = chosen.length, residuals = new Float64Array(N * K);
    const found = this.measure(train, chosen, residuals);
    const gradient = new Float64Array(w.length), sums = gradient.subarray(PIXELS * K);
    for (let n = 0; n < N; n++) {
      const row = train.rows[chosen[n]], end = start[row + 1], place = n * K;
      for (let k = 0; k < K; k++) sums[k] += residuals[place + k];
      for (let j = start[row]; j < end; j++) {
        const value = UNIT * ink[j];
        for (let k = 0, i = at[j] * K; k < K; k++, i++) gradient[i] += value * residuals[place + k];
      }
    }
    for (let i = 0; i < PIXELS * K; i++) gradient[i] += offset[Math.floor(i / K)] * sums[i % K];
    for (let i = 0; i < w.length; i++) w[i] -= rate * (2 * lambda * w[i] - gradient[i] / N);
    this.steps++;
    return found;
  }

  /** [loss in nats, accuracy, the number of the costliest] of the images with these numbers; their residuals y - y_hat into an array, if given. */
  measure({ rows, targets }, numbers = undefined, residuals = undefined) {
    const { K, w, offset } = this, { start, at, ink } = this.images, z = new Float64Array(K), base = w.slice(PIXELS * K);
    for (let i = 0; i < PIXELS * K; i++) base[i % K] += offset[Math.floor(i / K)] * w[i];
    const N = (numbers ?? rows).length;
    let loss = 0, right = 0, highest = -1, costliest = 0;
    for (let n = 0; n < N; n++) {
      const number = numbers ? numbers[n] : n, row = rows[number], target = targets[number], end = start[row + 1];
      z.fill(0);
      for (let j = start[row]; j < end; j++) {
        const value = ink[j];
        for (let k = 0, i = at[j] * K; k < K; k++, i++) z[k] += value * w[i];
      }
      for (let k = 0; k < K; k++) z[k] = UNIT * z[k] + base[k];
      const cost = K > 1 ? softmax(z, target, residuals, n * K) : sigmoid(z[0], target, residuals, n);
      right += +(K > 1 ? largest(z) === target : z[0] >= 0 === (target === 1));
      loss += cost;
      if (cost > highest) [highest, costliest] = [cost, number];
    }
    return [loss / N, right / N, costliest];
  }
}

/** The cross-entropy at a logit, and y - y_hat into place. */
function sigmoid(z, target, residuals, place) {
  const e = Math.exp(-Math.abs(z));
  if (residuals) residuals[place] = target - (z >= 0 ? 1 : e) / (1 + e);
  return Math.max(z, 0) + Math.log1p(e) - target * z;
}

function softmax(z, target, residuals, place) {
  const top = z[largest(z)];
  let sum = 0;
  for (let k = 0; k < z.length; k++) sum += Math.exp(z[k] - top);
  if (residuals) for (let k = 0; k < z.length; k++) residuals[place + k] = +(k === target) - Math.exp(z[k] - top) / sum;
  return Math.log(sum) + top - z[target];
}

function largest(z) {
  let best = 0;
  for (let k = 1; k < z.length; k++) if (z[k] > z[best]) best = k;
  return best;
}

// ---- What is seen of it -------------------------------------------------------------------------------------------

const EPOCHS = 200; // after so many a run ends
const SPEEDS = [2, 10, 30, 60, 150, 400, Infinity]; // steps a second
const RATES = [0.001, 0.003, 0.01, 0.03, 0.05, 0.1, 0.3, 1, 3], PENALTIES = [0, 0.0001, 0.001, 0.01, 0.1, 1];
const BUSY = 12; // ms of a picture that steps may take
const CALM = 500; // ms between pictures, for who wants little motion
const MEDIANS = 5; // so many median losses of a run are the most that the axis shows of it
const EARLIER = 3; // so many times as far as for this run does the axis go for the run before
const ENDS = [1, 2, 3, 5, 10, 20, 30, 50, 100, EPOCHS]; // of the axes, epochs
const BATCH_COLOUR = "#8a8a8a", VALIDATION = "#d97706", BEFORE = "#2d8ad6";
const FIRST = "Draw something first.";
const ASK = "Say what your drawing is, and each batch has it too. Then train on: what does one image change, for itself and for all others?";
const TASKS = {
  two: {
    name: "2 against 3, as in task 2", rate: 0.05, classes: (pair) => [...pair], captions: ([one, other]) => [`red for a ${one}, blue for a ${other}`],
    example: 142, // the validation image that costs most after ten epochs
    words: "Task 2 on its own training images, in file order: once an epoch the validation loss jumps, as task 2e describes. "
      + "What do shuffling and subtracting the mean image do to the jumps? Switch while it runs, and draw: the verdict follows. "
      + "(Images have 16 shades of grey here; all else is as in the report.)",
  },
  ten: {
    name: "ten digits, as in task 3", rate: 0.01, classes: () => [..."0123456789"], captions: () => [..."0123456789"], example: 659,
    words: "Task 3 on the first few thousand of its images: each digit gets weights of its own. Draw, and the verdict follows.",
  },
};

/** The bytes that Python has deflated and written in base64. */
async function inflate(text) {
  return through(Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)), new DecompressionStream("deflate"));
}

/** The points, [step, value], that a line of so many pixels needs: of each stretch the least and the greatest value. */
function extremes(values, pixels) {
  const stretch = Math.max(Math.floor(values.length / pixels), 1), points = [];
  for (let from = 0; from < values.length; from += stretch) {
    let low = from, high = from;
    for (let step = from + 1; step < Math.min(from + stretch, values.length); step++) {
      if (values[step] < values[low]) low = step;
      if (values[step] > values[high]) high = step;
    }
    points.push([Math.min(low, high), values[Math.min(low, high)]]);
    if (low !== high) points.push([Math.max(low, high), values[Math.max(low, high)]]);
  }
  return points;
}

/** Some numbers for an axis, from below `low` to above `high`: multiples of 1, 2 or 5 times a power of ten, with at most so many steps between. */
export function ticks(low, high, steps, finest = 0) {
  const least = Math.max((high - low) / steps, finest), power = 10 ** Math.floor(Math.log10(least) + 1e-9);
  const step = power * [1, 2, 5, 10].find((digit) => digit * power >= least * (1 - 1e-9)), first = Math.floor(low / step + 1e-9);
  return Array.from({ length: Math.ceil(high / step - 1e-9) - first + 1 }, (_, i) => +((first + i) * step).toPrecision(9));
}

/** Lines over the steps of a run on a canvas, [values, colour, width, dashes], clipped to the first and last of `rungs`, with marks, [step, words]. */
function plot(canvas, lines, { rungs, end, perEpoch, marks, cursor, format }) {
  const scale = window.devicePixelRatio || 1, width = canvas.clientWidth, height = canvas.clientHeight;
  if (canvas.width !== Math.round(width * scale)) canvas.width = Math.round(width * scale);
  if (canvas.height !== Math.round(height * scale)) canvas.height = Math.round(height * scale);
  const context = canvas.getContext("2d"), left = 44, top = 8, bottom = height - 18, text = getComputedStyle(canvas).color;
  const across = (step) => left + (step / (end * perEpoch)) * (width - left - 6);
  const low = rungs[0], high = rungs.at(-1), up = (value) => bottom - Math.min(Math.max((value - low) / (high - low), -0.02), 1.03) * (bottom - top);
  const path = (points, colour, thick = 1, dashes = []) => {
    context.strokeStyle = colour;
    context.lineWidth = thick;
    context.setLineDash(dashes);
    context.beginPath();
    for (const [x, y] of points) context.lineTo(x, y);
    context.stroke();
  };
  context.setTransform(scale, 0, 0, scale, 0, 0);
  context.clearRect(0, 0, width, height);
  context.fillStyle = text;
  context.font = "12px system-ui, sans-serif";
  context.lineJoin = "round";
  for (const value of rungs) {
    context.textAlign = "right";
    context.fillText(format(value), left - 5, up(value) + 4, left - 5); // in no more room than there is
    path([[left, up(value)], [width - 6, up(value)]], `color-mix(in srgb, ${text} 20%, transparent)`);
  }
  context.fillText(`epoch ${end}`, width - 6, height - 4);
  context.textAlign = "left";
  context.fillText("0", left, height - 4);
  for (const [step] of marks) path([[across(step), top], [across(step), bottom]], text, 1, [2, 3]);
  for (const [values, colour, thick, dashes] of lines) path(extremes(values, width).map(([step, value]) => [across(step), up(value)]), colour, thick, dashes);
  if (cursor >= 0) path([[across(cursor), top], [across(cursor), bottom]], text, 2);
  Object.assign(context, { strokeStyle: getComputedStyle(document.body).backgroundColor, lineWidth: 4 }); // around words that lie on a line
  context.setLineDash([]);
  const ends = []; // of the words in each row
  for (const [step, words] of marks) {
    const size = context.measureText(words).width, x = Math.min(across(step) + 4, width - 6 - size);
    const row = [...ends, 0].findIndex((taken) => taken < x), y = top + 10 + 14 * row;
    context.strokeText(words, x, y);
    context.fillText(words, x, y);
    ends[row] = x + size + 4;
  }
}

/** The values of a run from the second epoch on; of a younger run, all. */
const settled = (values, perEpoch) => (values.length > 1.5 * perEpoch ? values.slice(perEpoch) : values);
const least = (values) => values.reduce((a, b) => Math.min(a, b), Infinity);
/** The greatest loss of a run that the axis shows: a few that are far above the median do not hide the others. */
function greatest(losses, perEpoch) {
  const sorted = Float64Array.from(settled(losses, perEpoch).filter(Number.isFinite)).toSorted();
  return Math.min(sorted.at(-1), MEDIANS * sorted[sorted.length >> 1]);
}
const short = (loss) => (loss < 1e5 ? `${loss}` : loss.toExponential().replace("+", ""));
const nats = (loss) => decimal(loss, 4);

const chart = (label) => h("canvas", { class: "trainer-chart", role: "img", "aria-label": label });
const key = (colour, name) => h("span", { class: "trainer-key", style: `--key: ${colour}` }, name);

/**
 * Put the trainer into `root`: `own` has `pair`, `labels` (see tasks) and `images` (deflated, base64), and `drawing` is the pad, whose
 * drawing is shared. Returns `follow`, to be called with the state of that pad.
 */
export function teach(root, own, drawing) {
  let task = "two", data, learner, log, before, kept, view = -1, playing = false, goal = Infinity, owed = 0, mine = [], last = 0, drawn = 0, frame = 0, pad;
  const calm = matchMedia("(prefers-reduced-motion: reduce)");

  // Controls
  const button = (name, act, more = {}) => h("button", { ...more, type: "button", onclick: () => whenLoaded(act) }, name);
  const play = button("Play", () => (playing ? pause() : start()), { class: "trainer-play" });
  const one = button("One step", () => { pause(false); advance(); show(); say(); });
  const epoch = button("One epoch", () => start(learner.steps - (learner.steps % learner.perEpoch) + learner.perEpoch));
  const choose = (label, values, act, name = String) => {
    const list = h("select", { onchange: () => whenLoaded(() => act(list.value)) }, ...values.map((value) => h("option", { value }, name(value))));
    return [list, h("label", {}, label, " ", list)];
  };
  const [which, whichLabel] = choose("Task", Object.keys(TASKS), (name) => { task = name; rate.value = TASKS[task].rate; begin(); }, (name) => TASKS[name].name);
  const [rate, rateLabel] = choose("learning rate", RATES, (value) => change("rate", +value, `rate ${value}`));
  const [lambda, lambdaLabel] = choose("penalty \u03bb", PENALTIES, (value) => change("lambda", +value, `\u03bb = ${value}`));
  const check = (name, act) => {
    const box = h("input", { type: "checkbox", onchange: () => whenLoaded(() => act(box.checked)) });
    return [box, h("label", {}, box, " ", name)];
  };
  const [shuffle, shuffleLabel] = check("shuffle before each epoch", (on) => change("shuffle", on, on ? "shuffled" : "file order"));
  const [centred, centredLabel] = check("subtract the mean image", (on) => change("centred", on, on ? "mean subtracted" : "mean left in"));
  const pace = () => (SPEEDS[+speed.value] < Infinity ? `${SPEEDS[+speed.value]} steps a second` : "as fast as it goes");
  const speed = h("input", { type: "range", min: 0, max: SPEEDS.length - 1, value: 3, oninput: () => quick() });
  const steps = h("span", { "aria-hidden": "true" });
  const quick = () => {
    steps.textContent = pace();
    speed.setAttribute("aria-valuetext", pace());
  };
  quick();
  const epochs = h("input", { type: "range", min: 0, max: 0, value: 0, class: "pad-slider", "aria-label": "Epoch that is shown", oninput: () => {
    pause(false);
    view = +epochs.value < latest() ? +epochs.value : -1;
    show();
  }, onchange: () => say() });

  // Pictures
  const losses = chart("Losses"), accuracies = chart("Accuracies");
  const earlier = key(BEFORE, "validation, the run before");
  const cut = h("span");
  const legend = h("figcaption", {}, "Loss (nats", cut, ") above, accuracy below: ", key(VALIDATION, "validation"), key(BATCH_COLOUR, "each batch, before its step"), earlier);
  const tiles = h("div", { class: "trainer-weights" }), introduction = h("p");
  const numbers = h("p", { class: "pad-note trainer-numbers" }); // for the eye at once, for the ear at rest
  const status = h("p", { class: "pad-said", role: "status", "aria-live": "polite" });
  const below = h("div"), teaching = h("div", { class: "pad-tools", role: "group", "aria-label": "My drawing as data" });
  const taught = h("p", { class: "pad-note trainer-taught" });
  let canvases = [];
  root.classList.add("pad", "trainer");
  root.replaceChildren(
    h("h3", {}, "Watch it learn"), introduction,
    h("div", { class: "pad-tools" }, whichLabel, rateLabel, lambdaLabel),
    h("div", { class: "pad-tools" }, shuffleLabel, centredLabel),
    h("div", { class: "pad-tools" }, play, one, epoch, button("Start again", begin), h("label", { class: "pad-size" }, "Speed ", speed, steps)),
    h("div", { class: "trainer-view" }, h("figure", { class: "trainer-curves" }, losses, accuracies, legend), tiles),
    h("div", { class: "pad-tools" }, h("span", {}, "Back and forth through the epochs"), epochs),
    numbers, status, below, teaching, taught);

  // Running
  function begin() {
    pause(false);
    const { classes, captions } = TASKS[task], names = classes(own.pair), another = learner?.K !== data[task].K;
    before = !another && log.validation.length > 1 ? log : undefined;
    learner = new Learner(data[task], { rate: +rate.value, lambda: +lambda.value, shuffle: shuffle.checked, centred: centred.checked });
    log = { batch: [], batchAccuracy: [], validation: [], accuracy: [], marks: [] };
    kept = [];
    view = -1;
    introduction.textContent = TASKS[task].words;
    canvases = captions(names).map((caption) => picture(`weights: ${caption}`));
    tiles.classList.toggle("trainer-many", canvases.length > 1);
    tiles.replaceChildren(...canvases.map((canvas, k) => h("figure", {}, canvas, h("figcaption", {}, captions(names)[k]))));
    pad = undefined; // while it is made it has no drawing to share
    pad = mount(below, {
      classes: names, weights: outputs(learner.weights()), models: [{ name: "", group: "", facts: [] }], at: 0, images: [], titles: [], random: 0,
      sources: [["Random image", () => validation(Math.floor(Math.random() * learner.validation.rows.length))],
        ["Its costliest image", () => validation(learner.measure(learner.validation)[2])]],
      heard: hush,
    }, (state) => pad && drawing.follow(state));
    if (drawing.state.fresh) { // nothing is drawn as yet: a costly mistake of this very task invites
      const [pixels, , label] = validation(TASKS[task].example);
      pad.open(pixels, label);
    } else pad.follow(drawing.state);
    if (another) { // else a button keeps the focus
      teaching.replaceChildren("My drawing as data: it is", ...names.map((name, k) => button(name, () => teachMine(k), { "aria-label": `Train on my drawing as ${name}` })),
        button("Take mine out and start again", takeOut));
    }
    note();
    mine = mine.map((image) => (image.task === task ? added(image) : image));
    show();
    say();
  }
  /** The weights for the pad: of one output, those for its target 1 and, the other way round, 0. */
  const outputs = (w) => (learner.K > 1 ? Float64Array.from(w) : Float64Array.from({ length: 2 * w.length }, (_, i) => (w[i >> 1] / 2) * (i % 2 ? -1 : 1)));
  function validation(number) {
    const { rows, targets } = learner.validation, digit = learner.K > 1 ? targets[number] : own.pair[1 - targets[number]];
    return [pixelsOf(learner.images, rows[number]), `A validation image labelled ${digit}: `, String(digit)];
  }
  function note() {
    const [loss, accuracy] = learner.measure(learner.validation);
    log.validation.push(loss);
    log.accuracy.push(accuracy);
    if (learner.steps % learner.perEpoch === 0) kept.push(learner.weights());
  }
  /** Add the drawing, 0 to 255, to each batch, and keep what was thought of it until then. */
  function added({ pixels, k }) {
    learner.add(pixels, learner.K > 1 ? k : 1 - k);
    return { task, pixels, k, before: chance(pixels, k, learner.weights()), accuracy: log.accuracy.at(-1), place: where(learner.steps) };
  }
  /** The probability of the class with this number, of the image. */
  const chance = (pixels, k, w) => probabilities(pixels, outputs(w), Math.max(learner.K, 2))[k];
  function teachMine(k) {
    pause(false);
    view = -1;
    const pixels = pad.seen().slice(), is = drawnOn();
    if (is) {
      mine.push(added({ pixels, k }));
      const many = ours().filter(({ place }) => place === where(learner.steps)).length;
      mark(many > 1 ? `my drawing \u00d7${many}` : "my drawing", "mine");
    }
    show();
    if (!is) taught.textContent = FIRST;
    say();
  }
  /** Whether something is drawn: the example is not the reader's. */
  const drawnOn = () => !pad.state.fresh && pad.seen().some(Boolean);
  const ours = () => mine.filter((image) => image.task === task);
  function takeOut() {
    if (!ours().length) return;
    mine = mine.filter((image) => image.task !== task);
    begin();
  }
  /** What the last drawing that was added has changed, by these weights. */
  function lesson(w, at) {
    const all = ours(), image = all.at(-1), now = view < 0 ? "now" : where(at);
    if (!image) return ASK;
    const name = TASKS[task].classes(own.pair)[image.k], several = all.length > 1 ? ` (the last of ${all.length})` : "";
    return `My drawing as ${name}${several}: ${name} had ${percent(image.before)} when it was added, ${image.place}, and has ${percent(chance(image.pixels, image.k, w))} ${now}. `
      + `Validation accuracy: ${percent(image.accuracy)} then, ${percent(log.accuracy[at])} ${now}.`;
  }
  const over = () => learner.steps >= EPOCHS * learner.perEpoch;
  const stuck = () => !Number.isFinite(log.validation.at(-1)) || over();
  function advance() {
    view = -1;
    if (stuck()) return;
    const [loss, accuracy] = learner.step();
    log.batch.push(loss);
    log.batchAccuracy.push(accuracy);
    note();
  }
  function change(name, value, told) {
    if (name === "centred") learner.centre(value);
    learner.settings[name] = value;
    if (learner.steps) mark(told, name);
    show();
  }
  /** Mark this step in the curves; of one thing a step has the last mark. */
  function mark(told, name) {
    const others = log.marks.filter(([step, , what]) => step !== learner.steps || what !== name);
    log.marks = [...others, [learner.steps, told, name]];
  }
  function start(until = Infinity) {
    view = -1; // what is trained is what is shown
    cancelAnimationFrame(frame);
    [goal, owed, last, playing] = [until, 1, performance.now(), true];
    play.textContent = "Pause";
    tick(last);
  }
  function pause(aloud = true) {
    cancelAnimationFrame(frame);
    playing = false;
    play.textContent = "Play";
    if (!aloud) return;
    show();
    say();
  }
  function tick(now) {
    owed += Math.max(now - last, 0) * (SPEEDS[+speed.value] / 1000) || 0;
    last = now;
    const until = performance.now() + BUSY;
    while (owed >= 1 && learner.steps < goal && !stuck() && performance.now() < until) {
      advance();
      owed--;
    }
    owed = Math.min(owed, 1); // what could not be done in time is left out
    if (learner.steps >= goal || stuck()) { pause(); return; }
    if (!calm.matches || now - drawn > CALM) { drawn = now; show(); }
    frame = requestAnimationFrame(tick);
  }

  // What is shown
  function show() {
    const { perEpoch, K } = learner, w = view < 0 ? learner.weights() : kept[view], end = ENDS.find((n) => n * perEpoch >= learner.steps) ?? EPOCHS;
    const axes = { end: Math.max(end, 3), perEpoch, marks: log.marks, cursor: view < 0 ? -1 : view * perEpoch };
    const high = greatest(log.validation, perEpoch), other = before ? greatest(before.validation, perEpoch) : 0;
    const rungs = ticks(0, 1.05 * Math.max(high, Math.min(other, EARLIER * high)), 5), top = rungs.at(-1);
    const old = (values) => [values?.slice(0, axes.end * perEpoch + 1) ?? [], BEFORE, 1.2, [4, 3]];
    const lines = [[log.batch, BATCH_COLOUR, 1], old(before?.validation), [log.validation, VALIDATION, 2]];
    plot(losses, lines, { ...axes, rungs, format: short });
    cut.textContent = lines.some(([values]) => values.some((value) => value > top)) ? `, cut off at ${short(top)}` : "";
    plot(accuracies, [[log.batchAccuracy, BATCH_COLOUR, 1], old(before?.accuracy), [log.accuracy, VALIDATION, 2]],
      { ...axes, marks: [], rungs: ticks(Math.max(least(settled(log.accuracy, perEpoch)) - 0.005, 0), 1, 3, 0.01), format: (value) => `${Math.round(100 * value)}%` });
    let limit = 0; // from here on the page is written to, and no more measured
    for (let i = 0; i < PIXELS * K; i++) limit = Math.max(limit, Math.abs(w[i]));
    canvases.forEach((canvas, k) => signed(canvas, w, limit, k, K));
    pad.learn(outputs(w));
    earlier.hidden = !before;
    epochs.max = latest();
    epochs.value = view < 0 ? latest() : view;
    epochs.setAttribute("aria-valuetext", where(shownStep()));
    numbers.textContent = words();
    taught.textContent = lesson(w, shownStep());
  }
  /** A step in words. */
  function where(step) {
    const whole = Math.floor(step / learner.perEpoch), rest = step % learner.perEpoch;
    return rest ? `epoch ${whole + 1}, step ${rest} of ${learner.perEpoch}` : whole ? `after epoch ${whole}` : "before the first step, all weights zero";
  }
  const latest = () => Math.ceil(learner.steps / learner.perEpoch);
  const shownStep = () => (view < 0 ? learner.steps : view * learner.perEpoch);
  function words() {
    const { perEpoch } = learner, at = shownStep(), whole = Math.floor(at / perEpoch), place = where(at).replace(/^./, (letter) => letter.toUpperCase());
    if (!Number.isFinite(log.validation[at])) return `${place}: the loss is no longer a number. Choose a smaller learning rate or penalty, and start again.`;
    const sentence = `${place}: validation loss ${nats(log.validation[at])}, accuracy ${percent(log.accuracy[at])}.`
      + (view < 0 && over() ? " The run ends here: start again." : "");
    if (!whole || learner.K > 1) return sentence;
    const range = log.validation.slice((whole - 1) * perEpoch + 1, whole * perEpoch + 1).toSorted((a, b) => a - b);
    const median = (range[(perEpoch - 1) >> 1] + range[perEpoch >> 1]) / 2, high = range.at(-1);
    return `${sentence} In epoch ${whole} the highest validation loss was ${nats(high)}, ${nats(high - median)} above the median.`;
  }
  const verdict = () => below.querySelector(".pad-status");
  const hush = () => {
    if (taught.textContent === FIRST && pad && drawnOn()) taught.textContent = ASK; // it was done
    hear(status, "", numbers, verdict(), taught);
  };
  function say() {
    const seen = [numbers, verdict(), ...(taught.textContent === ASK ? [] : [taught])];
    hear(status, seen.map((element) => element.textContent).join(" "), ...seen);
    losses.setAttribute("aria-label", `Losses: ${words()}`);
    accuracies.setAttribute("aria-label", `Accuracies: ${words()}`);
  }

  which.value = task;
  rate.value = TASKS[task].rate;
  lambda.value = 0;
  const loaded = inflate(own.images).then((packed) => {
    data = tasks(unpack(packed), own);
    begin();
    hush(); // on loading nothing is told
    addEventListener("resize", show);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", show);
    return true;
  }).catch(() => {
    hear(status, numbers.textContent = "This browser cannot unpack the images to train on.", numbers);
    return false;
  });
  const whenLoaded = (act) => loaded.then((is) => is && act());
  return { follow: (state) => !(state.fresh && pad?.state.fresh) && pad?.follow(state) };
}
