/* Every run as one line through its settings and what it reached; dragging along an axis holds the runs that pass there. */

const seeds = [...new Set(runs.map((run) => run.seed))].filter((seed) => seed !== null).sort((a, b) => a - b);
const LONGEST = 30;
const logarithmic = (values) => values.length > 2 && Math.min(...values) > 0 && Math.max(...values) / Math.min(...values) >= 30;
function axes() {
  const settings = keys.map(({ key, levels, numeric }) => {
    const values = [...new Set(runs.map((run) => run.settings[key]))].map(Number);
    if (numeric && values.length > 2) {
      const axis = measured(values, (run) => run.settings[key], logarithmic(values));
      return { id: key, title: key, mono: true, ...(values.length > SORTS ? axis : abreast(levels, (run) => run.groups[key], levels.map((level) => 0.05 + 0.9 * axis.at({ settings: { [key]: Number(level) } })))) };
    }
    return { id: key, title: key, ...sorted(levels, (run) => run.groups[key]), mono: true };
  });
  if (seeds.length > 1 && !keys.some((one) => one.key === "seed")) settings.push({ id: "seed", title: "seed", ...sorted(seeds.map(String), (run) => String(run.seed)), mono: true });
  const beside = data.beside.filter((key) => key !== state.target).slice(0, 3).concat("minutes");
  const figures = [...beside.filter((key) => targetOf(key)), state.target].map((key) => ({ id: `figure ${key}`, title: brief(key), figure: key, ...measured(runs.map((run) => figureOf(run, key)).filter(isNumber), (run) => figureOf(run, key)) }));
  return [...settings, ...figures];
}
const sorted = (levels, of) => abreast(levels, of, levels.map((_, i) => (levels.length > 1 ? 0.05 + (0.9 * i) / (levels.length - 1) : 0.5)));
// Runs with one value pass it side by side, in the order of what they reached, so that lines do not merge.
function abreast(levels, of, places) {
  const room = Math.min(0.05, ...places.flatMap((one, i) => places.slice(i + 1).map((other) => Math.abs(one - other) * 0.3))), beside = new Map();
  levels.forEach((level, at) => {
    const members = runs.filter((run) => of(run) === level).sort((a, b) => (figureOf(a) ?? -Infinity) - (figureOf(b) ?? -Infinity));
    members.forEach((run, i) => beside.set(run, places[at] + (members.length > 1 ? (i / (members.length - 1) - 0.5) * 2 * room : 0)));
  });
  return { marks: levels.map((level, at) => [places[at], level]), at: (run) => beside.get(run) ?? null };
}
function measured(values, of, log = false) {
  const f = log ? Math.log10 : (v) => v, [low, high] = ends(values.map(f)), place = (value) => (high > low ? (f(value) - low) / (high - low) : 0.5);
  const round = log ? [...new Set(values)].sort((a, b) => a - b).filter((_, i, all) => all.length <= 6 || i % Math.ceil(all.length / 5) === 0) : high > low ? ticks(low, high, 5) : [values[0]];
  return { marks: round.map((value) => [place(value), tickText(value)]), at: (run) => (isNumber(of(run)) ? place(of(run)) : null) };
}
let known = [];
function axisPlace(id, run) { const axis = known.find((one) => one.id === id); return axis ? axis.at(run) : 0; }

function parallel() {
  if (!keys.length) return null;
  const holder = h("div", { class: "scroll" });
  let wide = 0;
  const node = drawn(() => { queueMicrotask(() => { draw(holder, wide || holder.clientWidth); mark(); }); return [colourLegend(), h("div", { class: "card parallel" }, holder)]; });
  new ResizeObserver(() => { if (holder.clientWidth && Math.abs(holder.clientWidth - wide) > 4) { wide = holder.clientWidth; draw(holder, wide); mark(); } }).observe(holder);
  return section("parallel", "All runs at once", "Each line is a run. Drag along an axis to hold the runs that pass there, drag elsewhere on it to change that, and click it to let go; the table below narrows with it and offers the same by keyboard.", node);
}

function draw(holder, wide) {
  known = axes();
  // An axis whose values are long words has more room behind it.
  const rooms = known.map((axis) => 74 + 7 * clamp(Math.max(...axis.marks.map(([, text]) => text.length)), 4, LONGEST)), needed = rooms.reduce((a, b) => a + b, 0);
  const width = Math.max(wide || 900, needed), height = 390, pad = { left: 30, top: 46, bottom: 18 }, stretch = (width - pad.left - rooms[rooms.length - 1]) / Math.max(1, needed - rooms[rooms.length - 1]);
  const lefts = rooms.map((_, place) => pad.left + rooms.slice(0, place).reduce((a, b) => a + b, 0) * stretch), x = (place) => lefts[place], y = (at) => height - pad.bottom - at * (height - pad.top - pad.bottom);
  const order = runs.map((run, index) => [run, index]).sort((a, b) => (counted(a[0]) ? 1 : 0) - (counted(b[0]) ? 1 : 0));
  const svg = s("svg", { width, height, viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": `${plural(runs.length, "run")} through ${known.map((axis) => axis.title).join(", ")}. The table below holds the same.` },
    s("g", {}, order.map(([run, index]) => {
      const steps = known.map((axis, place) => [x(place), axis.at(run)]).filter(([, at]) => at !== null).map(([left, at]) => [left, y(at)]);
      const bend = steps.map(([left, top], i) => (i ? `C${(steps[i - 1][0] + left) / 2} ${steps[i - 1][1]} ${(steps[i - 1][0] + left) / 2} ${top} ${left} ${top}` : `M${left} ${top}`)).join("");
      return pointed(s("path", { class: counted(run) ? "run" : "run aside", d: bend, style: `--tint:${tintOf(run)}` }), index);
    })),
    known.map((axis, place) => axisNode(axis, x(place), y, place)));
  holder.replaceChildren(svg);
}

function axisNode(axis, left, y, place) {
  const top = y(1), bottom = y(0), box = s("rect", { class: "brush", x: left - 9, width: 18, rx: 4 });
  const name = axis.title.length > 17 ? `${axis.title.slice(0, 16)}…` : axis.title;
  const show = () => { const range = state.brush[axis.id]; box.style.display = range ? "" : "none"; if (range) { box.setAttribute("y", y(range[1])); box.setAttribute("height", Math.max(2, y(range[0]) - y(range[1]))); } };
  const grip = s("rect", { class: "grip", "data-axis": axis.id, x: left - 20, y: top - 12, width: 40, height: bottom - top + 24 });
  let from = null;
  const at = (event) => { const frame = grip.ownerSVGElement.getBoundingClientRect(); return (bottom - (event.clientY - frame.top) * (grip.ownerSVGElement.viewBox.baseVal.height / frame.height)) / (bottom - top); };
  grip.addEventListener("pointerdown", (event) => { from = at(event); grip.setPointerCapture(event.pointerId); event.preventDefault(); hideTip(); });
  grip.addEventListener("pointermove", (event) => {
    if (from === null) return;
    const to = at(event);
    if (Math.abs(to - from) < 0.015) return;
    state.brush = { ...state.brush, [axis.id]: [Math.min(from, to), Math.max(from, to)] };
    show(); mark();
  });
  grip.addEventListener("pointerup", (event) => {
    if (Math.abs(at(event) - from) < 0.015) { const { [axis.id]: gone, ...rest } = state.brush; state.brush = rest; show(); mark(); }
    from = null;
  });
  show();
  return s("g", { class: axis.figure === state.target ? "axis asked" : "axis" }, s("title", {}, axis.title), s("line", { x1: left, x2: left, y1: top, y2: bottom }),
    s("text", { class: "axis-name", x: place === 0 ? left - 14 : left, y: 20 + (place % 2 && known.length > 6 ? 12 : 0), "text-anchor": place === 0 ? "start" : "middle" }, name),
    axis.marks.map(([where, text]) => s("text", { class: axis.mono ? "mono" : "", x: left + 7, y: y(where) + 4 }, text.length > LONGEST ? `${text.slice(0, LONGEST - 1)}…` : text, s("title", {}, text))), box, grip);
}
