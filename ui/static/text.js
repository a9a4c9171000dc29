// Texts with buttons. data: { html (escaped by the templates), announce }. Trigger: open, a button's data-open.
// Streamlit calls the function again whenever data changes; what is already shown is left alone, so that focus stays.

const HOVER = 120; // milliseconds: a pointer that only crosses a chip shows nothing, and it may move on to the card
const COPIED = 2000; // milliseconds that the button says so

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".footnote") ?? newRoot(parentElement);
  const live = liveRegion();
  if (root.shown !== data.html) {
    const focused = parentElement.getRootNode().activeElement?.dataset?.open;
    root.innerHTML = root.shown = data.html;
    if (focused !== undefined) root.querySelector(`[data-open="${CSS.escape(focused)}"]`)?.focus();
    if (data.announce) live.textContent = data.announce;
  }
  root.onclick = (event) => {
    const copy = event.target.closest("[data-copy]");
    if (copy) return copyCode(copy, live);
    const button = event.target.closest("[data-open]");
    if (!button) return;
    hideCard();
    window.footnoteOpener = button; // the pane gives the focus back to it
    setTriggerValue("open", button.dataset.open);
  };
}

// A page that is served without TLS to another machine has no clipboard: the code is then selected, to be copied by hand.
async function copyCode(button, live) {
  const code = button.parentElement.querySelector("pre");
  try {
    await navigator.clipboard.writeText(code.textContent);
    live.textContent = button.textContent = "Copied";
    setTimeout(() => (button.textContent = "Copy"), COPIED);
  } catch {
    getSelection().selectAllChildren(code);
    live.textContent = "The code is selected.";
  }
}

function newRoot(parent) {
  const root = document.createElement("div");
  root.className = "footnote";
  root.addEventListener("focusin", (event) => event.target.matches(":focus-visible") && enter(root, event.target, 0));
  root.addEventListener("focusout", () => leave(0));
  root.addEventListener("pointerover", (event) => event.pointerType === "mouse" && enter(root, event.target, HOVER));
  root.addEventListener("pointerout", (event) => event.pointerType === "mouse" && leave(HOVER));
  parent.append(root);
  return root;
}

// The one card of the page that is open, and the change to it that is due. Each component has its own copy of this
// module, so the state is the window's.
const state = (window.footnoteCard ??= { card: null, chip: null, due: 0 });

function enter(root, target, delay) {
  clearTimeout(state.due);
  if (state.card?.contains(target)) return;
  const chip = target.closest(".chip");
  if (!chip || chip === state.chip) return;
  state.due = setTimeout(() => showCard(root.querySelector(`#${chip.dataset.card}`), chip), delay);
}

function leave(delay) {
  clearTimeout(state.due);
  state.due = setTimeout(hideCard, delay);
}

function showCard(card, chip) {
  hideCard();
  if (!card || !chip.isConnected) return;
  Object.assign(state, { card, chip });
  card.showPopover();
  place(card, chip.getBoundingClientRect());
  card.querySelector("mark")?.scrollIntoView({ block: "nearest" });
  document.addEventListener("keydown", onKey, true);
  window.addEventListener("scroll", onScroll, true);
}

function hideCard() {
  clearTimeout(state.due);
  if (state.card?.isConnected) state.card.hidePopover();
  Object.assign(state, { card: null, chip: null });
  document.removeEventListener("keydown", onKey, true);
  window.removeEventListener("scroll", onScroll, true);
}

function onKey(event) {
  if (event.key !== "Escape") return;
  if (state.card?.isConnected) event.stopPropagation(); // it closes the card, not the pane as well
  hideCard();
}

function onScroll(event) {
  if (event.target !== state.card && state.card) place(state.card, state.chip.getBoundingClientRect());
}

// Below the chip where there is room for all of it, else on the side with more room, and no taller than that.
function place(card, at) {
  const gap = 6, edge = 12;
  const below = window.innerHeight - at.bottom - gap - edge;
  const above = at.top - gap - edge;
  card.style.maxHeight = "none";
  const down = card.offsetHeight <= below || below >= above;
  card.style.maxHeight = `${down ? below : above}px`;
  const left = Math.min(Math.max(at.left - 24, edge), window.innerWidth - card.offsetWidth - edge);
  card.style.left = `${left}px`;
  card.style.top = `${down ? at.bottom + gap : at.top - gap - card.offsetHeight}px`;
}

// Says to screen readers what has arrived; made early, since a region that comes with its text is often not read.
function liveRegion() {
  let live = document.getElementById("footnote-live");
  if (!live) {
    live = document.createElement("div");
    live.id = "footnote-live";
    live.className = "unseen";
    live.setAttribute("role", "status");
    document.body.append(live);
  }
  return live;
}
