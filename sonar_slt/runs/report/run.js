/* The page of one run, put together. */
function headline() {
  const tile = (tint, title, value, unit, under) => h("div", { class: `tile ${tint}` }, h("div", { class: "title" }, title), h("div", { class: "figure" }, value, unit ? h("small", {}, ` ${unit}`) : null), h("div", { class: "under" }, under));
  const found = [];
  for (const [seen, title] of [[true, "BLEU, trained"], [false, "BLEU, unseen"]]) {
    const rows = data.scores.filter((row) => Boolean(row.seen) === seen && row.bleu && isNumber(row.bleu.value)), bounded = rows.filter((row) => isNumber(row.ceiling));
    if (!rows.length) continue;
    const top = bounded.length ? `, ceiling ${one(mean(bounded.map((row) => row.ceiling)))}` : "";
    found.push(tile(seen ? "trained" : "unseen", title, one(mean(rows.map((row) => row.bleu.value))), "", rows.length > 1 ? `mean of ${rows.length} languages${top}` : `${rows[0].name || rows[0].language}${top}`));
  }
  const at1 = data.metrics.retrieval_at_1;
  if (isNumber(at1)) found.push(tile("", "Retrieval@1", one(at1), "%", data.clips ? `own sentence among ${count((data.retrieval || {}).n || data.clips)}` : "own sentence found"));
  if (data.clips) found.push(tile("", "Clips", count(data.clips), "", `${data.split} split, ${plural(Object.keys(data.names).length || data.scores.length, "language")}`));
  found.push(...textSpaceTiles(tile));
  const others = found.length ? [] : Object.entries(data.metrics).slice(0, 4).map(([name, value]) => tile("", name, short(value), "", ""));
  return found.length + others.length ? h("div", { class: "tiles" }, found, others) : null;
}

// The first clip that moves, with what was said of it below: one language after the other, as subtitles.
function film() {
  const sample = data.samples.find((one) => moving.has(one.id));
  if (!sample || !sample.translations.length) return null;
  const lines = sample.translations;
  let at = 0;
  const subtitle = h("p", { class: "subtitle" }), dots = h("div", { class: "dots" }, lines.map((line, i) => h("button", { type: "button", "aria-label": `Subtitle in ${nameOf(line.language)}`, onclick: () => say(i) })));
  const say = (i) => {
    at = i;
    const line = lines[i];
    subtitle.replaceChildren(h("span", { class: `lang ${kind(line)}` }, nameOf(line.language)), h("span", spokenIn(line.language), line.hypothesis.trim() ? line.hypothesis : "(empty)"));
    [...dots.children].forEach((dot, j) => dot.setAttribute("aria-current", String(j === i)));
  };
  say(0);
  const stage = player(clipOf(sample.id), sample.id, data, { moving: !STILL, onloop: () => say((at + 1) % lines.length) });
  return h("figure", { class: "film" }, stage.node, h("figcaption", {}, subtitle, lines.length > 1 ? dots : null));
}

function header() {
  const run = data.run, git = run.git && run.git.sha ? run.git.sha.slice(0, 8) + (run.git.dirty ? " + changes" : "") : null, reel = film();
  return h("header", { class: "masthead" }, h("div", { class: "wide" }, h("div", { class: "eyebrow" }, h("b", {}, "sonar-slt"), h("span", { class: `pill ${run.status}` }, run.status), themeToggle()),
    h("div", { class: reel ? "opening" : "" }, h("div", { class: "words" }, h("h1", {}, run.name),
      h("div", { class: "facts" }, fact("verb", run.verb), fact("started", run.started), fact("took", duration(run.seconds)), fact("device", run.device), fact("seed", run.seed), fact("id", run.id), fact("code", git)),
      data.overrides.length ? h("div", { class: "overrides" }, data.overrides.slice(0, 12).map((word) => h("span", { class: "override mono" }, word.length > 80 ? `${word.slice(0, 79)}…` : word)), data.overrides.length > 12 ? h("span", { class: "override" }, `and ${data.overrides.length - 12} more`) : null) : null,
      run.reason ? h("p", { class: "reason" }, run.reason) : null, headline()), reel)));
}

compose(header, [scores, textSpace, diagnosis, samples, breakdown, spaceSection, curves, progress, origin]);
