/* What is looked at on the page of a sweep: the figure, the colours, which runs are held. Every part draws from here. */
const runs = data.runs, keys = data.keys, curves = bulkOf().curves || [];
const state = { target: data.target, colour: null, keep: {}, brush: {}, search: "", lit: null };
const redraws = [], marks = [];

function bulkOf() { const node = document.getElementById("bulk"); return node ? JSON.parse(node.textContent) : {}; }
const effectsNow = () => data.effects[state.target];
const targetOf = (key) => data.targets.find((one) => one.key === key);
const brief = (key) => targetOf(key).title.replace(", trained languages", "").replace(" languages", ""); // where there is little room
const figureOf = (run, key = state.target) => { const found = run.figures[key]; return found ? found[0] : null; };
const counted = (run) => run.aside === null;
const strongest = () => [...effectsNow().effects].sort((a, b) => (b.share ?? -1) - (a.share ?? -1));
const better = (a, b, key = state.target) => (targetOf(key).higher ? a > b : a < b);

/* ---------- numbers with as many digits as their kind needs ---------- */
function digitsOf(key) {
  const values = runs.map((run) => Math.abs(figureOf(run, key) ?? 0)), top = Math.max(...values, 0);
  return top >= 10 ? 1 : top >= 1 ? 2 : top >= 0.1 ? 3 : null;
}
const digits = {};
function told(value, key = state.target, sign = false) {
  if (!isNumber(value)) return "";
  if (!(key in digits)) digits[key] = digitsOf(key);
  const text = digits[key] === null ? String(Number(value.toPrecision(3))) : value.toFixed(digits[key]);
  return (sign && value > 0 ? `+${text}` : text).replace("-", "−");
}
const percent = (share) => (isNumber(share) ? (share > 0 && share < 0.005 ? "< 1 %" : `${(share * 100).toFixed(0)} %`) : "");

// A value as one types it may be long: it breaks behind its commas and before its dots.
const soft = (text) => String(text).split(/(?<=,)|(?=[._@])/).flatMap((part, i) => (i ? [h("wbr", {}), part] : [part]));

/* ---------- colours ---------- */
function ramp(part) { // from low over middle to high
  const at = clamp(part, 0, 1) * 2, [from, to] = at < 1 ? ["low", "middle"] : ["middle", "high"];
  return `color-mix(in oklab, var(--ramp-${to}) ${Math.round((at < 1 ? at : at - 1) * 100)}%, var(--ramp-${from}))`;
}
const SORTS = 8;
function tintOfLevel(key, group) {
  const found = keys.find((one) => one.key === key), place = found ? found.levels.indexOf(group) : -1;
  if (place < 0) return "var(--faint)";
  return (found.numeric && found.levels.length > 2) || found.levels.length > SORTS ? ramp(place / Math.max(1, found.levels.length - 1)) : `var(--sort-${place})`;
}
function tintOf(run) {
  if (!counted(run)) return "var(--faint)";
  if (state.colour !== "") return tintOfLevel(state.colour, run.groups[state.colour]);
  const value = figureOf(run), [low, high] = ends(runs.filter(counted).map((one) => figureOf(one)));
  return isNumber(value) ? ramp(high > low ? (value - low) / (high - low) : 1) : "var(--faint)";
}
function ends(values) { const known = values.filter(isNumber); return known.length ? [Math.min(...known), Math.max(...known)] : [0, 1]; }
function colourLegend() {
  if (state.colour === "") return h("div", { class: "legend" }, h("span", {}, "low", h("i", { class: "ramp" }), "high"));
  const found = keys.find((one) => one.key === state.colour);
  return h("div", { class: "legend" }, found.levels.map((level) => h("span", {}, h("i", { class: "dot", style: `--c:${tintOfLevel(found.key, level)}` }), h("span", { class: "mono" }, level))));
}

/* ---------- which runs are held, and which one is pointed at ---------- */
function held(run) {
  const inside = Object.entries(state.brush).every(([axis, range]) => { const at = axisPlace(axis, run); return at !== null && at >= range[0] && at <= range[1]; });
  const kept = Object.entries(state.keep).every(([key, group]) => group === "" || (key === "status" ? run.status : key === "seed" ? String(run.seed) : run.groups[key]) === group);
  const words = fold([run.id, run.folder, run.status, run.aside, ...Object.values(run.written)].join(" "));
  return inside && kept && fold(state.search).split(/\s+/).every((word) => words.includes(word));
}
function mark() {
  const on = runs.map(held), narrowed = on.some((one) => !one);
  page.classList.toggle("lighting", state.lit !== null);
  for (const node of document.querySelectorAll("[data-run]")) {
    const run = Number(node.dataset.run);
    node.classList.toggle("off", !on[run]);
    node.classList.toggle("lit", state.lit === run);
  }
  marks.forEach((follow) => follow(on.filter(Boolean).length, narrowed));
}
function change(part) { Object.assign(state, part); redraws.forEach((draw) => draw()); mark(); }
function narrow(part) { Object.assign(state, part); mark(); }
function release() { state.keep = {}; state.brush = {}; state.search = ""; change({}); }
function light(run) { if (state.lit !== run) { state.lit = run; mark(); } }

function pointed(node, index) { // pointing at a run anywhere is pointing at it everywhere
  const run = runs[index];
  node.setAttribute("data-run", index);
  node.addEventListener("pointerenter", (event) => { light(index); showTip(event.clientX, event.clientY, describe(run)); });
  node.addEventListener("pointermove", (event) => showTip(event.clientX, event.clientY, describe(run)));
  node.addEventListener("pointerleave", () => { light(null); hideTip(); });
  return node;
}
function describe(run) {
  const found = run.figures[state.target], interval = found && found.length > 1 ? ` (${told(found[1])} to ${told(found[2])})` : "";
  return [h("b", {}, found ? `${told(found[0])}${interval}` : run.status), h("small", {}, keys.map((one) => `${one.key} ${run.written[one.key]}`).join(", ")),
    h("small", {}, `seed ${run.seed}, run ${run.id}${run.aside ? `, ${run.aside}` : ""}`)];
}

// A part of the page that is drawn anew when the figure or the colours change.
function drawn(draw) {
  const node = h("div", {});
  const again = () => node.replaceChildren(...[shown(draw)].flat(Infinity).filter(Boolean));
  redraws.push(again);
  again();
  return node;
}
