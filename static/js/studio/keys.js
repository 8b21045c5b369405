// Keys that work anywhere on the page, and the list of them.

const help = document.getElementById("help");

/** Goes to the next or previous picture from where the focus is. */
function step(by) {
  const tiles = [...document.querySelectorAll("#runs [data-do=open]")];
  const at = tiles.indexOf(document.activeElement);
  const next = tiles[at < 0 ? 0 : at + by];
  next?.focus();
  next?.scrollIntoView({ block: "nearest" });
}

const keys = {
  "/": () => document.getElementById("search").focus(),
  "?": () => help.showModal(),
  n: () => document.getElementById("prompt").focus(),
  j: () => step(1),
  k: () => step(-1),
};

export function begin() {
  document.addEventListener("keydown", (event) => {
    const busy = event.target.closest("input:not([type=radio]), textarea, select, dialog");
    const act = keys[event.key];
    if (!act || busy || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    act();
  });
  document.getElementById("help-open").addEventListener("click", () => help.showModal());
}
