// Keys: single letters act unless somebody writes, or has turned them off.

const STORED = "hackles.keys";
const FIELDS = "input:not([type=radio], [type=checkbox]), select, textarea";

/** Whether a dialog is open. */
export function isAsked() {
  return document.querySelector("dialog[open]") !== null;
}

/** Whether single letters act at all. */
export function areOn() {
  return document.body.dataset.keys !== "off";
}

/** Turn single letters on or off; the browser remembers. */
export function turn(on) {
  document.body.dataset.keys = on ? "on" : "off";
  keep(STORED, document.body.dataset.keys);
}

/** What this browser remembers under a name, or null. */
export function kept(name) {
  try {
    return localStorage.getItem(name);
  } catch {
    return null; // a browser that is told to remember nothing
  }
}

/** Let this browser remember. */
export function keep(name, value) {
  try {
    localStorage.setItem(name, value);
  } catch {
    // It is told to remember nothing.
  }
}

/** Let keys act: `deeds` by letter, which can be turned off; `moves` by name, which always act. */
export function act(deeds, moves) {
  turn(kept(STORED) !== "off");
  addEventListener("keydown", (event) => {
    if (event.isComposing || isAsked() || event.altKey || event.metaKey || event.ctrlKey) return;
    if (event.target.matches(FIELDS)) {
      if (event.key === "Escape") event.target.blur();
      return;
    }
    const move = moves[event.key];
    if (move) return void (move(event) !== false && event.preventDefault());
    const deed = deeds[event.key.toLowerCase()];
    if (!deed || !areOn() || event.repeat) return;
    event.preventDefault(); // or the letter would be written into the field that it leads to
    deed();
  });
}
