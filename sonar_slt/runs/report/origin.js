/* Where it came from: command, code, data, versions, configuration. */
function corpusTable() {
  const splits = data.corpus && data.corpus.splits ? Object.entries(data.corpus.splits).filter(([, found]) => found && typeof found === "object") : [];
  if (!splits.length) return null;
  const columns = [["clips", "clips"], ["labelled", "in the labels"], ["hours", "hours"], ["frames", "frames"], ["signers", "signers"]].filter(([key]) => splits.some(([, found]) => isNumber(found[key])));
  const faults = Object.entries(data.corpus.faults || {}).map(([name, found]) => [name, isNumber(found) ? found : Object.values(found || {}).reduce((a, b) => a + b, 0)]).filter(([, n]) => n);
  return h("div", { class: "card board" }, h("div", { class: "scroll" }, h("table", {}, h("thead", {}, h("tr", {}, ["split", ...columns.map(([, title]) => title)].map((word) => h("th", { scope: "col" }, word)))),
    h("tbody", {}, splits.map(([name, found]) => h("tr", {}, h("th", { scope: "row" }, name), columns.map(([key]) => h("td", {}, isNumber(found[key]) ? (key === "hours" ? found[key].toFixed(2) : count(found[key])) : ""))))))),
  h("div", { class: "legend" }, faults.length ? faults.map(([name, n]) => h("span", {}, h("span", { class: "mono" }, name), ` ${count(n)}`)) : h("span", {}, "no faults were found when it was prepared")));
}

function origin() {
  const run = data.run, git = run.git;
  const code = git ? (git.sha || "none") + (git.dirty ? " with uncommitted changes" : "") : null;
  const folded = (title, text, small) => (text ? h("details", { class: "card" }, h("summary", {}, title, small ? h("small", {}, small) : null), h("pre", { class: "mono", tabindex: 0 }, text)) : null);
  return section("origin", "Where it came from", null,
    h("div", { class: "card about" }, facts([["command", run.command], ["changed", data.overrides.length ? h("span", {}, data.overrides.map((word) => h("span", { class: "override" }, word))) : "nothing: every key as the defaults have it"],
      ["folder", run.folder], ["scores the run", run.parent], ["code", code], ["device", run.device], ["seed", run.seed], ["data", run.manifest], ["space", run.space], ["lock file", run.lock ? String(run.lock).slice(0, 16) : null],
      ["versions", Object.keys(data.versions).length ? h("span", {}, Object.entries(data.versions).map(([name, value]) => h("span", { class: "override" }, `${name} ${value}`))) : null]])),
    corpusTable(), folded("Configuration", data.config), folded("Configuration of the training", data.parent_config, run.parent || ""));
}
