/* A text space: how well sentences survive it, language by language, and from each language into each other one. */
const SPACE_SCORES = { auto_encoding_bleu: ["There and back", "BLEU", 1], translation_bleu: ["From one language into another", "BLEU", 1], xsim: ["xsim", "% of sentences whose translation is not the nearest", 2], xsim_plus_plus: ["xsim++", "% of them among hard wrong ones", 2] };
const PAIR = /^([a-z]{3}_[A-Z][a-z]{3})-([a-z]{3}_[A-Z][a-z]{3})$/;

function fromInto(values) { // a table whose cells are coloured from the least to the greatest
  const pairs = Object.entries(values).map(([key, value]) => [...(key.match(PAIR) || []).slice(1), value]).filter((pair) => pair.length === 3 && isNumber(pair[2]));
  const codes = [...new Set(pairs.flatMap(([from, into]) => [from, into]))].sort(), found = new Map(pairs.map(([from, into, value]) => [`${from} ${into}`, value]));
  const least = Math.min(...pairs.map((pair) => pair[2])), most = Math.max(...pairs.map((pair) => pair[2]));
  const cell = (value) => (isNumber(value) ? h("td", { style: `--heat:${Math.round(12 + (58 * (value - least)) / (most - least || 1))}%` }, one(value)) : h("td", { class: "soft" }, "·"));
  return h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "From each language into each other" }, h("table", { class: "heat" },
    h("thead", {}, h("tr", {}, h("th", {}, "from \\ into"), codes.map((code) => h("th", { scope: "col", title: code }, nameOf(code))))),
    h("tbody", {}, codes.map((from) => h("tr", {}, h("th", { scope: "row" }, nameOf(from)), codes.map((into) => cell(found.get(`${from} ${into}`))))))));
}

function textSpace() {
  const measured = data.text_space;
  if (!measured) return null;
  const cards = Object.entries(measured).filter(([, values]) => values && typeof values === "object").map(([name, values]) => {
    const [title, unit, digits] = SPACE_SCORES[name] || [name.replaceAll("_", " "), "", 2], list = Object.entries(values).filter(([key, value]) => key !== "mean" && isNumber(value));
    if (!list.length) return null;
    const pairs = list.some(([key]) => PAIR.test(key)), max = niceMax(list.map(([, value]) => value), 1);
    return h("div", { class: `card chart ${pairs ? "broad" : ""}` }, h("h3", {}, title), h("div", { class: "read" }, [unit, isNumber(values.mean) ? `mean ${values.mean.toFixed(digits)}` : null].filter(Boolean).join(", ")),
      pairs ? fromInto(values) : h("div", { class: "groups trained" }, list.map(([code, value]) => [h("div", { class: "who" }, nameOf(code)), track({ value, max, label: `${nameOf(code)}: ${value.toFixed(digits)}` }), h("div", { class: "value" }, value.toFixed(digits))])));
  }).filter(Boolean);
  return cards.length ? section("languages", "The space", isNumber(measured.n) ? `Measured on ${plural(measured.n, "sentence")} of each language${isNumber(measured.n_decoded) ? `, of which ${count(measured.n_decoded)} were decoded` : ""}.` : null, h("div", { class: "charts" }, cards)) : null;
}

function textSpaceTiles(tile) {
  const measured = data.text_space || {}, of = (name) => (measured[name] || {}).mean;
  return [["auto_encoding_bleu", "There and back", "", "mean BLEU"], ["translation_bleu", "Between languages", "", "mean BLEU"], ["xsim_plus_plus", "xsim++", "%", "errors, mean"]].filter(([name]) => isNumber(of(name)))
    .map(([name, title, unit, under]) => tile("trained", title, name === "xsim_plus_plus" ? of(name).toFixed(2) : one(of(name)), unit, under));
}
