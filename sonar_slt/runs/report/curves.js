/* How it learnt: a chart per logged figure, small ones per language, and what it said on the way. */
const WENT = /^(lr|rate|gradient|grad|waiting|seconds|memory|batch|clips|tokens)|_per_second|memory|norm$/; // no term, but how the training went
const SCALES = [["auto", "automatic scale"], ["linear", "linear"], ["log", "log"]];

function isRough(points) { // it goes up and down far more than it gets on; a learning rate does not
  let way = 0;
  const raw = points.map((p) => p[1]), values = Math.min(...raw) > 0 ? raw.map(Math.log) : raw;
  values.forEach((value, i) => { if (i) way += Math.abs(value - values[i - 1]); });
  return points.length > 8 && way > 2.5 * (Math.max(...values) - Math.min(...values));
}

function wantsLog(points, scale) {
  const values = points.map((p) => p[1]);
  if (scale !== "auto") return scale === "log";
  return Math.min(...values) > 0 && Math.max(...values) / Math.min(...values) > 30;
}

const titleOf = (name) => TITLES[name] || name.replaceAll("_", " ");

// A score of the trained languages and that of the unseen ones (bleu, bleu_unseen) are two lines of one chart.
function paired(charts) {
  const unseen = new Map(charts.filter((chart) => chart.name.endsWith("_unseen")).map((chart) => [chart.name.slice(0, -7), chart.dev]));
  const names = new Set(charts.map((chart) => chart.name));
  return charts.filter((chart) => !(chart.name.endsWith("_unseen") && names.has(chart.name.slice(0, -7)))).map((chart) => ({ ...chart, unseen: unseen.get(chart.name) }));
}

function curves() {
  const { languages } = data.curves, charts = paired(data.curves.charts);
  if (!charts.length && !languages.length) return null;
  const hasDev = charts.some((chart) => chart.dev.length);
  const groups = [["Terms", (chart) => chart.train.length && !WENT.test(chart.name)], ["Scores on dev", (chart) => !chart.train.length], ["Rates and speed", (chart) => chart.train.length && WENT.test(chart.name)]];
  const steps = charts.flatMap((chart) => [...chart.train, ...chart.dev]).map((p) => p[0]), ends = steps.length ? [Math.min(...steps), Math.max(...steps)] : null;
  let smoothed = charts.some((chart) => chart.train.length > 40), scale = "auto";
  const place = h("div", {});
  const draw = () => {
    CURSOR.clear();
    const one = ({ name, train, dev, unseen }) => lineChart({ title: titleOf(name), ends, log: wantsLog([...train, ...dev, ...(unseen || [])], scale), series: [
      ...(smoothed && isRough(train) ? [{ name: "train", tint: "var(--train)", points: train, thin: true }, { name: "train", tint: "var(--train)", points: smooth(train) }] : [{ name: "train", tint: "var(--train)", points: train }]),
      { name: unseen ? "trained" : "dev", tint: unseen ? "var(--trained)" : "var(--dev)", points: dev, dots: dev.length <= 30 },
      { name: "unseen", tint: "var(--unseen)", points: unseen || [], dots: dev.length <= 30 }].filter((line) => line.points.length) });
    place.replaceChildren(...groups.map(([title, fits]) => {
      const found = charts.filter((chart) => fits(chart) && chart.train.length + chart.dev.length);
      return found.length ? h("div", { class: "group" }, h("h3", {}, title), h("div", { class: "charts" }, found.map(one))) : null;
    }).filter(Boolean), ...languages.filter(({ lines }) => Object.keys(lines).length).map(smallMultiple));
  };
  draw();
  return section("learning", "Learning", null, h("div", { class: "row spaced" },
    h("div", { class: "legend" }, h("span", { style: "--c:var(--train)" }, h("i"), "train"), hasDev ? h("span", { style: "--c:var(--dev)" }, h("i"), "dev") : null,
      charts.some((chart) => chart.unseen) ? [h("span", { style: "--c:var(--trained)" }, h("i"), "dev, trained languages"), h("span", { style: "--c:var(--unseen)" }, h("i"), "dev, unseen languages")] : null),
    h("span", { class: "push" }), switched("Smooth", smoothed, (on) => { smoothed = on; draw(); }), segmented("Scale of the curves", SCALES, scale, (now) => { scale = now; draw(); })), place);
}

// One little panel a language over the shadows of all others, on one scale.
function smallMultiple({ name, lines }) {
  const width = 170, height = 66, all = Object.values(lines).flat(), xs = all.map((p) => p[0]), ys = all.map((p) => p[1]);
  const [x0, x1, y0, y1] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
  const x = (v) => 3 + ((v - x0) / (x1 - x0 || 1)) * (width - 6), y = (v) => height - 4 - ((v - y0) / (y1 - y0 || 1)) * (height - 8);
  const shadows = Object.values(lines).map((points) => path(points, x, y)).join("");
  const seen = new Map(data.scores.map((row) => [row.language, row.seen]));
  const panel = ([code, points]) => {
    const last = points[points.length - 1], value = h("b", {}, short(last[1]));
    CURSOR.add((step) => { value.textContent = short((step === null ? last : nearestTo(points, step))[1]); });
    return h("div", { class: `panel ${seen.get(code) === false ? "unseen" : "trained"}` }, h("div", { class: "head" }, nameOf(code), value),
      s("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": `${name} in ${nameOf(code)}: from ${short(points[0][1])} to ${short(last[1])}` },
        s("path", { class: "shadow", d: shadows }), s("path", { class: "line", d: path(points, x, y) }), s("circle", { class: "point", cx: x(last[0]), cy: y(last[1]), r: 2.8 })));
  };
  const order = (code) => (seen.get(code) === false ? 1 : 0);
  return h("div", { class: "group" }, h("h3", {}, `${metricTitle(name)} on dev, each language`), h("div", { class: "card panels" }, Object.entries(lines).sort(([a], [b]) => order(a) - order(b)).map(panel)));
}

function progress() {
  if (data.progress.length < 2) return null;
  const clips = new Map();
  for (const { step, samples } of data.progress) for (const line of samples) {
    const key = `${line.id} ${line.language}`;
    clips.set(key, [...(clips.get(key) || []), { step, line }]);
  }
  const told = [...clips].filter(([, list]) => list.length > 1);
  if (!told.length) return null;
  const place = h("div", { class: "card way" });
  const draw = (key) => {
    const list = clips.get(key), last = list[list.length - 1].line;
    place.replaceChildren(h("div", { class: "step head" }, h("span", {}, "reference"), h("p", spokenIn(last.language), (last.references || [])[0] || "none")),
      ...list.map(({ step, line }) => { const found = compared(line); return h("div", { class: "step" }, h("span", {}, `step ${short(step)}`), h("p", spokenIn(line.language), hypothesisWords(found))); }));
  };
  draw(told[0][0]);
  const text = (list) => { const words = (list[0].line.references || [])[0] || list[0].line.id; return words.length > 60 ? `${words.slice(0, 59)}…` : words; };
  return section("way", "What it said on the way", "The same clips of dev, translated again and again while it learnt. Words that no reference has are marked.",
    h("div", { class: "row spaced" }, choice("Sentence", told.map(([key, list]) => [key, text(list)]), told[0][0], draw)), place);
}
