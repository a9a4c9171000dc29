// A piece of the report. data: { html, escaped by eval/report }. Streamlit calls this again whenever
// the page is drawn: a piece that did not change is left alone, so that what is unfolded stays so.
export default function ({ data, parentElement }) {
  const root = parentElement.querySelector(".piece") ?? document.createElement("div");
  if (!root.isConnected) {
    root.className = "piece";
    parentElement.append(root);
  }
  if (root.shown !== data.html) root.innerHTML = root.shown = data.html;
}
