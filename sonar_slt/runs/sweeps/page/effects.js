/* What each key does: its share of the whole, and its values beside each other with every run as a dot. */

function importance() {
  return section("importance", "What matters", "How much of the difference between runs goes with each key, in a plain sum of the keys' effects (eta squared). What is left is for what keys do only together, and for chance between seeds.",
    drawn(() => {
      const found = effectsNow(), rows = strongest();
      if (!rows.length) return note("All runs that reached this figure have the same settings: nothing can be told apart.");
      if (rows.every((row) => row.share === null)) return note(keys.length === 1 && keys[0].key === "seed" ? "Only the seed differs, so there is nothing to weigh: the spread below is chance." : "Every combination was run once and nothing is left to weigh a key against: add seeds, such as seed=1,2,3.");
      const rests = [["keys together", found.together], ["seeds and chance", found.seeds], ["more than one key could be the reason", found.shared]].filter(([, share]) => isNumber(share) && Math.abs(share) > 0.0005);
      const line = (name, share, tint, quiet) => h("div", { class: quiet ? "share quiet" : "share" }, h("span", { class: quiet ? "" : "mono" }, name),
        h("div", { class: "track", role: "img", "aria-label": `${name}: ${percent(share)}`, style: `--tint:${tint}` }, h("div", { class: "fill", style: `width:${clamp(share * 100, 0, 100)}%` })), h("b", {}, percent(share)));
      return [h("div", { class: "card shares" }, rows.map((row) => line(row.key, row.share, "var(--trained)")), rests.map(([name, share]) => line(name, share, "var(--train)", true))), found.caveats.map((text) => note(text, "warn"))];
    }));
}

function effects() {
  return section("effects", "Key by key", "Each dot is a run, the bar the mean of its value, the line around it the spread over seeds with all other keys held. Differences are taken in pairs of runs that are alike in everything else, with the 95 % interval of their mean.",
    drawn(() => {
      const rows = strongest();
      return rows.length ? [colourLegend(), h("div", { class: "effects" }, rows.map(effect))] : note("Nothing differs between the runs that reached this figure.");
    }));
}

function ticks(low, high, about = 4) {
  const raw = (high - low) / about || 1, unit = 10 ** Math.floor(Math.log10(raw)), step = [1, 2, 5, 10].map((m) => m * unit).find((size) => size >= raw);
  return Array.from({ length: 12 }, (_, i) => (Math.ceil(low / step - 1e-9) + i) * step).filter((at) => at <= high + step * 1e-9);
}

// A tick says all of its digits, so that no two look alike.
const tickText = (value) => (value !== 0 && (Math.abs(value) < 0.001 || Math.abs(value) >= 100000) ? Number(value.toPrecision(5)).toExponential() : String(Number(value.toPrecision(5)))).replace("-", "−");

function effect(found) {
  const values = runs.filter(counted).map((run) => figureOf(run)), [least, most] = ends(values), room = (most - least || Math.abs(most) * 0.1 || 1) * 0.07;
  const scale = (value) => ((value - least + room) / (most - least + 2 * room)) * 100, marksAt = ticks(least - room, most + room);
  const lines = () => marksAt.map((at) => h("i", { class: "gridline", style: `left:${scale(at)}%` }));
  const card = h("div", { class: "card effect" }), body = h("div", { class: "levels" });
  let against = found.levels[0].value;
  const draw = () => body.replaceChildren(...found.levels.map((level) => levelRow(found, level, against, scale, lines)),
    h("div", { class: "level axis", "aria-hidden": "true" }, h("span", {}), h("div", { class: "plot" }, marksAt.map((at) => h("span", { style: `left:${scale(at)}%` }, tickText(at)))), h("span", {}, brief(state.target))));
  draw();
  const reference = found.levels.length > 2 && found.differences.length >= (found.levels.length * (found.levels.length - 1)) / 2
    ? h("label", { class: "row soft small" }, "held against", choice(`The value of ${found.key} that the others are held against`, found.levels.map((level) => [level.value, level.value]), against, (value) => { against = value; draw(); mark(); })) : null;
  card.append(h("div", { class: "row" }, h("h3", { class: "mono" }, found.key), isNumber(found.share) ? h("span", { class: "chip quiet" }, `${percent(found.share)} of the difference`) : null, h("span", { class: "push" }), reference), body);
  return card;
}

function levelRow(found, level, against, scale, lines) {
  const members = runs.map((run, index) => [run, index]).filter(([run]) => counted(run) && run.groups[found.key] === level.value && isNumber(figureOf(run)));
  const places = [];
  const dots = members.sort((a, b) => figureOf(a[0]) - figureOf(b[0])).map(([run, index]) => { // dots that would lie on one another step aside
    const at = scale(figureOf(run)), near = places.filter((other) => Math.abs(other - at) < 1.6).length;
    places.push(at);
    return pointed(h("i", { class: "dot", style: `left:${at}%;--tint:${tintOf(run)};--step:${near ? (near % 2 ? -1 : 1) * Math.ceil(near / 2) * 7 : 0}px` }), index);
  });
  const whisker = isNumber(level.spread) ? h("i", { class: "reach", style: `left:${scale(level.mean - level.spread)}%;right:${100 - scale(level.mean + level.spread)}%` }) : null;
  const words = `${level.value}: mean ${told(level.mean)} of ${plural(level.n, "run")}${isNumber(level.spread) ? `, spread over seeds ${told(level.spread)}` : ""}`;
  return h("div", { class: "level" },
    h("div", { class: "name" }, h("span", { class: "mono" }, soft(level.value)), h("small", {}, plural(level.n, "run"))),
    h("div", { class: "plot", role: "img", "aria-label": words }, lines(), whisker, h("i", { class: "middle", style: `left:${scale(level.mean)}%` }), dots),
    h("div", { class: "says" }, h("b", {}, told(level.mean)), isNumber(level.spread) ? h("span", { class: "soft" }, ` ± ${told(level.spread)}`) : null, difference(found, level.value, against)));
}

function difference(found, value, against) {
  if (value === against) return h("small", {}, found.levels.length > 2 ? "the others are held against this" : "the other is held against this");
  const one = found.differences.find((other) => other.value === value && other.against === against), turned = found.differences.find((other) => other.value === against && other.against === value);
  if (!one && !turned) return null;
  const { mean: apart, low, high, pairs } = one || { ...turned, mean: -turned.mean, low: isNumber(turned.high) ? -turned.high : null, high: isNumber(turned.low) ? -turned.low : null };
  const sure = isNumber(low) && (low > 0 || high < 0), kind = sure ? ((apart > 0) === targetOf(state.target).higher ? "good" : "bad") : "";
  return h("small", { class: kind }, h("b", {}, told(apart, state.target, true)), isNumber(low) ? ` (${told(low, state.target, true)} to ${told(high, state.target, true)})` : "", pairs ? `, ${plural(pairs, "pair")}` : ", not in pairs");
}
