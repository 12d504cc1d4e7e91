// Keys: single letters act unless somebody writes, or has turned them off.

const STORED = "hackles.keys";
const FIELDS = "input:not([type=radio], [type=checkbox]), select, textarea";

/** Whether somebody is writing, or choosing, or being asked. */
export function isBusy() {
  const { activeElement: active } = document;
  return isAsked() || (active !== null && active.matches("input, select, textarea"));
}

/** Whether a dialog is open. */
export function isAsked() {
  return document.querySelector("dialog[open]") !== null;
}

/** Whether single letters act at all. */
export function areOn() {
  return localStorage.getItem(STORED) !== "off";
}

/** Turn single letters on or off; the browser remembers. */
export function turn(on) {
  localStorage.setItem(STORED, on ? "on" : "off");
  document.body.dataset.keys = on ? "on" : "off";
}

/** Let keys act: a function for each, by the key's name in small letters. */
export function act(deeds, { onSave, onLeave }) {
  turn(areOn());
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

function leave(target, onLeave) {
  if (target.matches(FIELDS)) target.blur();
  else onLeave();
}
