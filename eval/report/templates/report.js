const form = document.querySelector("form");
if (form) {
  const articles = [...document.querySelectorAll("article")];
  const folds = articles.map(article => article.querySelector("details"));
  const show = () => {
    const sought = form.words.value.toLowerCase();
    for (const article of articles) {
      const { kind, outcomes } = article.dataset;
      article.hidden = Boolean(
        (form.kind.value && form.kind.value !== kind) ||
        (form.outcome.value && !outcomes.split("|").includes(form.outcome.value)) ||
        !article.textContent.toLowerCase().includes(sought)
      );
    }
    form.querySelector("output").value = `${articles.filter(article => !article.hidden).length} of ${articles.length} shown`;
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
