/* Charts: lines over steps with one cursor for all of them, bars with whiskers, histograms. */

// The end of a scale that begins at 0 and holds all of these figures.
function niceMax(values, least = 0) {
  const top = Math.max(least, ...values.filter(isNumber), 1e-9), size = 10 ** Math.floor(Math.log10(top));
  return [1, 1.5, 2, 2.5, 3, 4, 5, 6, 7.5, 10].map((step) => step * size).find((end) => end >= top - 1e-9);
}

/* ---------- bars ---------- */
const SHAPES = { // what stands on a bar: the floors of a score
  shuffled: "M1.5 2.5h10l-5 8.5z", constant: "M6.5 1l5.5 5.5-5.5 5.5L1 6.5z", nearest: "M6.5 1.5a5 5 0 1 1 0 10a5 5 0 0 1 0-10z",
};
const shape = (name) => s("svg", { width: 13, height: 13, viewBox: "0 0 13 13", "aria-hidden": "true" }, s("path", { class: "shape", d: SHAPES[name] || SHAPES.constant }));

// marks: [{shape, at, title}]; all figures on a scale of 0 to `max`
function track({ value, interval, limit, marks = [], max = 100, label }) {
  const at = (figure) => `${clamp((figure / max) * 100, 0, 100)}%`;
  const node = h("div", { class: "track", role: "img", "aria-label": label });
  if (isNumber(value)) node.append(h("div", { class: "fill", style: `width:${at(value)}` }));
  if (interval && interval.every(isNumber)) node.append(h("div", { class: "whisker", style: `left:${at(interval[0])};right:calc(100% - ${at(interval[1])})` }));
  if (isNumber(limit)) node.append(h("div", { class: "limit", style: `left:${at(limit)}` }));
  for (const mark of marks) if (isNumber(mark.at)) {
    const drawn = shape(mark.shape);
    drawn.style.left = at(mark.at);
    drawn.append(s("title", {}, mark.title));
    node.append(drawn);
  }
  return node;
}

/* ---------- lines ---------- */
const CURSOR = new Set(); // every chart over the same steps: pointing at one is pointing at all
const pointAt = (step) => CURSOR.forEach((follow) => follow(step));

function smooth(points) { // an exponential mean over a twentieth of them, not biased towards its first value
  const weight = 1 - 1 / Math.max(2, points.length / 20);
  let sum = 0, norm = 0;
  return points.map(([step, value]) => { sum = weight * sum + (1 - weight) * value; norm = weight * norm + 1 - weight; return [step, sum / norm]; });
}

const nearestTo = (points, step) => points.reduce((best, p) => (best && Math.abs(best[0] - step) <= Math.abs(p[0] - step) ? best : p), null);
const path = (points, x, y) => points.map((p, i) => `${i ? "L" : "M"}${x(p[0]).toFixed(1)} ${y(p[1]).toFixed(1)}`).join("");

// one chart. series: [{name, tint, points: [[x, y]…], thin, dots}]; `named` writes each name at the end of its line
function lineChart({ title, series, log = false, named = false, unit = "step", ends = null, wide = false }) {
  const all = series.flatMap((one) => one.points), ys = all.map((p) => p[1]), positive = ys.filter((v) => v > 0);
  const width = wide ? 560 : 340, height = wide ? 220 : 176, pad = { left: 48, right: named ? 84 : 12, top: 10, bottom: 24 };
  const [x0, x1] = ends || [Math.min(...all.map((p) => p[0])), Math.max(...all.map((p) => p[0]))];
  const isLog = log && positive.length > 0, f = isLog ? (v) => Math.log10(Math.max(v, Math.min(...positive))) : (v) => v, back = isLog ? (v) => 10 ** v : (v) => v;
  let low = f(Math.min(...ys)), high = f(Math.max(...ys));
  if (low === high) { const room = isLog ? 0.5 : Math.abs(low) * 0.1 || 1; low -= room; high += room; }
  const x = (v) => pad.left + ((v - x0) / (x1 - x0 || 1)) * (width - pad.left - pad.right);
  const y = (v) => height - pad.bottom - ((f(v) - low) / (high - low)) * (height - pad.top - pad.bottom);
  const read = h("div", { class: "read" }), cursor = s("line", { class: "cursor", y1: pad.top, y2: height - pad.bottom });
  const tell = (step) => {
    const found = series.filter((one) => !one.thin).map((one) => [one.name, nearestTo(one.points, step)]).filter(([, p]) => p);
    read.textContent = `${unit} ${short(Math.round(step))}: ${found.map(([name, p]) => `${name} ${short(p[1])}`).join(", ")}`;
  };
  const drawn = series.map((one) => s("g", { style: `--tint:${one.tint}` },
    one.points.length > 1 ? s("path", { class: one.thin ? "line thin" : "line", d: path(one.points, x, y) }) : null,
    one.dots || one.points.length === 1 ? one.points.map((p) => s("circle", { class: "point", cx: x(p[0]), cy: y(p[1]), r: 2.6 })) : null));
  const svg = s("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": `${title} over ${unit}s` },
    [0, 0.5, 1].map((part) => { const v = back(low + part * (high - low)); return [s("line", { class: "grid", x1: pad.left, x2: width - pad.right, y1: y(v), y2: y(v) }), s("text", { x: pad.left - 6, y: y(v) + 4, "text-anchor": "end" }, short(v))]; }),
    s("text", { x: pad.left, y: height - 6 }, short(x0)), s("text", { x: width - pad.right, y: height - 6, "text-anchor": "end" }, `${unit} ${short(x1)}`),
    cursor, drawn, named ? namesAtEnds(series, y, width - pad.right + 6, pad.top, height - pad.bottom) : null);
  svg.addEventListener("pointermove", (event) => {
    const box = svg.getBoundingClientRect(), part = (((event.clientX - box.left) / box.width) * width - pad.left) / (width - pad.left - pad.right);
    pointAt(x0 + clamp(part, 0, 1) * (x1 - x0));
  });
  svg.addEventListener("pointerleave", () => pointAt(null));
  const follow = (step) => {
    cursor.style.visibility = step === null ? "hidden" : "visible";
    const there = clamp(step ?? x1, x0, x1);
    cursor.setAttribute("x1", x(there)); cursor.setAttribute("x2", x(there));
    tell(there);
  };
  follow(null);
  const node = h("div", { class: "card chart" }, h("h3", {}, title, isLog ? h("small", {}, "log scale") : null), read, svg);
  CURSOR.add(follow);
  return node;
}

function namesAtEnds(series, y, left, top, bottom) { // names at the ends of lines, pushed apart so that all can be read
  const places = series.filter((one) => one.points.length).map((one) => ({ one, at: y(one.points[one.points.length - 1][1]) })).sort((a, b) => a.at - b.at);
  places.forEach((place, i) => { if (i) place.at = Math.max(place.at, places[i - 1].at + 12); });
  const over = places.length ? Math.max(0, places[places.length - 1].at - bottom) : 0;
  return places.map(({ one, at }) => s("text", { class: "name", style: `--tint:${one.tint}`, x: left, y: Math.max(top, at - over) + 4 }, one.name.length > 12 ? `${one.name.slice(0, 11)}…` : one.name));
}

/* ---------- histograms ---------- */
// series: [{name, tint, shares}], a share for each bin; `mark` and `read` say what lies at a part of the axis and in a bin
function stepChart({ title, series, rest, mark, read, wide = false }) {
  const width = wide ? 540 : 340, height = wide ? 190 : 176, pad = { left: 40, right: 10, top: 10, bottom: 24 }, bins = series[0].shares.length;
  const top = Math.max(...series.flatMap((one) => one.shares), 1e-9);
  const x = (bin) => pad.left + (bin / bins) * (width - pad.left - pad.right), y = (share) => height - pad.bottom - (share / top) * (height - pad.top - pad.bottom);
  const line = h("div", { class: "read" }, rest);
  const outline = (list) => `M${x(0)} ${y(0)}${list.map((share, bin) => `L${x(bin).toFixed(1)} ${y(share).toFixed(1)}L${x(bin + 1).toFixed(1)} ${y(share).toFixed(1)}`).join("")}L${x(bins)} ${y(0)}`;
  const svg = s("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": `${title}. ${rest}` },
    [0, 0.5, 1].map((part) => [s("line", { class: "grid", x1: pad.left, x2: width - pad.right, y1: y(part * top), y2: y(part * top) }), s("text", { x: pad.left - 6, y: y(part * top) + 4, "text-anchor": "end" }, `${Number((part * top * 100).toPrecision(2))}%`)]),
    series.map((one) => s("path", { class: "line", style: `--tint:${one.tint};fill:${one.tint};fill-opacity:.22;stroke-width:1.5`, d: outline(one.shares) })),
    [0, 0.5, 1].map((part) => s("text", { x: x(part * bins), y: height - 6, "text-anchor": part === 0 ? "start" : part === 1 ? "end" : "middle" }, mark(part))));
  svg.addEventListener("pointermove", (event) => {
    const box = svg.getBoundingClientRect(), bin = clamp(Math.floor(((((event.clientX - box.left) / box.width) * width - pad.left) / (width - pad.left - pad.right)) * bins), 0, bins - 1);
    line.textContent = read(bin);
  });
  svg.addEventListener("pointerleave", () => { line.textContent = rest; });
  return h("div", { class: "card chart" }, h("h3", {}, title), line, svg);
}

// series: [{name, tint, values}] in shares of each
function histogram({ title, series, from, to, bins = 30, unit = "", digits = 2, wide = false }) {
  const span = to - from || 1, at = (part) => (from + part * span).toFixed(digits);
  const shared = series.map((one) => {
    const counts = new Array(bins).fill(0);
    one.values.forEach((v) => { counts[clamp(Math.floor(((v - from) / span) * bins), 0, bins - 1)] += 1; });
    return { ...one, shares: counts.map((n) => n / Math.max(1, one.values.length)) };
  });
  return stepChart({
    title, series: shared, wide, rest: series.map((one) => `${one.name}: median ${one.values.length ? median(one.values).toFixed(digits) : "none"}`).join(", "),
    mark: (part) => `${at(part)}${part === 1 ? unit : ""}`,
    read: (bin) => `${at(bin / bins)} to ${at((bin + 1) / bins)}: ${shared.map((one) => `${one.name} ${(one.shares[bin] * 100).toFixed(1)} %`).join(", ")}`,
  });
}
