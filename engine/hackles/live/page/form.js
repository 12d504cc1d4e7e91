// The form after a call. What was begun is kept while another call is looked at.

import { node, say } from "./face.js";
import { tell } from "./link.js";
import { word, words } from "./words.js";

const form = document.getElementById("outcome");
const drafts = new Map();
const sent = new Set();
let session = null;

/** Lay out the choices. */
export function prepare() {
  const results = Object.keys(words.result).map((result, place) => {
    const radio = Object.assign(document.createElement("input"), { type: "radio", name: "result", value: result });
    return node("label", radio, node("span", word(`result.${result}`)), node("kbd", `${place + 1}`));
  });
  document.getElementById("results").append(...results);
  for (const what of ["cause", "view"]) {
    form.elements[what].append(...Object.keys(words[what]).map((one) =>
      new Option(word(`${what}.${one}`), one === "none" ? "" : one)));
  }
  form.addEventListener("input", () => drafts.set(session, read()));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    save();
  });
  form.addEventListener("keydown", (event) => {
    // Enter alone saves too easily in the middle of a line.
    if (event.key === "Enter" && !event.target.matches("button")) event.preventDefault();
  });
  document.getElementById("skip").addEventListener("click", skip);
}

/** Show the form of a call, as far as it was filled in. */
export function open(call) {
  if (session === call.session) return;
  session = call.session;
  // Or what is typed on would go into the next call's form.
  if (form.contains(document.activeElement)) document.activeElement.blur();
  form.reset();
  for (const [name, value] of Object.entries(drafts.get(session) ?? {})) {
    form.elements[name].value = value;
  }
}

/** Forget the forms of calls that are gone. */
export function keep(sessions) {
  for (const one of drafts.keys()) if (!sessions.has(one)) drafts.delete(one);
  for (const one of sent) if (!sessions.has(one)) sent.delete(one);
  if (session !== null && !sessions.has(session)) {
    session = null;
    form.reset();
  }
}

/** Choose how the call ended, by its place from 0. */
export function choose(place) {
  const radio = form.elements.result[place];
  radio.checked = true;
  radio.focus();
  form.dispatchEvent(new Event("input"));
}

/** Send what was written down. */
export async function save() {
  if (!form.elements.result.value) {
    say(word("said.result_missing"));
    form.elements.result[0].focus();
    return;
  }
  if (await send("outcome", read())) say(word("said.saved"));
}

/** Let the call go without a form. */
export function skip() {
  return send("skip", {});
}

/** Let it go if nothing was filled in; else the button is only a key away. */
export function leave() {
  if (drafts.has(session)) document.getElementById("skip").focus();
  else skip();
}

async function send(what, body) {
  const of = session;
  if (of === null || sent.has(of)) return false; // a key pressed twice sends once
  sent.add(of);
  const isTaken = await tell(of, what, body);
  if (!isTaken) sent.delete(of);
  return isTaken;
}

function read() {
  return Object.fromEntries(new FormData(form));
}
