// Small tabs, if an agent has several calls; who needs help stands first.

import { glyph, nameOf, node } from "./face.js";

const list = document.getElementById("tabs");
const panel = document.getElementById("panel");
const heading = document.getElementById("call");
const buttons = new Map();
const ROOM = 9; // signs of a call's name; telephone systems tell calls apart by the last ones

/** Show a tab for each call, in the order they come in. */
export function showTabs(calls, shown, onChoose) {
  const isNeeded = calls.length > 1;
  list.hidden = !isNeeded;
  heading.hidden = isNeeded;
  if (isNeeded) {
    panel.setAttribute("role", "tabpanel");
    panel.setAttribute("aria-labelledby", `tab-${shown.session}`);
  } else {
    panel.removeAttribute("role");
    panel.removeAttribute("aria-labelledby");
  }
  const known = isNeeded ? calls : [];
  for (const session of [...buttons.keys()]) {
    if (!known.some((call) => call.session === session)) {
      buttons.get(session).remove();
      buttons.delete(session);
    }
  }
  for (const call of known) paint(call, call.session === shown.session, onChoose);
  order(known.map((call) => buttons.get(call.session)));
}

function paint(call, isShown, onChoose) {
  if (!buttons.has(call.session)) buttons.set(call.session, make(call, onChoose));
  const button = buttons.get(call.session);
  button.dataset.state = call.ended ? "none" : call.state;
  button.firstChild.dataset.state = button.dataset.state;
  button.setAttribute("aria-selected", isShown);
  button.tabIndex = isShown ? 0 : -1;
}

function make(call, onChoose) {
  const button = node("button", glyph(), node("span", short(call.call)));
  Object.assign(button, { type: "button", id: `tab-${call.session}`, title: nameOf(call) });
  button.setAttribute("role", "tab");
  button.setAttribute("aria-controls", "panel");
  button.addEventListener("click", () => onChoose(call.session));
  button.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!step) return;
    const row = [...list.children];
    const next = row[(row.indexOf(button) + step + row.length) % row.length];
    next.focus();
    next.click();
  });
  return button;
}

function short(name) {
  return name.length > ROOM ? `…${name.slice(-ROOM + 1)}` : name;
}

/** Put tabs in order, unless somebody moves among them: an element that is moved loses focus. */
function order(row) {
  if (list.contains(document.activeElement)) {
    list.append(...row.filter((button) => !button.parentNode));
  } else if (row.some((button, place) => list.children[place] !== button)) {
    list.append(...row);
  }
}
