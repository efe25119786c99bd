/* The page of a prepared corpus: its head, and the parts in order. */
const splits = Object.keys(data.splits);
const TINTS = { train: "--trained", dev: "--dev", test: "--unseen" };
const tint = (split) => `var(${TINTS[split] || "--soft"})`;
const total = (key) => splits.reduce((sum, split) => sum + data.splits[split][key], 0);
const added = (values) => Object.values(values).reduce((a, b) => a + b, 0);

function header() {
  const faults = Object.values(data.faults).map(added).reduce((a, b) => a + b, 0), out = total("labelled") - total("clips");
  const tile = (title, figure, under) => h("div", { class: "tile" }, h("div", { class: "title" }, title), h("div", { class: "figure" }, figure), h("div", { class: "under" }, under));
  return h("header", { class: "masthead" }, h("div", { class: "wide" },
    h("div", { class: "eyebrow" }, "corpus", themeToggle()), h("h1", {}, data.corpus),
    h("div", { class: "facts" }, fact("sign language", data.sign_language), fact("release", data.root), fact("prepared as", data.fingerprint)),
    h("div", { class: "tiles" }, tile("clips", count(total("clips")), `of ${count(total("labelled"))} in the labels`), tile("hours", total("hours").toFixed(2), `${count(total("frames"))} frames`),
      tile("signers", data.signers.some((signer) => signer.name) ? count(data.signer_count) : "–", "over all splits"), tile("faults", count(faults), out ? `${plural(out, "clip")} left out` : "no clip left out"))));
}

/* ---------- counts ---------- */
function counts() {
  const codes = [...new Set(splits.flatMap((split) => Object.keys(data.splits[split].languages)))];
  const first = codes.length ? data.splits[splits.find((split) => codes[0] in data.splits[split].languages)].languages[codes[0]] : null;
  const table = (code) => h("table", {},
    h("thead", {}, h("tr", {}, ["split", "clips", "in the labels", "hours", "frames", "signers", "sentences", "by machine", data.splits[splits[0]].languages[code]?.unit || first?.unit || "words", "distinct", "ids"].map((name) => h("th", {}, name)))),
    h("tbody", {}, splits.map((split) => {
      const found = data.splits[split], said = found.languages[code] || {};
      const cells = [count(found.labelled), found.hours.toFixed(2), ...[found.frames, found.signers, said.sentences ?? 0, said.pseudo ?? 0, said.words ?? 0, said.vocabulary ?? 0].map(count)];
      return h("tr", {}, h("th", {}, split), h("td", { class: "strong" }, count(found.clips)), cells.map((cell) => h("td", { class: "soft" }, cell)), h("td", { class: "soft mono" }, found.ids_hash));
    })));
  const code = data.language || codes[0], place = h("div", { class: "card table scroll" }, table(code)), lines = [...data.known, ...data.notes];
  const choose = codes.length > 1 ? choice("Language of the sentences", codes.map((name) => [name, name]), code, (name) => place.replaceChildren(table(name))) : null;
  return section("counts", "Counts", null, choose ? h("div", { class: "row above" }, choose) : null, place, lines.length ? h("ul", { class: "says" }, lines.map((line) => h("li", {}, line))) : null);
}

/* ---------- how long, and who ---------- */
function lengths(title, unit, found) {
  if (!found) return null;
  const names = splits.filter((split) => found.counts[split]), bins = found.counts[names[0]].length, tell = (value) => Number(value.toFixed(1));
  const series = names.map((split) => ({ name: split, tint: tint(split), shares: found.counts[split].map((n) => n / added(found.counts[split])) }));
  const range = (bin) => (bin === bins - 1 ? `from ${tell(bin * found.step)} ${unit} on` : `${tell(bin * found.step)} to ${tell((bin + 1) * found.step)} ${unit}`);
  return stepChart({
    title, series, rest: `the longest: ${tell(found.longest)} ${unit}; point at a bar to read it`,
    mark: (part) => `${tell(Math.round(part * bins) * found.step)}${part === 1 ? `+ ${unit}` : ""}`,
    read: (bin) => `${range(bin)}: ${names.map((split) => `${split} ${count(found.counts[split][bin])}`).join(", ")}`,
  });
}

function people() {
  const told = data.signers.filter((signer) => signer.name);
  if (!told.length) return null;
  const sum = (signer) => splits.reduce((all, split) => all + (signer[split] || 0), 0), most = Math.max(...told.map(sum)), more = data.signer_count - told.length;
  return h("div", { class: "card chart" }, h("h3", {}, "Clips per signer"), h("div", { class: "read" }, more > 0 ? `and ${count(more)} more signers` : ""),
    h("div", { class: "people" }, data.signers.map((signer) => [h("div", { class: "who" }, signer.name || "not told"),
      h("div", { class: "parts" }, splits.map((split) => h("i", { style: `--c:${tint(split)};width:${((signer[split] || 0) / most) * 100}%`, title: `${split} ${count(signer[split] || 0)}` }))), h("div", { class: "n" }, count(sum(signer)))])));
}

function measures() {
  const unit = splits.map((split) => data.splits[split].languages[data.language]?.unit).find(Boolean) || "words";
  const charts = [lengths("Length of clips", "s", data.seconds), lengths(`Length of sentences, ${data.language}`, unit, data.words), people()].filter(Boolean);
  if (!charts.length) return null;
  return section("measures", "How long, and who", null, h("div", { class: "legend" }, splits.map((split) => h("span", { style: `--c:${tint(split)}` }, h("i", { class: "block" }), split)), h("span", {}, "lengths as shares of a split")), h("div", { class: "charts" }, charts));
}

/* ---------- faults ---------- */
const AT_ONCE = 30;
function faults() {
  const sum = (kind) => added(data.faults[kind]), kinds = Object.keys(data.faults).sort((a, b) => sum(b) - sum(a));
  if (!kinds.length) return section("faults", "Faults", "None was found.");
  let kind = null, open = AT_ONCE;
  const list = h("div", { class: "card list" }), told = h("p", { class: "note", "aria-live": "polite" });
  const search = h("input", { type: "search", placeholder: "an id, or words of a sentence", "aria-label": "Filter the faults", oninput: () => { open = AT_ONCE; draw(); } });
  const chips = kinds.map((name) => h("button", { type: "button", class: "kind", "aria-pressed": "false", onclick: () => { kind = kind === name ? null : name; open = AT_ONCE; draw(); } },
    h("span", { class: "mono" }, name), h("b", {}, count(sum(name))), h("small", {}, data.kinds[name] || ""), h("small", {}, Object.entries(data.faults[name]).map(([done, n]) => `${count(n)} ${done}`).join(", "))));
  const more = h("button", { type: "button", onclick: () => { open += 200; draw(); } }, "Show more"), below = h("p", { class: "more" }, more);
  const row = (fault) => h("div", { class: "fault" },
    h("div", {}, h("div", { class: "id mono" }, fault.id || "(no id)"), h("div", { class: "what" }, fault.split ? `${fault.split} · ` : "", fault.kind, " · ", h("span", { class: fault.done === "left out" ? "out" : "" }, fault.done))),
    h("div", {}, h("p", {}, fault.told), fault.text ? h("p", { class: "soft", dir: "auto" }, fault.text) : null));
  function draw() {
    const wanted = fold(search.value.trim()), ofKind = data.listed.filter((fault) => !kind || fault.kind === kind);
    const found = ofKind.filter((fault) => !wanted || fold(`${fault.id} ${fault.told} ${fault.text}`).includes(wanted));
    chips.forEach((chip, i) => chip.setAttribute("aria-pressed", String(kinds[i] === kind)));
    list.replaceChildren(...(found.length ? found.slice(0, open).map(row) : [h("p", { class: "empty" }, "No fault fits.")]));
    const all = (kind ? [kind] : kinds).reduce((n, name) => n + sum(name), 0);
    told.textContent = `${count(Math.min(open, found.length))} of ${count(found.length)} shown` + (ofKind.length < all ? `; ${count(all - ofKind.length)} more are in faults.jsonl` : "");
    below.hidden = found.length <= open;
  }
  draw();
  return section("faults", "Faults", "What was found, and what was done with the clip. Nothing is left out but by a rule of preparation.leave_out.",
    h("div", { class: "kinds" }, chips), h("div", { class: "row above" }, search), told, list, below);
}

/* ---------- clips ---------- */
function samples() {
  if (!data.samples.length) return null;
  let running = !STILL;
  const players = data.samples.map((sample) => player(sample.clip, sample.id, data, { moving: running })), name = () => (running ? "Pause all" : "Play all");
  const toggle = h("button", { type: "button", onclick: () => { running = !running; players.forEach((each) => each.play(running)); toggle.textContent = name(); } }, name());
  const cards = data.samples.map((sample, i) => {
    const said = Object.entries(sample.texts).sort(([a], [b]) => (b === data.language) - (a === data.language)).flatMap(([code, texts]) => texts.map((text) => h("p", { lang: code.slice(0, 3), dir: "auto" }, h("span", { class: "code" }, code), text)));
    return h("article", { class: "card sample" }, players[i].node, h("div", { class: "words" },
      h("p", { class: "mono soft" }, sample.id), h("p", { class: "code" }, [sample.split, sample.signer].filter(Boolean).join(" · ")), said[0] || null,
      sample.gloss ? h("p", { class: "mono soft" }, sample.gloss) : null, said.length > 1 ? h("details", {}, h("summary", {}, `${said.length - 1} more`), said.slice(1)) : null));
  });
  return section("clips", "Clips", "As they are stored, from all over the manifest; not chosen by anything else.", h("div", { class: "row" }, toggle), h("div", { class: "samples" }, cards));
}

/* ---------- how it was made ---------- */
function origin() {
  const told = { settings: data.settings, pose: data.pose, preparation: data.preparation };
  return section("origin", "How it was made", null, h("details", { class: "card" }, h("summary", {}, "Settings"), h("pre", { class: "mono" }, JSON.stringify(told, null, 2))));
}

compose(header, [counts, measures, faults, samples, origin]);
