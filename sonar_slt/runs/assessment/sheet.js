/* An assessment sheet: a clip, the sentences to rate, and the ratings as a file. Nothing here knows whose they are. */
const STORE = `sonar-slt assessment ${data.sheet}`;
const clips = JSON.parse(document.getElementById("bulk").textContent).clips;
const screens = data.screens, total = screens.length;

/* ---------- what is kept ---------- */
const fresh = () => ({ words: data.words, name: "", started: null, at: -1, values: {}, comments: {}, cannot: {}, seconds: {} });
let keeps = true, state = fresh();
try { state = { ...state, ...JSON.parse(localStorage.getItem(STORE) || "{}") }; keep(); } catch { keeps = false; }

function keep() {
  try { localStorage.setItem(STORE, JSON.stringify(state)); } catch { keeps = false; }
}

const say = (key, ...values) => values.reduce((text, value, i) => text.replace(`{${i}}`, value), data.wording[state.words][key]);
const left = (number) => (state.cannot[number] ? 0 : screens[number].items.filter((item) => !(item.id in state.values)).length);
const finished = () => screens.filter((_, number) => left(number) === 0).length;
const letter = (place) => String.fromCharCode(65 + place);

/* ---------- the file that goes back ---------- */
function ratings() {
  return screens.flatMap((screen, number) => screen.items.filter((item) => state.cannot[number] || item.id in state.values).map((item) => ({
    item: item.id, value: state.cannot[number] ? null : state.values[item.id], comment: state.comments[item.id] || "", seconds: Math.round(state.seconds[number] || 0),
  })));
}

function exported() {
  return { format: "sonar-slt ratings", version: 1, sheet: data.sheet, judge: data.judge, language: data.language.code, name: state.name, started: state.started, saved: new Date().toISOString(), ratings: ratings() };
}

function asTable() {
  const cell = (value) => `"${String(value ?? "").replaceAll('"', '""')}"`;
  const rows = ratings().map((one) => [data.sheet, data.judge, one.item, one.value, one.seconds, one.comment]);
  return [["sheet", "judge", "item", "value", "seconds", "comment"], ...rows].map((row) => row.map(cell).join(",")).join("\r\n") + "\r\n";
}

function save(kind, text, type) {
  const name = `ratings-${data.judge}.${data.language.code}.${kind}`, link = h("a", { href: URL.createObjectURL(new Blob([text], { type })), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  page.querySelector("#saved").textContent = say("saved", name);
}

/* ---------- pieces ---------- */
function bar() {
  const done = finished();
  const choose = choice(say("language"), Object.entries(data.wording).map(([name, words]) => [name, words.own_name]), state.words, (name) => { state.words = name; keep(); show(state.at); page.querySelector(".top select").focus(); });
  return h("header", { class: "top" },
    h("div", { class: "progress", role: "progressbar", "aria-valuemin": 0, "aria-valuemax": total, "aria-valuenow": done }, h("i", { style: `width:${(100 * done) / total}%` })),
    h("div", { class: "row" },
      h("b", {}, say("sheet", data.judge)),
      h("span", { class: "soft" }, state.at >= 0 && state.at < total ? say("clip", state.at + 1, total) : data.language.name),
      h("span", { class: "push" }),
      state.at >= 0 ? h("button", { type: "button", onclick: () => show(-1) }, say("instructions")) : null,
      Object.keys(data.wording).length > 1 ? choose : null, themeToggle()));
}

let stage = null; // what P plays
function scene(id) {
  stage = null;
  if (id in data.videos) {
    const source = data.videos[id], video = h("video", { src: source, controls: true, loop: true, playsinline: true, autoplay: !STILL, preload: "auto", "aria-label": id });
    const fault = h("p", { class: "soft", hidden: true }, say("no_video", id, decodeURIComponent(source)));
    video.muted = true; // signs make no sound, and what is silent may start by itself
    video.addEventListener("error", () => { video.hidden = true; fault.hidden = false; });
    stage = { toggle: () => (video.paused ? video.play() : video.pause()) };
    return h("div", { class: "stage" }, video, fault);
  }
  if (!(id in clips)) return h("p", { class: "card remark warn" }, say("video", id));
  stage = player(clips[id], id, data, { moving: !STILL, speed: state.speed || 1, onspeed: (speed) => { state.speed = speed; keep(); } });
  return stage.node;
}

function rated(item, place, alone, changed) {
  const readout = h("output", { for: `scale-${item.id}` }), slider = h("input", {
    type: "range", id: `scale-${item.id}`, class: "scale", min: 0, max: 100, step: 1, value: state.values[item.id] ?? 50, "aria-label": say("rating", letter(place)),
  });
  function mark() {
    const known = item.id in state.values;
    slider.classList.toggle("unset", !known);
    slider.setAttribute("aria-valuetext", known ? String(state.values[item.id]) : say("unrated"));
    slider.style.setProperty("--at", `${known ? state.values[item.id] : 0}%`);
    readout.textContent = known ? state.values[item.id] : "–";
    readout.title = known ? "" : say("unrated");
  }
  const set = (value) => { slider.value = value; state.values[item.id] = Number(slider.value); keep(); mark(); changed(); };
  slider.addEventListener("input", () => set(slider.value));
  slider.addEventListener("click", () => set(slider.value)); // where the middle was meant, nothing moved
  slider.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    if (/^[0-9]$/.test(event.key)) { event.preventDefault(); set(10 * Number(event.key)); }
  });
  mark();
  const comment = h("textarea", { rows: 2, maxlength: 2000, "aria-label": `${say("comment")} ${letter(place)}`, onchange: () => { state.comments[item.id] = comment.value; keep(); } }, state.comments[item.id] || "");
  return h("article", { class: "card sentence" },
    h("div", { class: "said" }, alone ? null : h("span", { class: "letter", title: say("sentence", letter(place)) }, letter(place)),
      h("p", { lang: data.language.code.replace("_", "-"), dir: data.language.rtl ? "rtl" : "ltr" }, item.text.trim() ? item.text : h("i", { class: "soft" }, say("empty")))),
    h("div", { class: "rate" }, slider, readout),
    h("div", { class: "ends" }, h("span", {}, say("low")), h("span", {}, say("high"))),
    h("details", { open: Boolean(state.comments[item.id]) }, h("summary", {}, say("comment")), comment));
}

/* ---------- the three kinds of page ---------- */
function introduction() {
  const name = h("input", { type: "text", id: "name", maxlength: 80, value: state.name, autocomplete: "off", onchange: () => { state.name = name.value; keep(); } });
  const steps = say("scale"), begun = state.started !== null;
  return [h("main", { class: "intro" },
    h("h1", {}, say("title")), h("p", { class: "lead" }, say("intro")),
    h("div", { class: "ruler", "aria-hidden": "true" }), h("ol", { class: "marks" }, steps.map((text, i) => h("li", {}, h("b", {}, Math.round((100 * i) / (steps.length - 1))), text))),
    h("ul", { class: "rules" }, say("rules").map((rule) => h("li", {}, rule))),
    h("p", { class: keeps ? "soft" : "card remark bad" }, say(keeps ? "kept" : "lost")),
    h("p", { class: "row who" }, h("label", { for: "name" }, say("name")), name),
    h("p", {}, h("button", { type: "button", class: "go", id: "begin", onclick: begin }, say(begun ? "resume" : "begin"))),
    h("details", { class: "keys" }, h("summary", {}, say("keys_title")), h("dl", {}, say("keys").map(([key, what]) => [h("dt", {}, key.split(" ").filter((word) => word !== "…").map((word) => h("kbd", {}, word))), h("dd", {}, what)]))))];
}

function begin() {
  state.started = state.started || new Date().toISOString();
  show(firstOpen());
}

const firstOpen = () => { const found = screens.findIndex((_, number) => left(number) > 0); return found < 0 ? total : found; };

function rating(number) {
  const screen = screens[number], rest = h("span", { class: "soft", role: "status" });
  const next = h("button", { type: "button", class: "go", id: "next", onclick: () => show(number + 1) }, say(number + 1 < total ? "next" : "finish"));
  const cannot = h("input", { type: "checkbox", id: "cannot", checked: Boolean(state.cannot[number]), onchange: () => { state.cannot[number] = cannot.checked; keep(); changed(); } });
  const list = h("div", { class: "sentences" });
  function changed() {
    const open = left(number);
    rest.textContent = open ? say("rest", open) : "";
    next.disabled = open > 0;
    list.classList.toggle("waived", cannot.checked);
    list.inert = cannot.checked;
  }
  list.append(...screen.items.map((item, place) => rated(item, place, screen.items.length === 1, changed)));
  changed();
  return [h("main", { class: "work" }, h("div", { class: "watch" }, scene(screen.clip), h("label", { class: "cannot" }, cannot, say("cannot"))),
    h("div", { class: "judge" }, list, h("nav", { class: "row moves" }, h("button", { type: "button", id: "back", onclick: () => show(number - 1) }, say("back")), h("span", { class: "push" }), rest, next)))];
}

function ending() {
  const done = finished();
  return [h("main", { class: "intro" }, h("h1", {}, say("done")), h("p", { class: "lead" }, done === total ? say("done_all", total) : say("done_some", done, total)),
    h("p", { class: "row" },
      h("button", { type: "button", class: "go", id: "save", onclick: () => save("json", `${JSON.stringify(exported(), null, 1)}\n`, "application/json") }, say("save")),
      h("button", { type: "button", id: "save-csv", onclick: () => save("csv", asTable(), "text/csv") }, say("save_csv")),
      done < total ? h("button", { type: "button", onclick: () => show(firstOpen()) }, say("first_open")) : null,
      h("button", { type: "button", id: "back", onclick: () => show(total - 1) }, say("back"))),
    h("p", { id: "saved", class: "soft", role: "status" }))];
}

/* ---------- going from one to the next ---------- */
let since = performance.now();
function show(number) {
  const before = state.at;
  if (before >= 0 && before < total) state.seconds[before] = (state.seconds[before] || 0) + Math.min((performance.now() - since) / 1000, 600); // a break is no work
  since = performance.now();
  state.at = clamp(number, -1, total);
  keep();
  document.documentElement.lang = { eng: "en", deu: "de", fra: "fr", spa: "es" }[state.words] || "en";
  page.replaceChildren(bar(), ...(state.at < 0 ? introduction() : state.at < total ? rating(state.at) : ending()));
  scrollTo(0, 0);
  const first = page.querySelector(".scale") || page.querySelector(".go");
  if (before !== state.at && first) first.focus({ preventScroll: true });
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || event.target.closest("textarea, input[type=text], select, button, summary")) return;
  if (event.key === "Enter") {
    event.preventDefault();
    const button = page.querySelector(event.shiftKey ? "#back" : "#next, #begin");
    if (button && !button.disabled) button.click();
  } else if (event.key.toLowerCase() === "p" && stage) { event.preventDefault(); stage.toggle(); }
});

// A sheet that was begun opens with the instructions, from where one goes on.
state.at = -1;
show(-1);
