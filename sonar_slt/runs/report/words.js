/* Words of a hypothesis beside those of a reference: what they share, what is too much, what is missing. */
const spaced = (text) => /\s/.test(text.trim());
const wordsOf = (text) => (spaced(text) ? text.trim().split(/\s+/) : [...text.trim()]);

function common(a, b) { // which words of a and of b lie on a longest common subsequence
  const table = Array.from({ length: a.length + 1 }, () => new Uint16Array(b.length + 1));
  for (let i = a.length - 1; i >= 0; i--) for (let j = b.length - 1; j >= 0; j--)
    table[i][j] = a[i] === b[j] ? table[i + 1][j + 1] + 1 : Math.max(table[i + 1][j], table[i][j + 1]);
  const inA = new Set(), inB = new Set();
  for (let i = 0, j = 0; i < a.length && j < b.length;) {
    if (a[i] === b[j]) { inA.add(i++); inB.add(j++); } else if (table[i + 1][j] >= table[i][j + 1]) i++; else j++;
  }
  return { inA, inB, share: (2 * inA.size) / Math.max(1, a.length + b.length) };
}

function marked(list, kept, isSpaced, wrap) {
  const out = [];
  list.forEach((word, i) => { if (i && isSpaced) out.push(" "); out.push(kept.has(i) ? word : wrap(word)); });
  return out;
}

function compared(line) { // a translation beside the reference that it is nearest to
  const hypothesis = String(line.hypothesis ?? ""), references = (line.references || []).map(String), mine = wordsOf(hypothesis);
  const all = references.map((text) => ({ text, list: wordsOf(text), ...common(wordsOf(text), mine) }));
  const best = all.reduce((a, b) => (a && a.share >= b.share ? a : b), null);
  return { hypothesis, mine, best, others: all.filter((item) => item !== best), exact: Boolean(best && hypothesis.trim() && best.text.trim() === hypothesis.trim()) };
}

const spokenIn = (code) => ({ lang: String(code).slice(0, 3), dir: "auto" });
const missing = (word) => h("span", { class: "gap" }, word);
const surplus = (word) => h("mark", {}, word);

const referenceWords = (found) => (found.best ? marked(found.best.list, found.best.inA, spaced(found.best.text), missing) : "no reference");
const hypothesisWords = (found) => (found.hypothesis.trim()
  ? [marked(found.mine, found.best ? found.best.inB : new Set(), spaced(found.hypothesis), surplus), found.exact ? h("span", { class: "exact" }, " ✓ exact") : null]
  : h("span", { class: "none" }, "(empty)"));
