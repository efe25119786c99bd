/* The space: a map of what clips became (z) and where their sentences lie (s), how near they are, and whether found. */
const space = data.space;
const isOwn = (i, j) => j === i || space.sentences[j] === space.sentences[i];
const placeOf = space ? new Map(space.ids.map((id, i) => [String(id), i])) : new Map();
let spaceMap = null;

function ownAndWrong() { // each clip's cosine to its own sentence, and to the nearest other one
  const own = [], wrong = [];
  space.ids.forEach((_, i) => {
    if (space.cosine && isNumber(space.cosine[i])) own.push(space.cosine[i]);
    const near = ((space.nearest || [])[i] || []).findIndex((j) => !isOwn(i, j));
    const value = near >= 0 ? ((space.nearest_cosine || [])[i] || [])[near] : null;
    if (isNumber(value)) wrong.push(value);
  });
  return { own, wrong };
}

function cosines() {
  let own, wrong = [];
  if (space) ({ own, wrong } = ownAndWrong());
  else own = data.samples.map((sample) => (sample.translations.find((line) => isNumber(line.cosine)) || {}).cosine).filter(isNumber);
  if (own.length < 5) return null;
  const all = [...own, ...wrong], low = Math.floor(Math.min(...all) * 20) / 20, high = Math.min(1, Math.ceil(Math.max(...all) * 20) / 20);
  return histogram({ title: "Cosine of a clip to its sentence", wide: true, from: low, to: high > low ? high : low + 0.05, series: [
    { name: "own", tint: "var(--trained)", values: own }, ...(wrong.length ? [{ name: "nearest other", tint: "var(--unseen)", values: wrong }] : [])] });
}

function found() { // retrieval, as far as it is known
  const told = data.retrieval || {}, at = [["at_1", "first"], ["at_5", "among 5"], ["at_10", "among 10"]].filter(([key]) => isNumber(told[key]));
  if (!at.length) return null;
  const list = [at.map(([key, word]) => [h("div", { class: "who" }, word), track({ value: told[key], label: `own sentence ${word}: ${one(told[key])} %` }), h("div", { class: "value" }, `${one(told[key])} %`)])];
  return h("div", { class: "card chart" }, h("h3", {}, "A clip's own sentence is found"), h("div", { class: "read" }, [told.n ? `among ${count(told.n)} sentences` : null, told.language ? nameOf(told.language) : null, isNumber(told.median_rank) ? `median rank ${short(told.median_rank)}` : null].filter(Boolean).join(", ")), h("div", { class: "groups trained" }, list));
}

function spaceSection() {
  const parts = [found(), cosines()].filter(Boolean);
  if (!space && !parts.length) return null;
  return section("space", "In the space", space ? "Each clip's vector z is joined to the vector s of its sentence; all are shown by their two widest directions, so that near points may be far apart in others. Point at one to read it, press it to open the sample." : null,
    space ? mapCard() : null, parts.length ? h("div", { class: "charts halves" }, parts) : null);
}

function mapCard() {
  const canvas = h("canvas", { class: "map", role: "img", "aria-label": `A map of ${count(space.ids.length)} clips and their sentences; every clip is in the list of samples` }), pen = canvas.getContext("2d");
  const all = [...space.z, ...space.s], range = (axis) => [Math.min(...all.map((p) => p[axis])), Math.max(...all.map((p) => p[axis]))];
  const [x0, x1] = range(0), [y0, y1] = range(1);
  let view = { zoom: 1, x: 0.5, y: 0.5 }, over = -1, open = placeOf.get(browser.state.sample) ?? -1, joined = true;
  const unit = ([x, y]) => [(x - x0) / (x1 - x0 || 1), 1 - (y - y0) / (y1 - y0 || 1)];
  const z = space.z.map(unit), t = space.s.map(unit), right = space.ids.map((_, i) => !space.rank || space.rank[i] === 1);
  const at = ([x, y]) => [((x - view.x) * view.zoom * 0.92 + 0.5) * canvas.clientWidth, ((y - view.y) * view.zoom * 0.9 + 0.5) * canvas.clientHeight];
  function dot(place, radius, colour, filled) {
    pen.beginPath(); pen.arc(...place, radius, 0, 7);
    if (filled) { pen.fillStyle = colour; pen.fill(); } else { pen.strokeStyle = colour; pen.lineWidth = 1.4; pen.stroke(); }
  }
  function draw() {
    const ratio = devicePixelRatio || 1, [w, hgt] = [canvas.clientWidth, canvas.clientHeight];
    if (!w) return;
    if (canvas.width !== Math.round(w * ratio) || canvas.height !== Math.round(hgt * ratio)) { canvas.width = Math.round(w * ratio); canvas.height = Math.round(hgt * ratio); }
    const [good, bad, ink, soft] = ["--trained", "--bad", "--ink", "--faint"].map(colourOf), small = clamp(120 / Math.sqrt(z.length), 1.8, 4.5);
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, w, hgt);
    const places = z.map((p, i) => [at(p), at(t[i])]);
    if (joined) places.forEach(([a, b], i) => { pen.globalAlpha = right[i] ? 0.3 : 0.75; pen.strokeStyle = right[i] ? good : bad; pen.lineWidth = right[i] ? 1 : 1.4; pen.beginPath(); pen.moveTo(...a); pen.lineTo(...b); pen.stroke(); });
    pen.globalAlpha = 0.75;
    places.forEach(([, b]) => dot(b, small, soft, false));
    pen.globalAlpha = 0.9;
    places.forEach(([a], i) => dot(a, small, right[i] ? good : bad, true));
    pen.globalAlpha = 1;
    for (const i of [open, over]) if (i >= 0) {
      const [a, b] = places[i];
      pen.strokeStyle = ink; pen.lineWidth = 2; pen.beginPath(); pen.moveTo(...a); pen.lineTo(...b); pen.stroke();
      dot(b, small + 3, ink, false); dot(a, small + 2, ink, true);
    }
  }
  function near(event) {
    const box = canvas.getBoundingClientRect(), x = event.clientX - box.left, y = event.clientY - box.top;
    let best = -1, least = 18 ** 2;
    z.forEach((p, i) => [p, t[i]].forEach((point) => { const [px, py] = at(point), far = (px - x) ** 2 + (py - y) ** 2; if (far < least) { least = far; best = i; } }));
    return best;
  }
  const tell = (i, event) => showTip(event.clientX, event.clientY, h("b", spokenIn(space.language), space.sentences[i]),
    h("small", {}, [space.cosine && isNumber(space.cosine[i]) ? `cosine ${space.cosine[i].toFixed(2)}` : null, space.rank && isNumber(space.rank[i]) ? (space.rank[i] === 1 ? "found first" : `own sentence is number ${space.rank[i]}`) : null, space.ids[i]].filter(Boolean).join(" · ")));
  let from = null;
  canvas.addEventListener("pointerdown", (event) => { from = { x: event.clientX, y: event.clientY, view: { ...view }, moved: false }; });
  canvas.addEventListener("pointermove", (event) => {
    if (from && event.buttons && view.zoom > 1) {
      const dx = event.clientX - from.x, dy = event.clientY - from.y;
      if (from.moved || Math.hypot(dx, dy) > 4) { from.moved = true; canvas.setPointerCapture(event.pointerId); view = { ...view, x: from.view.x - dx / canvas.clientWidth / view.zoom / 0.92, y: from.view.y - dy / canvas.clientHeight / view.zoom / 0.9 }; hideTip(); draw(); }
      return;
    }
    const now = near(event);
    if (now !== over) { over = now; draw(); }
    if (over >= 0) tell(over, event); else hideTip();
    canvas.style.cursor = over >= 0 ? "pointer" : view.zoom > 1 ? "grab" : "default";
  });
  canvas.addEventListener("pointerleave", () => { over = -1; hideTip(); draw(); });
  canvas.addEventListener("click", (event) => { const hit = near(event); if (hit >= 0 && !(from && from.moved) && browser.has(space.ids[hit])) browser.open(space.ids[hit], true); from = null; });
  const zoom = (factor) => { view.zoom = clamp(view.zoom * factor, 1, 24); if (view.zoom === 1) view = { zoom: 1, x: 0.5, y: 0.5 }; canvas.style.touchAction = view.zoom > 1 ? "none" : "pan-y"; draw(); };
  const button = (word, text, does) => h("button", { type: "button", class: "round", "aria-label": word, title: word, onclick: does }, text);
  new ResizeObserver(draw).observe(canvas);
  onTheme(draw);
  spaceMap = { show: (id) => { open = placeOf.get(String(id)) ?? -1; draw(); } };
  const explained = (space.explained || []).filter(isNumber).map((share) => `${(share <= 1 ? share * 100 : share).toFixed(0)} %`);
  return h("div", { class: "card" }, h("div", { class: "row mapbar" },
    h("div", { class: "legend" }, h("span", { style: "--c:var(--trained)" }, h("i", { class: "dot" }), "z, own sentence nearest"), right.every(Boolean) ? null : h("span", { style: "--c:var(--bad)" }, h("i", { class: "dot" }), "z, another is nearer"),
      h("span", {}, h("i", { class: "dot", style: "background:none;border:1.5px solid var(--faint)" }), `s, the sentence${space.language ? ` in ${nameOf(space.language)}` : ""}`), explained.length ? h("span", {}, `variance shown: ${explained.join(" + ")}`) : null),
    h("span", { class: "push" }), switched("Lines", joined, (on) => { joined = on; draw(); }), button("Nearer", "+", () => zoom(1.6)), button("Farther", "−", () => zoom(1 / 1.6))), canvas);
}
