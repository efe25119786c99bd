"use strict";
/* What every page is made with: elements, numbers, controls, and the frame around the sections. */
const data = JSON.parse(document.getElementById("data").textContent);
const page = document.getElementById("page");
const SVG = "http://www.w3.org/2000/svg";
const STILL = matchMedia("(prefers-reduced-motion: reduce)").matches;

/* ---------- elements ---------- */
function fill(node, attributes, children) {
  for (const [key, value] of Object.entries(attributes || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else node.setAttribute(key, value === true ? "" : value);
  }
  // Strings become text nodes: nothing from a run is ever read as markup.
  node.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}
const h = (tag, attributes, ...children) => fill(document.createElement(tag), attributes, children);
const s = (tag, attributes, ...children) => fill(document.createElementNS(SVG, tag), attributes, children);
const icon = (d, size = 14) => s("svg", { class: "icon", width: size, height: size, viewBox: "0 0 14 14", "aria-hidden": "true" }, s("path", { d }));

/* ---------- numbers and words ---------- */
const isNumber = (value) => typeof value === "number" && Number.isFinite(value);
const one = (value) => (isNumber(value) ? value.toFixed(1) : "");
const count = (value) => Number(value).toLocaleString("en");
const mean = (values) => values.reduce((a, b) => a + b, 0) / values.length;
const plural = (n, word, many = `${word}s`) => `${count(n)} ${n === 1 ? word : many}`;
const clamp = (value, low, high) => Math.max(low, Math.min(high, value));

function median(values) {
  const sorted = [...values].sort((a, b) => a - b), half = sorted.length >> 1;
  return sorted.length % 2 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}

function short(value) {
  if (!isNumber(value)) return "";
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size >= 100000 || size < 0.001) return value.toExponential(1).replace("e+", "e");
  return size >= 1000 ? count(Math.round(value)) : String(Number(value.toPrecision(3)));
}

function duration(seconds) {
  if (!isNumber(seconds)) return null;
  if (seconds < 60) return `${seconds.toFixed(0)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
  return `${Math.floor(seconds / 3600)} h ${Math.round((seconds % 3600) / 60)} min`;
}

// Text as it is searched: no case, no accents.
const fold = (text) => String(text ?? "").normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();

/* ---------- controls ---------- */
function choice(label, options, value, onchange, attributes = {}) { // options: [value, text]
  const select = h("select", { ...attributes, "aria-label": label, onchange: () => onchange(select.value) },
    options.map(([key, text]) => h("option", { value: key, selected: key === value }, text)));
  return select;
}

function segmented(label, options, value, onchange) { // one of a few; options: [value, text]
  const group = h("div", { class: "segmented", role: "group", "aria-label": label });
  const mark = (now) => [...group.children].forEach((button) => button.setAttribute("aria-pressed", String(button.dataset.value === now)));
  group.append(...options.map(([key, text]) => h("button", { type: "button", "data-value": key, onclick: () => { mark(key); onchange(key); } }, text)));
  mark(value);
  group.show = mark;
  return group;
}

function switched(label, on, onchange) { // a button that is on or off
  const button = h("button", { type: "button", class: "switch", "aria-pressed": String(on), onclick: () => {
    on = !on; button.setAttribute("aria-pressed", String(on)); onchange(on);
  } }, label);
  return button;
}

function themeToggle() {
  const root = document.documentElement, name = () => `Show the ${root.dataset.theme === "dark" ? "light" : "dark"} page`;
  const button = h("button", { type: "button", class: "round", "aria-label": name(), title: "Light or dark", onclick: () => {
    delete root.dataset.follows;
    root.dataset.theme = root.dataset.theme === "dark" ? "light" : "dark";
    button.setAttribute("aria-label", name());
  } }, icon("M7 1a6 6 0 1 0 0 12zM7 0a7 7 0 1 1 0 14A7 7 0 0 1 7 0z"));
  return button;
}

// Who draws on a canvas wants to know that the colours are others now.
const onTheme = (redraw) => new MutationObserver(redraw).observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
const colourOf = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/* ---------- a word beside the pointer ---------- */
const tip = h("div", { class: "tip", role: "status", hidden: true });
function showTip(x, y, ...children) {
  tip.replaceChildren(...children.flat(Infinity).filter(Boolean));
  tip.hidden = false;
  const box = tip.getBoundingClientRect();
  tip.style.left = `${clamp(x + 14, 8, innerWidth - box.width - 8)}px`;
  tip.style.top = `${y + 18 + box.height > innerHeight ? y - box.height - 12 : y + 18}px`;
}
function hideTip() { tip.hidden = true; }

/* ---------- the frame ---------- */
function section(id, title, note, ...children) {
  return h("section", { id, "aria-labelledby": `${id}-title` }, h("h2", { id: `${id}-title`, tabindex: "-1" }, title), note ? h("p", { class: "note" }, note) : null, children);
}

const fact = (name, value) => (value === null || value === undefined || value === "" ? null : h("span", {}, `${name} `, h("b", {}, String(value))));
const facts = (pairs) => h("dl", { class: "facts-list" }, pairs.filter(([, value]) => value !== null && value !== undefined && value !== "").map(([key, value]) => [h("dt", {}, key), h("dd", { class: "mono" }, value instanceof Node ? value : String(value))]));
const note = (text, kind = "") => h("p", { class: `card remark ${kind}` }, text);

function shown(part) { // a damaged file costs its own part, not the page
  try { return part(); } catch (error) { return note(`One part of this page cannot be shown: ${error.message}`, "bad"); }
}

function contentsBar(sections) {
  const go = (node) => { node.scrollIntoView({ behavior: STILL ? "auto" : "smooth" }); node.querySelector("h2").focus({ preventScroll: true }); };
  const links = sections.map((node) => h("button", { type: "button", onclick: () => go(node) }, node.querySelector("h2").textContent));
  const watch = new IntersectionObserver((entries) => entries.forEach((entry) => {
    const link = links[sections.indexOf(entry.target)];
    if (entry.isIntersecting) { links.forEach((other) => other.removeAttribute("aria-current")); link.setAttribute("aria-current", "true"); }
  }), { rootMargin: "-30% 0px -65% 0px" });
  sections.forEach((node) => watch.observe(node));
  return h("nav", { class: "contents", "aria-label": "Parts of this page" }, h("div", {}, links));
}

// `parts` are functions that give a section or null; `header` gives the top of the page.
function compose(header, parts) {
  const top = shown(header), made = parts.map(shown).filter(Boolean), sections = made.filter((node) => node.tagName === "SECTION");
  page.replaceChildren(...[top, sections.length > 1 ? contentsBar(sections) : null, h("main", {}, made), h("footer", {}, "Written by sonar-slt. This file holds everything it shows and fetches nothing."), tip].filter(Boolean));
}
