/* One sample: the clip on its stage, what was said in each language, and what lies near it in the space. */
let speedNow = 1;

function pairOf(line, current) {
  const found = compared(line), code = String(line.language), spoken = spokenIn(code), scores = Object.entries(line.scores || {}).filter(([, value]) => isNumber(value));
  const figures = [...scores.map(([name, value]) => [metricTitle(name), UNIT.has(name) ? value.toFixed(2) : value.toFixed(0)]), ...(isNumber(line.cosine) ? [["cosine", line.cosine.toFixed(2)]] : []), ...(isNumber(line.log_likelihood) ? [["log p", line.log_likelihood.toFixed(2)]] : [])];
  const others = found.others, more = others.length + (line.more || 0);
  return h("div", { class: `pair ${kind(line)} ${current ? "current" : ""}`, "data-language": code },
    h("div", { class: "who" }, h("b", {}, nameOf(code)), h("span", { class: "chip" }, kind(line))),
    h("p", { ...spoken, class: "said" }, h("span", { class: "hidden" }, "translation: "), hypothesisWords(found)),
    h("p", { ...spoken, class: "reference" }, h("span", { class: "hidden" }, "reference: "), referenceWords(found)),
    h("div", { class: "under" }, figures.map(([name, value]) => h("span", {}, name, " ", h("b", {}, value))),
      more ? h("details", { class: "others" }, h("summary", {}, `${more} more right ${more > 1 ? "answers" : "answer"}`), others.map((item) => h("p", spoken, item.text)), line.more ? h("p", {}, `and ${line.more} that are not shown`) : null) : null));
}

function neighbours(id) {
  const i = placeOf.get(String(id));
  if (i === undefined || !space.nearest || !space.nearest[i]) return null;
  const spoken = spokenIn(space.language), item = (j, cosine) => h("li", { class: isOwn(i, j) ? "own" : "" },
    h("span", { class: "bar" }, h("i", { style: `width:${clamp((isNumber(cosine) ? cosine : 0) * 100, 0, 100)}%` })), h("span", { class: "mono" }, isNumber(cosine) ? cosine.toFixed(2) : ""),
    browser.has(space.ids[j]) && j !== i ? h("button", { type: "button", class: "plain", ...spoken, onclick: () => browser.open(space.ids[j]) }, space.sentences[j]) : h("span", spoken, space.sentences[j]));
  const list = space.nearest[i], own = list.some((j) => isOwn(i, j));
  return h("div", { class: "near" }, h("h4", {}, "Nearest sentences in the space", space.rank && isNumber(space.rank[i]) ? h("small", {}, space.rank[i] === 1 ? " its own comes first" : ` its own is number ${count(space.rank[i])}`) : null),
    h("ol", {}, list.map((j, k) => item(j, ((space.nearest_cosine || [])[i] || [])[k])), own ? null : item(i, (space.cosine || [])[i])));
}

function sampleView({ codes, close, step }) {
  const node = h("article", { class: "card detail", "aria-label": "The sample", tabindex: "-1" });
  let shownPlayer = null, ran = false;
  const turn = (word, d, by) => h("button", { type: "button", class: "round", "aria-label": word, title: word, onclick: () => step(by) }, icon(d));
  function show(sample, code, at, of) {
    const clip = moving.has(sample.id) ? clipOf(sample.id) : null, going = shownPlayer ? shownPlayer.playing() : !STILL && ran;
    if (shownPlayer) shownPlayer.play(false);
    ran = true;
    shownPlayer = clip ? player(clip, sample.id, data, { moving: going || (!STILL && !shownPlayer), speed: speedNow, onspeed: (now) => { speedNow = now; } }) : null;
    const seconds = clip ? clip.frames / clip.fps : isNumber(sample.frames) ? sample.frames / (sample.fps || 25) : null;
    const lines = [...sample.translations].sort((a, b) => Number(b.language === code) - Number(a.language === code));
    node.replaceChildren(...[h("div", { class: "head row" }, h("button", { type: "button", class: "round close", "aria-label": "Back to the list", onclick: close }, icon("M9 1L3 7l6 6 1.5-1.5L6 7l4.5-4.5z")),
      h("h3", { class: "mono" }, sample.id), h("span", { class: "soft" }, [isNumber(seconds) ? `${seconds.toFixed(1)} s` : null, sample.signer ? `signer ${sample.signer}` : null].filter(Boolean).join(" · ")),
      typeof sample.known === "boolean" ? h("span", { class: "chip quiet" }, sample.known ? "sentence seen in training" : "new sentence") : null,
      h("span", { class: "push soft" }, at >= 0 ? `${count(at + 1)} of ${count(of)}` : ""), turn("Previous sample", "M9 1L3 7l6 6 1.5-1.5L6 7l4.5-4.5z", -1), turn("Next sample", "M5 1l6 6-6 6-1.5-1.5L8 7 3.5 2.5z", 1)),
    h("div", { class: clip ? "body" : "body still" }, clip ? h("div", { class: "left" }, shownPlayer.node, neighbours(sample.id)) : null,
      h("div", { class: "pairs" }, lines.map((line) => pairOf(line, line.language === code && codes.length > 1)))), clip ? null : neighbours(sample.id)].filter(Boolean));
    node.scrollTop = 0;
  }
  return { node, show, toggle: () => shownPlayer && shownPlayer.toggle(), move: (by) => shownPlayer && shownPlayer.move(by) };
}

const KEYS = [["/", "search"], ["j k", "next, previous sample"], ["← →", "the same"], ["space", "play or pause"], [", .", "one frame back or on"], ["Esc", "back to the list, clear the search"], ["?", "these keys"]];

function listenToKeys({ search, step, detail, close }) {
  const help = h("dialog", { class: "card help", "aria-label": "Keys" }, h("h3", {}, "Keys"), h("dl", {}, KEYS.map(([key, does]) => [h("dt", {}, key.split(" ").map((one) => h("kbd", {}, one))), h("dd", {}, does)])), h("form", { method: "dialog" }, h("button", {}, "Close")));
  document.body.append(help);
  const does = {
    "/": () => { search.scrollIntoView({ block: "center" }); search.focus(); search.select(); }, j: () => step(1), k: () => step(-1), ArrowRight: () => step(1), ArrowLeft: () => step(-1),
    " ": () => detail.toggle(), ",": () => detail.move(-1), ".": () => detail.move(1), "?": () => help.showModal(), Escape: close,
  };
  addEventListener("keydown", (event) => {
    const within = event.target.closest ? event.target : document.body;
    if (event.ctrlKey || event.metaKey || event.altKey || help.open || !does[event.key]) return;
    if (within === search && event.key === "Escape") { search.value = ""; search.dispatchEvent(new Event("input")); search.blur(); return; }
    if (within.closest("input, select, textarea") || (event.key === " " && within.closest("button, summary, a"))) return;
    event.preventDefault();
    does[event.key]();
  });
}
