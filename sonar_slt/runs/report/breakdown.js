/* Where a score comes from: by length, by signer, by whether the sentence was known from training. */
const GROUPED = { length: "By length of the sentence", signer: "By signer", sentence: "By whether training had the sentence" };

function breakdown() {
  const rows = scoreRows.filter((row) => row.breakdown && Object.values(row.breakdown).some((groups) => groups && groups.length > 1));
  if (!rows.length) return null;
  const names = metricNames.filter((name) => rows.some((row) => Object.values(row.breakdown).some((groups) => (groups || []).some((group) => group[name]))));
  if (!names.length) return null;
  let code = rows[0].language, name = names.includes("bleu") ? "bleu" : names[0];
  const place = h("div", { class: "charts halves" });
  const draw = () => {
    const row = rows.find((found) => found.language === code), lists = Object.entries(row.breakdown).filter(([, groups]) => groups && groups.length > 1);
    const max = niceMax(lists.flatMap(([, groups]) => groups.flatMap((group) => [(group[name] || {}).value, ...((group[name] || {}).interval || [])])), UNIT.has(name) ? 0.1 : 10);
    place.replaceChildren(...lists.map(([key, groups]) => h("div", { class: "card chart" }, h("h3", {}, GROUPED[key] || key), h("div", { class: `groups ${kind(row)}` }, groups.map((group) => {
      const score = group[name] || {};
      return [h("div", { class: "who" }, String(group.group), h("small", {}, plural(group.n, "clip"))), track({ value: score.value, interval: score.interval, max, label: `${group.group}: ${metricTitle(name)} ${metricValue(name, score.value)}` }), h("div", { class: "value" }, metricValue(name, score.value))];
    })))));
  };
  draw();
  return section("breakdown", "Where it is good", "The same score for parts of the split. A whisker is a 95 % interval: groups of few clips have wide ones.",
    h("div", { class: "row spaced" }, names.length > 1 ? segmented("Score", names.map((one) => [one, metricTitle(one)]), name, (now) => { name = now; draw(); }) : null,
      rows.length > 1 ? choice("Language", rows.map((row) => [row.language, row.name || row.language]), code, (now) => { code = now; draw(); }) : null), place);
}
