// What is seen: each part is written only where it changed, so nothing stirs without a reason.

import { draw } from "./line.js";
import { clock, date, tidy, word } from "./words.js";

const SAID_MS = 6000;
const SIGNS = { calm: "●", rising: "▲", irritated: "■", eased: "▽", none: "○", lost: "⊘", unheard: "⊖" };
const COLOURS = { calm: "#2f8375", rising: "#c98200", irritated: "#d0432e", eased: "#3b82cf" };
const NONE = { calls: [], say: [], avoid: [] };

const by = (id) => document.getElementById(id);
const still = matchMedia("(prefers-reduced-motion: reduce)");
let forgetting, shownCard;

/** Show one sentence quietly, for a few seconds. */
export function say(text) {
  clearTimeout(forgetting);
  write("said", text);
  forgetting = setTimeout(write, SAID_MS, "said", "");
}

/** Show that there is no call to show, and why; of the last one nothing is left, not even hidden. */
export function showNone(why) {
  document.body.dataset.face = why;
  colour(why === "lost" || why === "unheard" ? why : "none");
  write("call", "hackles");
  by("call").removeAttribute("title");
  for (const id of ["clock", "since", "trend-text", "quiet-text", "error"]) write(id, "");
  write("state", word(`page.${why}`));
  write("hint", why === "unheard" ? "" : word(`page.${why}_hint`));
  showUnheard(why === "unheard");
  showBecause([]);
  showCard(null);
  showEarlier([]);
  showNotes([]);
  draw(null);
}

/** Show a call that goes on. */
export function showCall(call, now) {
  document.body.dataset.face = "call";
  colour(call.state);
  const isUnheard = call.state === "unheard";
  const isTold = call.alert && call.state !== "calm" && !isUnheard;
  name(call);
  write("clock", clock(now));
  write("state", call.state_text);
  write("hint", "");
  write("since", isTold ? word("page.since", { time: clock(call.alert.since) }) : "");
  // While all is calm, "rising" would read like the warning; the line shows it well enough.
  write("trend-text", call.quiet_text || call.state === "calm" ? "" : call.trend_text);
  by("trend").dataset.trend = call.trend;
  write("quiet-text", call.quiet_text);
  showUnheard(isUnheard);
  showBecause(isTold ? call.alert.because : []);
  draw(isUnheard ? call : { ...call, time: now }); // then the line stands still
  showVerdict(call);
  showCard(call.card);
  showEarlier(call.earlier);
  showNotes(call.notes);
}

/** Show what stands above and beside the form of a call that is over. */
export function showAfter(call, isUnheard) {
  document.body.dataset.face = "form";
  colour("none");
  name(call, isUnheard ? `${SIGNS.unheard} ${word("page.unheard")}` : "");
  write("state", word("page.call_over"));
  write("clock", clock(call.duration_s ?? call.time));
  const loud = call.loud ? word("page.loud") : "";
  write("error", [call.error, loud, ...call.notes].filter(Boolean).join(" · "));
  showCard(call.card);
}

/** Say the page's title and give it a sign, which the tab shows while other windows lie above. */
export function entitle(state, text) {
  const title = `${SIGNS[state]} ${text}`;
  if (document.title === title) return;
  document.title = title;
  const shape = document.querySelector(`.hero .shape.${state}`).cloneNode();
  const colour = COLOURS[state] ?? "#7a8486";
  const isOpen = !["calm", "rising", "irritated"].includes(state);
  shape.setAttribute("fill", isOpen ? "none" : colour);
  const drawing = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24" stroke="${colour}" ` +
    `stroke-width="2.5">${shape.outerHTML}</svg>`;
  document.querySelector("link[rel=icon]").href = `data:image/svg+xml,${encodeURIComponent(drawing)}`;
}

/** A call's glyph, for its tab. */
export function glyph() {
  const copy = document.querySelector(".hero .glyph").cloneNode(true);
  copy.removeAttribute("class");
  return copy;
}

/** What a call is called. */
export function nameOf(call) {
  return [call.queue, call.call].filter(Boolean).join(" · ");
}

/** Write a text, if it is another. */
export function write(id, text) {
  const element = by(id);
  const set = tidy(text);
  if (element.textContent !== set) element.textContent = set;
}

/** Fill a list, if it is another; each item is a text, or nodes. */
export function items(id, list, make = (text) => [text]) {
  const element = by(id);
  const said = JSON.stringify(list);
  if (element.dataset.said === said) return;
  element.dataset.said = said;
  element.replaceChildren(...list.map((one) => node("li", ...make(one))));
}

/** An element with its content. */
export function node(name, ...content) {
  const element = document.createElement(name);
  element.append(...content);
  return element;
}

/** Show what is most telling; what finds no room is left out, rather than moving all that follows. */
function showBecause(phrases) {
  const list = by("because");
  const told = JSON.stringify(phrases);
  if (list.dataset.told === told) return;
  list.dataset.told = told;
  for (let count = phrases.length; count >= 0; count--) {
    const [first = "", ...others] = phrases.slice(0, count);
    const short = others.sort((one, other) => one.length - other.length);
    items("because", [first, ...short].filter(Boolean));
    if (list.scrollHeight <= list.clientHeight) return;
  }
}

/** Show that nobody is heard, where otherwise stands what has changed in the voice. */
function showUnheard(isUnheard) {
  write("unheard", isUnheard ? word("page.unheard_hint") : "");
}

function colour(state) {
  document.body.dataset.state = state;
  document.querySelector(".hero .glyph").dataset.state = state;
}

function name(call, before = "") {
  write("call", [before, nameOf(call)].filter(Boolean).join(" · "));
  by("call").title = nameOf(call);
}

function showVerdict(call) {
  const verdict = call.alert ? call.alert.verdict : "";
  const isOver = !call.alert || verdict === "false_alarm";
  for (const id of ["seen", "false_alarm"]) {
    by(id).setAttribute("aria-disabled", isOver);
    by(id).setAttribute("aria-pressed", verdict === id);
  }
}

function showCard(card) {
  const { id, stage_text: stage = "", do: headline = "", how = "", say: phrases, avoid } = card ?? NONE;
  by("card").hidden = document.body.dataset.face === "form" && !card;
  write("stage", stage);
  write("do", headline);
  write("how", how);
  items("say", phrases, (text) => [node("q", text)]);
  items("avoid", avoid, (text) => [node("s", text)]);
  if (id !== shownCard && !still.matches) {
    by("card-text").animate({ opacity: [0, 1] }, { duration: 180, easing: "ease-out" });
  }
  shownCard = id;
}

function showEarlier(earlier) {
  by("earlier").hidden = earlier.length === 0;
  const head = (one) => `${date(one.date)} · ${word(`result.${one.result}`)}`;
  write("earlier-last", earlier.length ? head(earlier[0]) : "");
  items("earlier-list", earlier, (one) => {
    const due = one.by_when ? word("page.by_when", { when: one.by_when }) : "";
    return [node("b", head(one)), " ", [one.what, one.promised, due].filter(Boolean).join("; ")];
  });
}

function showNotes(notes) {
  const list = by("notes");
  const { said } = list.dataset;
  items("notes", notes);
  if (said === list.dataset.said) return;
  list.scrollTop = list.scrollHeight;
  if (list.scrollHeight > list.clientHeight) list.tabIndex = 0;
  else list.removeAttribute("tabindex");
}
