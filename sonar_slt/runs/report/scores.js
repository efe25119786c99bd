/* Scores per language: a bar with interval, ceiling and floors; all metrics; signatures; older protocols; what it looks like. */
const TITLES = data.measures.titles; // as people write them, in their order
const ERRORS = new Set(data.measures.errors); // the lower the better
const UNIT = new Set(data.measures.unit); // about 0 to 1, not 0 to 100
const metricTitle = (name) => TITLES[name] || name;
const metricHead = (name) => metricTitle(name) + (ERRORS.has(name) ? " ↓" : "");
const metricValue = (name, value) => (isNumber(value) ? value.toFixed(UNIT.has(name) ? 3 : 1) : "");

const kind = (row) => (row.seen ? "trained" : "unseen");
const FLOORS = { shuffled: "references shuffled", constant: "best constant sentence", nearest: "nearest training sentence" };
const scoreRows = [...data.scores].sort((a, b) => Number(Boolean(b.seen)) - Number(Boolean(a.seen)));
const metricNames = (() => {
  const found = new Set(scoreRows.flatMap((row) => Object.keys(row).filter((key) => row[key] && typeof row[key] === "object" && "signature" in row[key])));
  return [...Object.keys(TITLES).filter((name) => found.has(name)), ...[...found].filter((name) => !(name in TITLES))];
})();
const nameOf = (code) => data.names[code] || (data.scores.find((row) => row.language === code) || {}).name || code;

const interval = (name, score) => (score && score.interval && score.interval.every(isNumber) ? `${metricValue(name, score.interval[0])} – ${metricValue(name, score.interval[1])}` : "");

function scoreRow(row, name, max) {
  const score = row[name] || {}, floors = row.floors || {};
  const marks = Object.keys(FLOORS).filter((key) => floors[key] && isNumber(floors[key][name])).map((key) => ({ shape: key, at: floors[key][name], title: `${FLOORS[key]}: ${metricValue(name, floors[key][name])}` }));
  const limit = name === "bleu" && isNumber(row.ceiling) ? row.ceiling : null;
  const told = [`${row.name || row.language}: ${metricTitle(name)} ${metricValue(name, score.value)}`, interval(name, score) && `interval ${interval(name, score)}`, limit !== null && `ceiling ${one(limit)}`, ...marks.map((mark) => mark.title)].filter(Boolean);
  const bar = h("td", { class: "bar" }, track({ value: score.value, interval: score.interval, limit, marks, max, label: told.join(", ") }));
  bar.addEventListener("pointermove", (event) => showTip(event.clientX, event.clientY, h("b", {}, told[0]), told.slice(1).map((line) => h("small", {}, line))));
  bar.addEventListener("pointerleave", hideTip);
  return h("tr", { class: kind(row) },
    h("th", { scope: "row" }, h("b", {}, row.name || row.language), h("span", { class: "mono" }, row.language)),
    h("td", { class: "chips" }, h("span", { class: "chip" }, kind(row)), row.references ? h("span", { class: "chip quiet", title: "who wrote the references" }, row.references) : null),
    bar, h("td", { class: "value" }, metricValue(name, score.value)), h("td", { class: "soft", "data-label": "95 %" }, interval(name, score)),
    name === "bleu" ? [h("td", { class: "soft", "data-label": "ceiling" }, one(row.ceiling)), h("td", { class: "soft", "data-label": "auto-encoding" }, one(row.ae))] : null);
}

function scoreTable(name) {
  const around = (row) => [...((row[name] || {}).interval || []), (row[name] || {}).value, name === "bleu" ? row.ceiling : null, ...Object.values(row.floors || {}).map((floor) => floor && floor[name])];
  const max = niceMax(scoreRows.flatMap(around), UNIT.has(name) ? 0.1 : 10);
  const heads = ["language", "", `0 to ${short(max)}`, metricTitle(name), "95 % interval", ...(name === "bleu" ? ["ceiling", "auto-encoding"] : [])];
  return h("table", { class: "scores" }, h("thead", {}, h("tr", {}, heads.map((word) => h("th", { scope: "col" }, word)))), h("tbody", {}, scoreRows.filter((row) => row[name]).map((row) => scoreRow(row, name, max))));
}

function scoreLegend() {
  const has = (key) => scoreRows.some((row) => row.floors && row.floors[key]);
  const ns = [...new Set(scoreRows.map((row) => row.n).filter(isNumber))], first = scoreRows[0];
  return h("div", { class: "legend" },
    h("span", {}, h("i", { style: "--c:var(--ink);height:2px" }), "95 % interval"),
    scoreRows.some((row) => isNumber(row.ceiling)) ? h("span", {}, h("i", { style: "width:0;height:14px;border-radius:0;background:none;border-left:2px dashed var(--ink)" }), "ceiling of the space") : null,
    Object.keys(FLOORS).filter(has).map((key) => h("span", {}, shape(key), FLOORS[key])),
    ns.length ? h("span", {}, `N = ${ns.map(count).join(" / ")}`) : null,
    first.ids_hash ? h("span", {}, "ids ", h("span", { class: "mono", title: first.ids_hash }, String(first.ids_hash).slice(0, 10))) : null,
    isNumber(first.resamples) && first.resamples > 0 ? h("span", {}, `${count(first.resamples)} resamples, seed ${first.seed}`) : null);
}

function allScores() {
  if (metricNames.length < 2) return null;
  const cell = (row, name) => h("td", {}, metricValue(name, row[name] && row[name].value), h("small", {}, interval(name, row[name])));
  return h("details", { class: "card" }, h("summary", {}, "All scores", h("small", {}, `${metricNames.length} metrics, ${plural(scoreRows.length, "language")}`)),
    h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "All scores" }, h("table", { class: "all" }, h("thead", {}, h("tr", {}, h("th", {}, "language"), metricNames.map((name) => h("th", { scope: "col" }, metricHead(name))))),
      h("tbody", {}, scoreRows.map((row) => h("tr", {}, h("th", { scope: "row" }, row.name || row.language), metricNames.map((name) => cell(row, name))))))));
}

function signatures() {
  const found = new Map();
  for (const row of scoreRows) for (const name of metricNames) if (row[name] && row[name].signature) {
    const key = `${metricTitle(name)}  ${row[name].signature}`;
    found.set(key, [...(found.get(key) || []), row.language]);
  }
  return found.size ? h("details", { class: "card" }, h("summary", {}, "Signatures", h("small", {}, "how each figure was computed")), h("pre", { class: "mono" }, [...found].map(([key, codes]) => `${key}\n    ${codes.join(" ")}`).join("\n"))) : null;
}

function floorsTold() {
  const rows = scoreRows.filter((row) => row.floors && row.floors.constant && row.floors.constant.sentence);
  return rows.length ? h("details", { class: "card" }, h("summary", {}, "Floors", h("small", {}, "what is reached without looking at the clip")),
    h("p", { class: "note", style: "margin-top:10px" }, "A system that cannot see reaches as much: the references in another order, the one sentence that scores best for every clip, and the nearest sentence of the training text."),
    rows.map((row) => h("p", { class: "floor" }, h("b", {}, row.name || row.language), " ", h("span", { class: "soft" }, Object.keys(FLOORS).filter((key) => row.floors[key]).map((key) => `${FLOORS[key]} BLEU ${one(row.floors[key].bleu)}`).join(", ")), h("q", spokenIn(row.language), row.floors.constant.sentence)))) : null;
}

function legacy() {
  if (!data.legacy.length) return null;
  const names = [...new Set(data.legacy.flatMap((row) => Object.keys(row.scores || {})))];
  const signs = [...new Set(data.legacy.flatMap((row) => Object.entries(row.scores || {}).map(([name, score]) => `${metricTitle(name)}  ${(score && score.signature) || ""}`)))];
  return h("details", { class: "card" }, h("summary", {}, "Older protocols", h("small", {}, "only to compare with older papers")),
    h("div", { class: "scroll" }, h("table", {}, h("thead", {}, h("tr", {}, h("th", {}, "protocol"), names.map((name) => h("th", { scope: "col" }, metricTitle(name))))),
      h("tbody", {}, data.legacy.map((row) => h("tr", {}, h("th", { scope: "row" }, row.title || row.protocol, " ", h("span", { class: "mono soft" }, row.language || "")), names.map((name) => h("td", {}, metricValue(name, row.scores && row.scores[name] && row.scores[name].value)))))))),
    h("pre", { class: "mono" }, signs.join("\n")));
}

function warningsTold() {
  const lines = scoreRows.flatMap((row) => Object.entries(row.warnings || {}).filter(([, n]) => n).map(([what, n]) => `${row.name || row.language}: ${isNumber(n) ? count(n) : n} ${what}`));
  if (data.skipped) lines.push(...Object.entries(data.skipped).map(([what, n]) => `${n} ${what}`));
  return lines.length ? h("ul", { class: "card remark warn" }, lines.map((line) => h("li", {}, line))) : null;
}

function scores() {
  if (!scoreRows.length) return null;
  const first = metricNames.includes("bleu") ? "bleu" : metricNames[0];
  const place = h("div", { class: "scroll" }, first ? scoreTable(first) : null);
  const pick = metricNames.length > 1 ? segmented("Score that the bars show", metricNames.map((name) => [name, metricHead(name)]), first, (name) => place.replaceChildren(scoreTable(name))) : null;
  return section("scores", "Scores", "A trained language was a target while signs were learnt; an unseen one never was. The ceiling is what the sentence space itself reaches: the reference sentences, encoded and decoded again without any sign. Auto-encoding is the same round trip through the adapted decoder: how far it has drifted.",
    pick ? h("div", { class: "row spaced" }, pick) : null, h("div", { class: "card board" }, place, scoreLegend()), warningsTold(), allScores(), floorsTold(), signatures(), legacy());
}

function diagnosis() {
  if (!data.diagnosis.length) return null;
  const card = (found) => h("article", { class: "card sign" }, h("h3", {}, found.sign), found.evidence ? h("p", { class: "evidence" }, found.evidence) : null, found.meaning ? h("p", {}, found.meaning) : null,
    (found.try || []).length ? [h("h4", {}, "To try"), h("ul", {}, found.try.map((word) => h("li", {}, word)))] : null);
  return section("diagnosis", "Diagnosis", "Patterns in these figures that usually have one cause.", h("div", { class: "signs" }, data.diagnosis.map(card)));
}
