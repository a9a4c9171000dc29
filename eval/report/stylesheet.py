"""How a report looks, and the few lines of script that filter its questions; without them everything is there to read.

The colours are those of the chat's page (ui/.streamlit/config.toml).
"""

STYLE = """
:root {
  color-scheme: light dark;
  --paper: #fcfbf8; --ink: #25231f; --grey: #625d54; --line: #d8d4ca;
  --soft: #f2f0ea; --blue: #1c5a7a; --red: #8c1d18;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #16191c; --ink: #e8e4db; --grey: #aaa69d; --line: #3b4248;
    --soft: #20252a; --blue: #8cc5e3; --red: #f2b8b5;
  }
}
* { box-sizing: border-box; }
body {
  font: 1rem/1.55 "Source Sans", "Source Sans 3", "Source Sans Pro", system-ui, sans-serif;
  color: var(--ink); background: var(--paper); margin: 0; text-size-adjust: 100%;
}
main { max-width: 46rem; margin: 0 auto; padding: 2rem 1rem 4rem; overflow-wrap: anywhere; }
h1 { font-size: 1.75rem; line-height: 1.2; margin: 0 0 0.25rem; letter-spacing: -0.01em; }
h2 { font-size: 1.375rem; line-height: 1.3; margin: 2.5rem 0 0.25rem; letter-spacing: -0.01em; }
h3 { font-size: 1.0625rem; line-height: 1.4; margin: 1.5rem 0 0; }
h4 { font-size: 1rem; line-height: 1.4; margin: 1rem 0 0; }
p { margin: 0.25rem 0; }
a { color: var(--blue); }
code { font: 0.875em/1.4 ui-monospace, "DejaVu Sans Mono", monospace; }
.hint, .small, caption { color: var(--grey); font-size: 0.875rem; }
.small { display: block; font-weight: 400; }
.remark { border-left: 3px solid var(--line); padding-left: 0.875rem; }
:focus-visible { outline: 2px solid var(--blue); outline-offset: 2px; border-radius: 0.25rem; }

table { width: 100%; border-collapse: collapse; margin: 0.25rem 0 0.75rem; font-size: 0.9375rem; line-height: 1.45; }
caption { text-align: left; padding: 0.25rem 0; }
th, td {
  padding: 0.3125rem 0 0.3125rem 0.75rem; border-bottom: 1px solid var(--line); text-align: right; vertical-align: top;
  font-variant-numeric: tabular-nums; font-weight: 400;
}
th:first-child, td:first-child { text-align: left; padding-left: 0; }
thead th { font-size: 0.8125rem; font-weight: 600; vertical-align: bottom; overflow-wrap: normal; }
td { overflow-wrap: normal; }
.runs tbody th, th[scope=rowgroup] { font-weight: 600; }
.several tbody tr:not(:last-child) > * { border-bottom-color: transparent; padding-bottom: 0; }
.interval { color: var(--grey); white-space: nowrap; }
.figures { table-layout: fixed; }
.figures thead th:nth-child(3) { width: 10.5rem; }
.figures thead th:last-child { width: 3rem; }
.plot { width: 36%; padding-left: 0.75rem; padding-right: 0.5rem; }
th.plot { text-align: left; }
.scale { display: flex; justify-content: space-between; }
.runs th:not(:first-child), .runs td { width: 4.75rem; padding-left: 0.25rem; }
.wide { overflow-x: auto; }
.matrix th:first-child { min-width: 9rem; }
.matrix thead th { min-width: 4rem; }

svg { display: block; overflow: visible; fill: var(--ink); stroke: none; }
svg.strip { margin-top: 0.125rem; }
.grid, .axis { stroke: var(--line); stroke-width: 1; }
.axis { stroke: var(--grey); }
.whisker { stroke: var(--ink); stroke-width: 3; opacity: 0.55; }
.mark { stroke: var(--ink); stroke-width: 1.5; stroke-dasharray: 4 3; }
.up { fill: var(--blue); }
.down { fill: var(--soft); stroke: var(--ink); stroke-width: 1; }
svg text { font-size: 0.75rem; text-anchor: middle; }
figure { margin: 0.75rem 0; }
figcaption { font-size: 0.875rem; color: var(--grey); }

details { margin: 0.125rem 0; }
summary { cursor: pointer; padding: 0.375rem 0; }
summary h3 { display: inline; margin: 0; }
summary .small { padding-left: 1.125rem; }
article { border-bottom: 1px solid var(--line); }
article .body { padding: 0 0 1rem 1.125rem; }
dl { margin: 0; }
dt { font-weight: 600; margin-top: 0.5rem; font-size: 0.9375rem; }
dd { margin: 0; }
dd p, li p { white-space: pre-line; }
ol { margin: 0; padding-left: 1.25rem; }
.error { color: var(--red); }
blockquote {
  margin: 0.25rem 0; padding: 0 0 0 0.875rem; border-left: 3px solid var(--line); white-space: pre-line;
  font-family: "Source Serif", "Source Serif 4", "Source Serif Pro", Georgia, serif;
}
blockquote .small { font-family: "Source Sans", "Source Sans 3", "Source Sans Pro", system-ui, sans-serif; }
form { display: flex; flex-wrap: wrap; gap: 0.5rem 1rem; margin: 0.75rem 0; align-items: end; }
form[hidden] { display: none; }
label { font-size: 0.875rem; flex: 1 1 9rem; }
input, select, button {
  display: block; width: 100%; font: inherit; font-size: 0.9375rem; color: inherit; background: var(--soft);
  border: 1px solid var(--grey); border-radius: 0.5rem; padding: 0.375rem 0.625rem; min-height: 2.5rem;
}
button { width: auto; cursor: pointer; }
output { flex-basis: 100%; font-size: 0.875rem; color: var(--grey); }

@media (max-width: 40rem) {
  main { padding-top: 1.25rem; }
  table { font-size: 0.8125rem; }
  thead th { font-size: 0.75rem; }
  th, td { padding-left: 0.5rem; }
  .runs th:not(:first-child), .runs td { width: 4rem; }
  .plot { padding-right: 0.25rem; }
  .figures thead th:nth-child(3) { width: 6.25rem; }
  .figures thead th:last-child { width: 2.25rem; }
  .figures .interval { display: block; }
}
@media print {
  :root {
    color-scheme: light;
    --paper: #fff; --ink: #000; --grey: #444; --line: #bbb; --soft: #eee; --blue: #000; --red: #000;
  }
  main { max-width: none; padding: 0; }
  form { display: none; }
  details::details-content { content-visibility: visible; block-size: auto; }
  tr, blockquote, figure, dt { break-inside: avoid; }
  h2, h3, h4, caption, dt, summary { break-after: avoid; }
}
"""

SCRIPT = """
const form = document.querySelector("form");
if (form) {
  const articles = [...document.querySelectorAll("article")];
  const folds = articles.map(article => article.querySelector("details"));
  const show = () => {
    const sought = form.words.value.toLowerCase();
    for (const article of articles) {
      const { kind, endings } = article.dataset;
      article.hidden = Boolean(
        (form.kind.value && form.kind.value !== kind) ||
        (form.ending.value && !endings.split("|").includes(form.ending.value)) ||
        !article.textContent.toLowerCase().includes(sought)
      );
    }
    form.querySelector("output").value = `${articles.filter(one => !one.hidden).length} of ${articles.length} shown`;
  };
  form.addEventListener("input", show);
  form.addEventListener("submit", event => event.preventDefault());
  form.all.addEventListener("click", () => {
    const open = !folds.every(fold => fold.open);
    folds.forEach(fold => { fold.open = open; });
    form.all.textContent = open ? "Close all" : "Open all";
  });
  form.hidden = false;
  show();
}
// For browsers that do not print what is folded.
let folded = [];
addEventListener("beforeprint", () => {
  folded = [...document.querySelectorAll("details:not([open])")];
  folded.forEach(fold => { fold.open = true; });
});
addEventListener("afterprint", () => folded.forEach(fold => { fold.open = false; }));
"""
"""`form.words`, `form.kind` and the like are the controls of `report`'s form, by their names."""
