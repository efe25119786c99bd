/* How the runs learnt, and the figure by two keys at a time. */

function learning() {
  const usable = curves.filter((one) => one.lines.some((line) => line.length > 1));
  if (!usable.length) return null;
  const wanted = [`dev/${state.target.replace("/", "_")}`, "dev/bleu", "dev/loss", "train/loss"];
  let chosen = (wanted.map((name) => usable.find((one) => one.name === name)).find(Boolean) || usable[0]).name, means = true;
  const body = drawn(() => {
    CURSOR.clear(); // the chart that was there before
    const found = usable.find((one) => one.name === chosen), lines = found.lines.map((line, index) => ({ line, index })).filter(({ line }) => line.length);
    const byGroup = means && state.colour !== "" ? keys.find((one) => one.key === state.colour).levels.map((level) => ({ name: level, tint: tintOfLevel(state.colour, level), points: meanLine(lines.filter(({ index }) => counted(runs[index]) && runs[index].groups[state.colour] === level).map(({ line }) => line)) })).filter((one) => one.points.length) : [];
    const single = lines.map(({ line, index }) => ({ name: runs[index].id, tint: tintOf(runs[index]), points: line, thin: byGroup.length > 0 || lines.length > 6, dots: line.length < 12 && lines.length <= 8, index }));
    const node = lineChart({ title: found.title, series: [...single, ...byGroup], log: /\/(loss|mse|ce|gradient)$/.test(found.name), wide: true });
    [...node.querySelectorAll("svg > g")].forEach((group, i) => { if (single[i]) pointed(group, single[i].index); });
    node.classList.add("curves");
    return [colourLegend(), node];
  });
  const names = usable.map((one) => [one.name, one.title]);
  return section("curves", "How they learnt", "Thin lines are runs, strong ones the mean of the runs with one value.",
    h("div", { class: "row filters" }, choice("Which figure is drawn over the steps", names, chosen, (value) => { chosen = value; change({}); }), switched("Means", means, (on) => { means = on; change({}); })), body);
}

function meanLine(lines) { // at every step of any of them, over those that have come so far
  const steps = [...new Set(lines.flatMap((line) => line.map((point) => point[0])))].sort((a, b) => a - b);
  return steps.map((step) => [step, lines.filter((line) => line[0][0] <= step && line[line.length - 1][0] >= step).map((line) => between(line, step))]).filter(([, values]) => values.length).map(([step, values]) => [step, mean(values)]);
}
function between(line, step) {
  const after = line.findIndex((point) => point[0] >= step), [x1, y1] = line[after];
  if (after === 0 || x1 === step) return y1;
  const [x0, y0] = line[after - 1];
  return y0 + ((y1 - y0) * (step - x0)) / (x1 - x0);
}

function pivot() {
  const sides = [...keys.map((one) => [one.key, one.levels, (run) => run.groups[one.key]])];
  if (seeds.length > 1 && !keys.some((one) => one.key === "seed")) sides.push(["seed", seeds.map(String), (run) => String(run.seed)]);
  if (sides.length < 2) return null;
  const first = strongest().map((row) => row.key).filter((key) => key !== "seed");
  const chosen = { rows: first[0] || sides[0][0], columns: first[1] || sides.find(([key]) => key !== (first[0] || sides[0][0]))[0] };
  const body = drawn(() => {
    const [rows, columns] = [chosen.rows, chosen.columns].map((key) => sides.find(([name]) => name === key));
    const cell = (one, two) => runs.filter((run) => counted(run) && isNumber(figureOf(run)) && (one === null || rows[2](run) === one) && (two === null || columns[2](run) === two)).map((run) => figureOf(run));
    const means = rows[1].flatMap((one) => columns[1].map((two) => cell(one, two))).filter((values) => values.length).map(mean), [low, high] = ends(means);
    const show = (values, whole) => { if (!values.length) return h("td", { class: "empty" }, "none"); const middle = mean(values), spread = values.length > 1 ? Math.sqrt(values.reduce((sum, v) => sum + (v - middle) ** 2, 0) / (values.length - 1)) : null, part = (middle - low) / (high - low || 1);
      return h("td", whole ? { class: "whole" } : { style: `--part:${Math.round(clamp(targetOf(state.target).higher ? part : 1 - part, 0, 1) * 100)}%`, class: "heat" }, h("b", {}, told(middle)), h("small", {}, [isNumber(spread) ? `± ${told(spread)}` : "", plural(values.length, "run")].filter(Boolean).join(", "))); };
    return h("div", { class: "card scroll pivot" }, h("table", {}, h("thead", {}, h("tr", {}, h("th", { scope: "col" }, h("span", { class: "mono" }, `${rows[0]} \\ ${columns[0]}`)), columns[1].map((two) => h("th", { scope: "col", class: "mono" }, two)), h("th", { scope: "col" }, "all"))),
      h("tbody", {}, rows[1].map((one) => h("tr", {}, h("th", { scope: "row", class: "mono" }, soft(one)), columns[1].map((two) => show(cell(one, two))), show(cell(one, null), true))), h("tr", {}, h("th", { scope: "row" }, "all"), columns[1].map((two) => show(cell(null, two), true)), show(cell(null, null), true)))));
  });
  const pick = (side, other, label) => choice(label, sides.map(([key]) => [key, key]), chosen[side], (value) => { if (value === chosen[other]) chosen[other] = chosen[side]; chosen[side] = value; selects.forEach(([node, name]) => { node.value = chosen[name]; }); change({}); });
  const selects = [["rows", "columns", "The key of the rows"], ["columns", "rows", "The key of the columns"]].map(([side, other, label]) => [pick(side, other, label), side]);
  return section("pivot", "Two keys at a time", "Mean ± standard deviation of all runs with both values.", h("div", { class: "row filters" }, h("label", { class: "row small" }, h("span", { class: "soft" }, "rows"), selects[0][0]), h("label", { class: "row small" }, h("span", { class: "soft" }, "columns"), selects[1][0])), body);
}
