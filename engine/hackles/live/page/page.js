// The agent's page: which call is shown, and what keys and buttons do about it.

import { entitle, node, say, showAfter, showCall, showNone } from "./face.js";
import * as form from "./form.js";
import * as keys from "./keys.js";
import { listen, tell } from "./link.js";
import { showTabs } from "./tabs.js";
import { label, word } from "./words.js";

const URGENCY = { irritated: 0, rising: 1 };
const TICK_MS = 1000;

const by = (id) => document.getElementById(id);
const drafts = new Map(); // notes that were begun, by session
const ahead = new Map(); // by session: how far a call's time is ahead of this page's clock
let view = null, shown = null, chosen = null;

const urgency = (call) => (call.ended ? 3 : URGENCY[call.state] ?? 2);

/** The call to show: the one chosen by hand, the one being written about, or who needs help. */
function pick(calls) {
  const find = (session) => calls.find((call) => call.session === session);
  const current = find(shown?.session);
  if (current && (keys.isBusy() || current.session === chosen)) return current;
  const first = [...calls].sort((one, other) => urgency(one) - urgency(other))[0];
  return current && urgency(current) <= urgency(first) ? current : first;
}

/** A call that cannot be heard now: what it was last is no news any more. */
function unheard(call) {
  if (call.ended) return call;
  return { ...call, state: "unheard", state_text: word("page.unheard"), trend_text: "", quiet_text: "" };
}

/** Why there is no call to show. */
function reason() {
  if (view === null) return "lost";
  if (view.shadow) return "shadow";
  if (view.unheard) return "unheard";
  return view.held ? "held" : "listening";
}

function show() {
  const all = view?.calls ?? [];
  const calls = view?.unheard ? all.map(unheard) : all;
  const before = shown?.session;
  if (!calls.length) {
    swapNote(before, undefined);
    shown = null;
    const why = reason();
    showTabs([]);
    showNone(why);
    entitle(["lost", "unheard"].includes(why) ? why : "none", word(`page.${why}`));
    return;
  }
  shown = pick(calls);
  if (shown.session !== chosen && before !== shown.session) chosen = null;
  swapNote(before, shown.session);
  showTabs(calls, shown, choose);
  // Who is still writing a note finishes it first.
  if (shown.ended && document.activeElement !== by("note")) {
    showAfter(shown, Boolean(view.unheard));
    form.open(shown);
  } else {
    showCall(shown, timeOf(shown));
  }
  const first = [...calls].sort((one, other) => urgency(one) - urgency(other))[0];
  if (first.ended && view.unheard) entitle("unheard", word("page.unheard"));
  else if (first.ended) entitle("none", word("page.call_over"));
  else entitle(first.state, first.state_text);
}

function choose(session) {
  chosen = session;
  shown = view.calls.find((call) => call.session === session);
  show();
}

/** A call's time, which goes on while nothing is heard of it. */
function timeOf(call) {
  if (call.ended) return call.time;
  const clock = performance.now() / 1000;
  ahead.set(call.session, Math.max(ahead.get(call.session) ?? -Infinity, call.time - clock));
  return clock + ahead.get(call.session);
}

function swapNote(before, after) {
  if (before === after) return;
  if (before !== undefined) drafts.set(before, by("note").value);
  by("note").value = drafts.get(after) ?? "";
}

function isLive() {
  return document.body.dataset.face === "call";
}

function answer(verdict) {
  if (!isLive() || !shown.alert || shown.alert.verdict === "false_alarm") return;
  tell(shown.session, "acknowledgement", { alert: shown.alert.id, verdict });
}

function ask(wish) {
  if (isLive()) tell(shown.session, "card", { ask: wish });
}

async function note() {
  const { session } = shown;
  const text = by("note").value.trim();
  if (!text || !(await tell(session, "note", { text }))) return;
  drafts.delete(session);
  if (shown?.session === session && by("note").value.trim() === text) by("note").value = "";
}

function withdraw() {
  if (!isLive()) return;
  const { session } = shown;
  const dialog = by("ask");
  dialog.returnValue = "";
  dialog.showModal();
  dialog.onclose = async () => {
    if (dialog.returnValue === "yes" && (await tell(session, "withdrawn"))) say(word("said.deleted"));
    show();
  };
}

function help() {
  by("single-keys").checked = keys.areOn();
  by("help").showModal();
}

function prepare() {
  label();
  form.prepare();
  const rows = [
    ["S", "deeds.seen"], ["F", "deeds.false_alarm"], ["N", "deeds.next"], ["A", "deeds.abuse"],
    ["M", "help.note"], ["W", "deeds.withdrawn"], ["?", "help.help"], ["1–5", "help.result"],
    [word("keys.ctrl_enter"), "help.save"], ["Esc", "help.leave"],
  ];
  by("help-keys").append(...rows.flatMap(([key, what]) =>
    [node("dt", node("kbd", key)), node("dd", word(what))]));
  by("single-keys").addEventListener("change", (event) => keys.turn(event.target.checked));
  by("note").addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.ctrlKey && !event.isComposing) note();
  });
  by("note").addEventListener("blur", () => shown && setTimeout(show));
  const deeds = {
    s: () => answer("seen"), f: () => answer("false_alarm"),
    n: () => ask("next"), a: () => ask("abuse"),
    m: () => isLive() && by("note").focus(), w: withdraw, "?": help,
  };
  for (const button of document.querySelectorAll("[data-key]")) {
    button.addEventListener("click", () => deeds[button.dataset.key]());
    button.setAttribute("aria-keyshortcuts", button.dataset.key.toUpperCase());
  }
  by("help-button").addEventListener("click", help);
  const isOver = () => document.body.dataset.face === "form";
  for (let place = 0; place < 5; place++) deeds[`${place + 1}`] = () => isOver() && form.choose(place);
  keys.act(deeds, { onSave: () => isOver() && form.save(), onLeave: () => isOver() && form.leave() });
}

prepare();
showNone("connecting");
listen((said) => {
  view = said;
  const sessions = new Set(said.calls.map((call) => call.session));
  form.keep(sessions);
  show();
  for (const map of [drafts, ahead]) {
    for (const session of map.keys()) if (!sessions.has(session)) map.delete(session);
  }
}, () => {
  view = null;
  show();
});
setInterval(() => {
  if (shown && !shown.ended && !document.hidden) show();
}, TICK_MS);
