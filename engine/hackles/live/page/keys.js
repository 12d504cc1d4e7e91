// Keys: single letters act unless somebody writes, or has turned them off.

const STORED = "hackles.keys";
const FIELDS = "input:not([type=radio], [type=checkbox]), select, textarea";

/** Whether somebody is writing in this window, or being asked. */
export function isBusy() {
  const isWriting = document.hasFocus() && document.activeElement?.matches(FIELDS);
  return isAsked() || isWriting;
}

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
  storage()?.setItem(STORED, document.body.dataset.keys);
}

/** Let keys act: a function for each, by the key's name in small letters. */
export function act(deeds, { onSave, onLeave }) {
  turn(storage()?.getItem(STORED) !== "off");
  addEventListener("keydown", (event) => {
    if (event.isComposing || event.repeat || isAsked() || event.altKey || event.metaKey) return;
    if (event.key === "Enter" && event.ctrlKey) return void onSave();
    if (event.ctrlKey) return;
    if (event.key === "Escape") return void leave(event.target, onLeave);
    const deed = deeds[event.key.toLowerCase()];
    if (!deed || !areOn() || event.target.matches(FIELDS)) return;
    event.preventDefault(); // or the letter would be written into the field that it leads to
    deed();
  });
}

/** Where the browser remembers; nowhere, if it is told to remember nothing. */
function storage() {
  try {
    return localStorage;
  } catch {
    return null;
  }
}

function leave(target, onLeave) {
  if (target.matches(FIELDS)) target.blur();
  else onLeave();
}
