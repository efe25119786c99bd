/* The list of samples: searched, filtered, sorted; only the rows that are seen exist. The view lives in the address. */
const ROW = 76; // pixels of a row, as in the style sheet
const START = { q: "", sort: "order", down: false, lang: "", signer: "", known: "", words: "", min: null, max: null, sample: "" };
const browser = { state: { ...START }, has: () => false, open: () => {}, found: [], index: new Map() };

let bulk = null;
const clipOf = (id) => { bulk = bulk || JSON.parse((document.getElementById("bulk") || { textContent: '{"clips":{}}' }).textContent); return bulk.clips[id] || null; };
const moving = new Set(data.moving);
const lineIn = (sample, code) => sample.translations.find((line) => line.language === code);
const sampleScores = [...new Set(data.samples.slice(0, 50).flatMap((sample) => sample.translations.flatMap((line) => Object.keys(line.scores || {}))))];

const remembered = new Map(); // what is dear to compute, by language
function perSample(key, code, compute) {
  const name = `${key} ${code}`;
  if (!remembered.has(name)) remembered.set(name, new Map());
  const cache = remembered.get(name);
  return (sample) => { if (!cache.has(sample)) cache.set(sample, compute(sample, lineIn(sample, code))); return cache.get(sample); };
}
const haystack = perSample("text", "", (sample) => fold([sample.id, ...sample.translations.flatMap((line) => [line.hypothesis, ...(line.references || [])])].join("\n")));
const exactIn = (code) => perSample("exact", code, (_, line) => Boolean(line && line.hypothesis.trim() && line.references.some((text) => text.trim() === line.hypothesis.trim())));

// what one may sort by; `scale` is the largest value of a score, whose range can be chosen
function orders() {
  const has = (test) => data.samples.some((sample) => sample.translations.some(test));
  const list = [["order", { title: "order in the split" }], ...sampleScores.map((name) => [name, { title: metricTitle(name), scale: UNIT.has(name) ? 1 : 100, of: (_, line) => line && line.scores && line.scores[name] }])];
  list.push(["overlap", { title: "words in common", scale: 100, of: (_, line) => { const best = line && compared(line).best; return best ? best.share * 100 : null; } }]);
  if (has((line) => isNumber(line.cosine))) list.push(["cosine", { title: "cosine", scale: 1, of: (_, line) => line && line.cosine }]);
  if (has((line) => isNumber(line.log_likelihood))) list.push(["likelihood", { title: "log-likelihood", of: (_, line) => line && line.log_likelihood }]);
  list.push(["length", { title: "words of the reference", of: (_, line) => (line && line.references[0] ? wordsOf(line.references[0]).length : null) }]);
  if (data.samples.some((sample) => isNumber(sample.frames))) list.push(["frames", { title: "length of the clip", of: (sample) => sample.frames / (sample.fps || 25) }]);
  return new Map([...list, ["id", { title: "id" }]]);
}

function readState() {
  const found = new URLSearchParams(location.hash.slice(1)), state = { ...START };
  for (const key of ["q", "lang", "signer", "known", "words", "sample"]) state[key] = found.get(key) || "";
  for (const key of ["min", "max"]) if (found.get(key) && isNumber(Number(found.get(key)))) state[key] = Number(found.get(key));
  const sort = found.get("sort") || "order";
  return { ...state, sort: sort.replace(/^-/, ""), down: sort.startsWith("-") };
}

function writeState(state) {
  const words = new URLSearchParams();
  for (const key of ["q", "lang", "signer", "known", "words", "min", "max", "sample"]) if (state[key] !== "" && state[key] !== null) words.set(key, state[key]);
  if (state.sort !== "order" || state.down) words.set("sort", (state.down ? "-" : "") + state.sort);
  const hash = words.toString();
  try { history.replaceState(null, "", hash ? `#${hash}` : location.pathname + location.search); } catch { location.hash = hash; }
}

function samples() {
  if (!data.samples.length) return null;
  const codes = [...new Set(data.samples.flatMap((sample) => sample.translations.map((line) => line.language)))];
  const signers = [...new Set(data.samples.map((sample) => sample.signer).filter(Boolean))].sort();
  const knows = data.samples.some((sample) => typeof sample.known === "boolean"), by = orders();
  const state = browser.state;
  data.samples.forEach((sample, i) => browser.index.set(sample.id, { sample, i }));
  browser.has = (id) => browser.index.has(String(id));

  /* --- controls --- */
  const search = h("input", { type: "search", placeholder: "Search ids, references, translations", "aria-label": "Search the samples", "aria-keyshortcuts": "/", oninput: () => set({ q: search.value }) });
  const pick = (key, label, options) => choice(label, options, state[key], (value) => set({ [key]: value }));
  const language = codes.length > 1 ? choice("Language of the list", codes.map((code) => [code, nameOf(code)]), codes[0], (value) => set({ lang: value === codes[0] ? "" : value, min: null, max: null })) : null;
  const sort = choice("Sort by", [...by].map(([key, order]) => [key, `by ${order.title}`]), "order", (value) => set({ sort: value, min: null, max: null }));
  const turn = h("button", { type: "button", class: "round", onclick: () => set({ down: !state.down }) });
  const chosen = {
    signer: signers.length > 1 ? pick("signer", "Signer", [["", "all signers"], ...signers.map((name) => [name, name])]) : null,
    known: knows ? pick("known", "Sentence", [["", "all sentences"], ["yes", "seen in training"], ["no", "new sentences"]]) : null,
    words: pick("words", "Translation", [["", "all translations"], ["exact", "exact"], ["other", "not exact"], ["empty", "empty"]]),
  };
  const told = h("p", { class: "soft counted", "aria-live": "polite" }), clear = h("button", { type: "button", onclick: () => set({ ...START, sample: state.sample }) }, "Clear");
  const range = rangeOf((min, max) => set({ min, max }));

  /* --- the list --- */
  const inner = h("div", { class: "inner" }), list = h("div", { class: "list", role: "listbox", tabindex: 0, "aria-label": "Samples" }, inner);
  const detail = sampleView({ codes, close: () => box.classList.remove("open"), step });
  const box = h("div", { class: "browser" }, h("div", { class: "card side" }, list), detail.node);
  const code = () => (codes.includes(state.lang) ? state.lang : codes[0]);
  const valueBy = () => { const order = by.get(state.sort); return order && order.of ? perSample(state.sort, code(), order.of) : null; };

  function filtered() {
    const wanted = fold(state.q.trim()), exact = exactIn(code()), value = valueBy(), scaled = by.get(state.sort).scale;
    const fits = (sample) => (!wanted || haystack(sample).includes(wanted)) && (!state.signer || sample.signer === state.signer) && (!state.known || sample.known === (state.known === "yes"))
      && (!state.words || (state.words === "exact" ? exact(sample) : state.words === "other" ? !exact(sample) : !(lineIn(sample, code()) || { hypothesis: "x" }).hypothesis.trim()));
    const kept = data.samples.filter(fits);
    range.show(scaled ? kept.map(value).filter(isNumber) : null, scaled, state);
    const within = (sample) => { const v = value(sample); return isNumber(v) && (state.min === null || v >= state.min) && (state.max === null || v <= state.max); };
    const inRange = scaled && (state.min !== null || state.max !== null) ? kept.filter(within) : kept;
    const key = value || (state.sort === "id" ? (sample) => sample.id : (sample) => browser.index.get(sample.id).i), sign = state.down ? -1 : 1;
    const compare = (a, b) => { const [x, y] = [key(a), key(b)]; if (x === y) return 0; if (x === null || x === undefined) return 1; if (y === null || y === undefined) return -1; return sign * (x < y ? -1 : 1); };
    return inRange.sort(compare);
  }

  function rowOf(sample, i) {
    const line = lineIn(sample, code()) || { hypothesis: "", references: [] }, value = valueBy(), order = by.get(state.sort);
    const name = order.scale ? state.sort : sampleScores.includes("chrf") ? "chrf" : "overlap", share = clamp(Number(perSample(name, code(), by.get(name).of)(sample) || 0) / by.get(name).scale, 0, 1);
    const figure = value && isNumber(value(sample)) ? (order.scale === 1 ? value(sample).toFixed(2) : short(Number(value(sample).toFixed(1)))) : "";
    return h("div", { class: "item", role: "option", id: `row-${i}`, "aria-selected": String(sample.id === state.sample), "data-id": sample.id, style: `top:${i * ROW}px;--heat:${Math.round(share * 100)}%`, onclick: () => browser.open(sample.id) },
      h("div", { class: "id mono" }, sample.id, h("b", {}, figure)), h("p", spokenIn(line.language || ""), line.hypothesis.trim() ? line.hypothesis : h("span", { class: "none" }, "(empty)")), h("p", { ...spokenIn(line.language || ""), class: "soft" }, line.references[0] || ""));
  }
  let first = -1, last = -1;
  function draw(anew) {
    const from = Math.max(0, Math.floor(list.scrollTop / ROW) - 4), to = Math.min(browser.found.length, from + Math.ceil((list.clientHeight || 700) / ROW) + 8);
    if (!anew && from === first && to === last) return;
    [first, last] = [from, to];
    inner.style.height = `${browser.found.length * ROW}px`;
    inner.replaceChildren(...(browser.found.length ? browser.found.slice(from, to).map((sample, i) => rowOf(sample, from + i)) : [h("p", { class: "empty soft" }, "No sample fits. Clear a filter, or search for less.")]));
    const at = browser.found.findIndex((sample) => sample.id === state.sample);
    if (at >= 0) list.setAttribute("aria-activedescendant", `row-${at}`); else list.removeAttribute("aria-activedescendant");
  }
  list.addEventListener("scroll", () => draw(false), { passive: true });
  new ResizeObserver(() => draw(false)).observe(list);

  function refresh() {
    if (!by.has(state.sort)) state.sort = "order";
    browser.found = filtered();
    const all = data.samples.length, of = data.clips > all ? ` of the ${count(data.clips)} clips` : "";
    told.textContent = browser.found.length === all ? `${plural(all, "sample")}${of}` : `${count(browser.found.length)} of ${plural(all, "sample")}`;
    clear.hidden = !["q", "signer", "known", "words"].some((key) => state[key]) && state.min === null && state.max === null;
    if (search.value !== state.q) search.value = state.q;
    if (language) language.value = code();
    sort.value = state.sort;
    turn.replaceChildren(icon(state.down ? "M6 1h2v8h4l-5 5-5-5h4z" : "M6 13h2V5h4L7 0 2 5h4z"));
    turn.setAttribute("aria-label", state.down ? "Largest first; press for smallest first" : "Smallest first; press for largest first");
    for (const [key, select] of Object.entries(chosen)) if (select) select.value = state[key];
    list.scrollTop = 0;
    draw(true);
  }
  function set(change) { Object.assign(state, change); refresh(); writeState(state); if ("lang" in change && state.sample) show(); }
  function show() {
    const entry = browser.index.get(state.sample) || { sample: browser.found[0] || data.samples[0] };
    detail.show(entry.sample, code(), browser.found.indexOf(entry.sample), browser.found.length);
    if (spaceMap) spaceMap.show(entry.sample.id);
  }
  browser.open = (id, from) => {
    state.sample = String(id);
    writeState(state); show(); draw(true);
    box.classList.add("open");
    if (from) box.scrollIntoView({ behavior: STILL ? "auto" : "smooth" });
  };
  function step(by) {
    const now = browser.found.findIndex((sample) => sample.id === (state.sample || (browser.found[0] || {}).id)), next = browser.found[clamp(now + by, 0, browser.found.length - 1)];
    if (!next) return;
    browser.open(next.id);
    const top = browser.found.indexOf(next) * ROW;
    if (top < list.scrollTop) list.scrollTop = top; else if (top + ROW > list.scrollTop + list.clientHeight) list.scrollTop = top + ROW - list.clientHeight;
    draw(true);
  }
  list.addEventListener("keydown", (event) => { const by = { ArrowDown: 1, ArrowUp: -1, PageDown: 8, PageUp: -8, Home: -1e9, End: 1e9 }[event.key]; if (by) { event.preventDefault(); step(by); } });
  listenToKeys({ search, step, detail, close: () => box.classList.remove("open") });
  const start = () => { Object.assign(state, readState()); refresh(); show(); if (state.sample) { const at = browser.found.findIndex((sample) => sample.id === state.sample); if (at >= 0) list.scrollTop = Math.max(0, (at - 2) * ROW); draw(true); } };
  addEventListener("hashchange", start);
  start();

  const lacking = data.left_out > 0 ? `${count(data.left_out)} skeletons had no room in this file. ` : "";
  return section("samples", "Samples", [`${data.samples.length === data.clips ? (data.clips === 1 ? "The one clip" : `All ${count(data.clips)} clips`) : `${count(data.samples.length)} of ${count(data.clips)} clips`} of the ${data.split} split${data.samples.length === data.clips ? "" : ", not chosen by score"}. ${lacking}Words that the nearest reference does not have are `, surplus("marked"), "; words of the reference that are missing are ", missing("dotted"), ". Press ", h("kbd", {}, "?"), " for keys."],
    h("div", { class: "filters" }, h("div", { class: "row" }, search, language, sort, turn), h("div", { class: "row" }, Object.values(chosen), range.node, h("span", { class: "push" }), told, clear)), box);
}

// A histogram with two handles: which scores are shown.
function rangeOf(onchange) {
  const bars = s("svg", { viewBox: "0 0 120 26", preserveAspectRatio: "none", "aria-hidden": "true" }), text = h("span", { class: "mono" });
  const low = h("input", { type: "range", min: 0, max: 100, "aria-label": "Lowest score shown" }), high = h("input", { type: "range", min: 0, max: 100, "aria-label": "Highest score shown" });
  const node = h("div", { class: "range" }, h("div", { class: "bars" }, bars, low, high), text);
  let scale = 100;
  const send = () => { const [a, b] = [Number(low.value), Number(high.value)]; onchange(a > 0 ? (Math.min(a, b) / 100) * scale : null, b < 100 ? (Math.max(a, b) / 100) * scale : null); };
  low.addEventListener("change", send); high.addEventListener("change", send);
  const show = (values, top, state) => {
    node.hidden = !values;
    if (!values) return;
    scale = top;
    const counts = new Array(24).fill(0), min = state.min ?? 0, max = state.max ?? top;
    values.forEach((v) => { counts[clamp(Math.floor((v / top) * 24), 0, 23)] += 1; });
    const most = Math.max(...counts, 1);
    bars.replaceChildren(...counts.map((n, i) => s("rect", { x: i * 5, width: 4, y: 26 - (n / most) * 26, height: (n / most) * 26, class: ((i + 0.5) / 24) * top >= min && ((i + 0.5) / 24) * top <= max ? "in" : "" })));
    low.value = (min / top) * 100; high.value = (max / top) * 100;
    text.textContent = `${short(min)} – ${short(max)}`;
  };
  return { node, show };
}
