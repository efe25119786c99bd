/* The page of a sweep: its head, the controls that all parts follow, and the parts in order. */

function header() {
  const told_ = data.sweep, one = told_.statuses.length === 1 ? told_.statuses[0][0] : null;
  return h("header", { class: "masthead" }, h("div", { class: "wide" },
    h("div", { class: "eyebrow" }, "sweep", told_.statuses.map(([status, n]) => h("span", { class: `pill ${status}` }, one ? status : `${n} ${status}`)), told_.missing.length ? h("span", { class: "pill failed" }, `${told_.missing.length} left no run`) : null, themeToggle()),
    h("h1", {}, told_.name),
    h("div", { class: "facts" }, fact("runs", runs.length), fact("keys", keys.map((key) => key.key).join(", ") || "none"), fact("since", told_.started), fact("time of all runs", duration(told_.seconds)), told_.folders.length > 1 ? fact("sweeps", told_.folders.length) : null),
    drawn(tiles)));
}

function tiles() {
  const having = runs.filter((run) => counted(run) && isNumber(figureOf(run))), found = effectsNow(), name = brief(state.target), top = strongest()[0];
  const best = having.reduce((now, run) => (now === null || better(figureOf(run), figureOf(now)) ? run : now), null);
  const tile = (kind, title, figure, small, under) => h("div", { class: `tile ${kind}` }, h("div", { class: "title" }, title), h("div", { class: "figure" }, figure, small ? h("small", {}, ` ${small}`) : null), h("div", { class: "under" }, under));
  const settings = (run) => keys.map((key, i) => [i ? " " : "", soft(`${key.key}=${run.written[key.key]}`)]);
  const interval = best && best.figures[state.target].length > 1 ? `${told(best.figures[state.target][1])} to ${told(best.figures[state.target][2])}` : "";
  return h("div", { class: "tiles" },
    best ? tile("trained", `best run: ${name}`, told(figureOf(best)), interval, settings(best)) : null,
    tile("", `all runs: ${name}`, told(found.mean), isNumber(found.sd) ? `± ${told(found.sd)}` : "", `mean and spread of ${plural(found.n, "run")}`),
    top && isNumber(top.share) ? tile("unseen", "what matters most", percent(top.share), "", `of the difference goes with ${top.key}`) : null,
    tile("", "runs that count", String(runs.filter(counted).length), `of ${runs.length}`, runs.every(counted) ? "all finished" : "the others did not finish or were done again"));
}

function tools() {
  const kinds = [["Scores", (key) => !key.includes("/") || key.endsWith("/unseen")], ["By language", (key) => !key.startsWith("dev/") && !key.startsWith("train/")], ["On dev, best", (key) => key.startsWith("dev/")], ["In training, last", () => true]];
  const rest = [...data.targets];
  const groups = kinds.map(([label, fits]) => h("optgroup", { label }, rest.filter((one) => fits(one.key)).map((one) => { rest.splice(rest.indexOf(one), 1); return h("option", { value: one.key, selected: one.key === state.target }, one.title); }))).filter((group) => group.children.length);
  const figure = h("select", { id: "figure", "aria-label": "The figure that runs are compared by", onchange: () => change({ target: figure.value }) }, groups);
  const colour = choice("What the colours show", [...keys.map((key) => [key.key, key.key]), ["", "the figure"]], state.colour, (value) => change({ colour: value }));
  const says = h("span", { class: "push soft small", role: "status" }), clear = h("button", { type: "button", onclick: release, hidden: true }, "Show all");
  marks.push((n, narrowed) => { says.textContent = narrowed ? `${n} of ${plural(runs.length, "run")} held` : ""; clear.hidden = !narrowed; });
  return h("div", { class: "tools" }, h("label", { class: "row small" }, h("span", { class: "soft" }, "compared by"), figure), keys.length ? h("label", { class: "row small" }, h("span", { class: "soft" }, "coloured by"), colour) : null, says, clear);
}

function origin() {
  const { commands, folders, missing, stands_on: stands } = data.sweep;
  return section("origin", "What was run", null,
    h("div", { class: "card origin" }, h("h3", {}, plural(commands.length, "command")), h("pre", { class: "mono" }, commands.join("\n")), facts([[folders.length > 1 ? "sweeps" : "sweep", folders.join(", ")], ...Object.entries(stands)])),
    missing.length ? note(`${plural(missing.length, "job")} left no run: ${missing.join(", ")}. They did not begin, or ended before they could say anything.`, "warn") : null);
}

state.colour = (strongest().find((row) => row.key !== "seed") || { key: keys.some((one) => one.key !== "seed") ? keys[0].key : "" }).key;
compose(header, [tools, importance, effects, parallel, runTable, learning, pivot, origin]);
mark();
