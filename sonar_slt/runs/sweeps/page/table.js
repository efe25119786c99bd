/* The runs in rows: sorted by any column, narrowed by words and values, each with a link to its own page. */

function runTable() {
  const order = { by: "figure", down: targetOf(state.target).higher };
  const columns = () => [
    { id: "figure", name: brief(state.target), of: (run) => figureOf(run), cell: figureCell },
    ...keys.map(({ key }) => ({ id: `key ${key}`, name: key, mono: true, left: true, of: (run) => run.settings[key], rank: (run) => rankOf(key, run), cell: (run) => h("td", { class: "left mono" }, soft(run.written[key])) })),
    keys.some((one) => one.key === "seed") ? null : { id: "seed", name: "seed", of: (run) => run.seed, cell: (run) => h("td", {}, run.seed ?? "") },
    ...data.beside.filter((key) => key !== state.target).slice(0, 3).map((key) => ({ id: `figure ${key}`, name: brief(key), of: (run) => figureOf(run, key), cell: (run) => h("td", {}, told(figureOf(run, key), key)) })),
    { id: "minutes", name: "minutes", of: (run) => run.minutes, cell: (run) => h("td", {}, isNumber(run.minutes) ? run.minutes.toFixed(1) : "") },
    { id: "status", name: "status", left: true, of: (run) => run.status, cell: statusCell },
  ].filter(Boolean);
  const body = drawn(() => {
    const shownColumns = columns();
    const by = shownColumns.find((column) => column.id === order.by) || shownColumns[0], rank = by.rank || by.of;
    const compare = (a, b) => { const [one, two] = [rank(a), rank(b)]; if (one === two) return 0; if (one === null || one === undefined) return 1; if (two === null || two === undefined) return -1; return (one < two ? -1 : 1) * (order.down ? -1 : 1); };
    const rows = runs.map((run, index) => [run, index]).sort((a, b) => (counted(a[0]) === counted(b[0]) ? compare(a[0], b[0]) || a[1] - b[1] : counted(a[0]) ? -1 : 1));
    const sort = (column) => { order.down = order.by === column.id ? !order.down : column.id.startsWith("figure") && targetOf(column.id === "figure" ? state.target : column.id.slice(7)).higher; order.by = column.id; change({}); document.querySelector(`th[data-column="${CSS.escape(column.id)}"] button`).focus(); };
    const heads = shownColumns.map((column) => h("th", { "data-column": column.id, scope: "col", class: column.left ? "left" : null, "aria-sort": column.id === order.by ? (order.down ? "descending" : "ascending") : "none" },
      h("button", { type: "button", class: "sort", onclick: () => sort(column) }, h("span", { class: column.mono ? "mono" : "" }, column.name), h("span", { class: "arrow", "aria-hidden": "true" }, column.id === order.by ? (order.down ? "↓" : "↑") : ""))));
    return h("div", { class: "card scroll runs" }, h("table", {}, h("caption", { class: "hidden" }, "The runs of this sweep"), h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "run"), heads)), h("tbody", {}, rows.map(([run, index]) => row(run, index, shownColumns)))));
  });
  const none = h("p", { class: "note", hidden: true }, "No run is left. ", h("button", { type: "button", onclick: release }, "Show all"));
  marks.push((n) => { none.hidden = n > 0; });
  return section("runs", "Runs", "All runs of the sweep. Those that did not finish, or were done again, are shown and do not count.", h("div", { class: "row filters" }, filters()), body, none);
}

function rankOf(key, run) { const value = run.settings[key]; return typeof value === "number" ? value : keys.find((one) => one.key === key).levels.indexOf(run.groups[key]); }

function row(run, index, columns) {
  const name = run.link ? h("a", { href: run.link, onfocus: () => light(index), onblur: () => light(null) }, run.id) : run.id;
  const node = h("tr", { "data-run": index, class: counted(run) ? "" : "aside", onpointerenter: () => light(index), onpointerleave: () => light(null) },
    h("th", { scope: "row" }, h("i", { class: "dot", style: `--tint:${tintOf(run)}` }), h("span", { class: "mono" }, name)), columns.map((column) => column.cell(run)));
  return node;
}

function figureCell(run) {
  const found = run.figures[state.target];
  if (!found) return h("td", {}, "");
  const all = runs.filter(counted).flatMap((one) => one.figures[state.target] || []), [low, high] = ends(all), at = (value) => `${((value - low) / (high - low || 1)) * 100}%`;
  const best = counted(run) && runs.filter(counted).every((other) => other === run || !isNumber(figureOf(other)) || !better(figureOf(other), found[0]));
  return h("td", { class: "figure" }, h("b", {}, told(found[0])), best ? h("span", { class: "chip good" }, "best") : null,
    found.length > 1 ? h("small", {}, `${told(found[1])} to ${told(found[2])}`) : null,
    h("span", { class: "strip", "aria-hidden": "true" }, found.length > 1 ? h("i", { class: "reach", style: `left:${at(found[1])};width:calc(${at(found[2])} - ${at(found[1])})` }) : null, h("i", { class: "here", style: `left:${at(found[0])}` })));
}

function statusCell(run) {
  return h("td", { class: "left" }, h("span", { class: `chip ${{ finished: "good", failed: "bad", unreadable: "bad", killed: "warn" }[run.status] || "trained"}` }, run.status),
    run.aside && run.aside !== run.status ? h("small", {}, run.aside.replace(`${run.status}: `, "")) : null, run.evaluated ? h("small", {}, "judged by an evaluation") : null);
}

function filters() {
  const search = h("input", { type: "search", placeholder: "Find a run", "aria-label": "Find runs by words", oninput: () => narrow({ search: search.value }) });
  const groups = [...keys.map((one) => [one.key, one.levels]), seeds.length > 1 && !keys.some((one) => one.key === "seed") ? ["seed", seeds.map(String)] : null, ["status", [...new Set(runs.map((run) => run.status))]]].filter((group) => group && group[1].length > 1);
  const selects = groups.map(([key, levels]) => h("label", { class: "row small" }, h("span", { class: "soft" }, key), choice(`Only runs with ${key}`, [["", "any"], ...levels.map((level) => [level, level])], "", (value) => narrow({ keep: { ...state.keep, [key]: value } }))));
  redraws.push(() => { search.value = state.search; groups.forEach(([key], i) => { selects[i].querySelector("select").value = state.keep[key] || ""; }); });
  return [search, selects];
}
