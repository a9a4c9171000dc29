// The source pane. data: { html (escaped by the templates), numbers (footnotes, in the order of the text), current,
// token (new at every opening) }. Triggers: close; picked, the selected words.

export default function ({ data, parentElement, setTriggerValue }) {
  const pane = parentElement.querySelector(".pane") ?? newPane(parentElement);
  const close = () => {
    pane.hidden = true;
    if (window.footnoteOpener?.isConnected) window.footnoteOpener.focus({ preventScroll: true });
    setTriggerValue("close", true);
  };
  const pick = (words) => setTriggerValue("picked", words);
  // Other data with the same token: picking begins while the pane is open.
  if (pane.token !== data.token || pane.shown !== data.html) {
    pane.token = data.token;
    open(pane, data, close, pick);
  }
}

function newPane(parent) {
  const pane = document.createElement("section");
  pane.className = "pane";
  parent.append(pane);
  return pane;
}

function open(pane, data, close, pick) {
  pane.innerHTML = pane.shown = data.html;
  pane.setAttribute("aria-label", `Source: ${pane.querySelector("h2").textContent}`);
  pane.hidden = false;
  pane.querySelector(".close").onclick = close;
  pane.onkeydown = (event) => {
    if (event.key === "Escape") close();
    else if (event.key === "Tab") keepFocus(pane, event);
    else if (event.key === "ArrowLeft") pane.querySelector(".previous:not([hidden])")?.click();
    else if (event.key === "ArrowRight") pane.querySelector(".next:not([hidden])")?.click();
  };
  if (data.numbers.length) steps(pane, data);
  const button = pane.querySelector(".pick");
  if (button) offerWords(pane, button, pick);
  pane.querySelector(".text").focus({ preventScroll: true });
}

function steps(pane, data) {
  const previous = pane.querySelector(".previous");
  const next = pane.querySelector(".next");
  const count = data.numbers.length;
  let index = Math.max(0, data.numbers.indexOf(data.current));
  const go = (step, smooth) => {
    index = (index + step + count) % count;
    const number = data.numbers[index];
    const position = count > 1 ? ` · ${index + 1} of ${count} in this document` : "";
    pane.querySelector(".position").textContent = `Footnote ${number}${position}`;
    highlight(pane, number, smooth);
  };
  previous.hidden = next.hidden = count < 2;
  previous.onclick = () => go(-1, true);
  next.onclick = () => go(1, true);
  go(0, false);
}

// The words are those of the document: textContent has its every character, toString() would add line ends.
function offerWords(pane, button, pick) {
  const root = pane.getRootNode();
  const selected = () => {
    const selection = root.getSelection?.() ?? document.getSelection();
    if (!selection?.rangeCount || selection.isCollapsed) return "";
    const range = selection.getRangeAt(0);
    return pane.querySelector(".text").contains(range.commonAncestorContainer) ? range.cloneContents().textContent : "";
  };
  let words = "";
  const look = () => {
    words = selected().trim();
    button.disabled = !words;
  };
  const text = pane.querySelector(".text");
  text.onmouseup = text.onkeyup = text.ontouchend = () => setTimeout(look);
  button.onmousedown = (event) => event.preventDefault(); // else the selection goes before the click
  button.onclick = () => pick(words);
}

function highlight(pane, number, smooth) {
  const marks = [...pane.querySelectorAll("mark")];
  for (const mark of marks) {
    const current = mark.dataset.notes.split(" ").includes(String(number));
    mark.classList.toggle("current", current);
    current ? mark.setAttribute("aria-current", "true") : mark.removeAttribute("aria-current");
  }
  const first = marks.find((mark) => mark.classList.contains("current"));
  if (first) scrollTo(pane.querySelector(".text"), first, smooth);
}

function scrollTo(text, mark, smooth) {
  const still = !smooth || matchMedia("(prefers-reduced-motion: reduce)").matches;
  const box = text.getBoundingClientRect();
  const at = mark.getBoundingClientRect();
  const above = Math.max(24, (box.height - at.height) / 3);
  text.scrollTo({ top: text.scrollTop + at.top - box.top - above, behavior: still ? "instant" : "smooth" });
}

// Where the pane covers the page, Tab stays in it: what is behind cannot be seen.
function keepFocus(pane, event) {
  if (pane.offsetWidth < window.innerWidth) return;
  const stops = [...pane.querySelectorAll("button:not([hidden]), [tabindex='0']")];
  const last = stops.at(-1);
  const focused = pane.getRootNode().activeElement;
  if (event.shiftKey && focused === stops[0]) last.focus();
  else if (!event.shiftKey && focused === last) stops[0].focus();
  else return;
  event.preventDefault();
}
