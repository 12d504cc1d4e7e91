// The wallboard: who looks, what is open, and what keys and buttons do.

import { Board } from "./board.js";
import { CallPage } from "./call.js";
import { DEEDS } from "./card.js";
import * as chime from "./chime.js";
import * as desk from "./desk.js";
import { Floor, isOpen } from "./floor.js";
import { entitle, Filter, showCounts, showRest, showStanding } from "./head.js";
import * as keys from "./keys.js";
import { askWho, goSignIn, listen, me, Refused, spoken, tell } from "./link.js";
import { by, glyph, mark, node, write } from "./nodes.js";
import { showWall } from "./wall.js";
import { label, language, word } from "./words.js";

const SAID_MS = 6000;
const TICK_MS = 1000, AGAIN_MS = 5000;
const SEES_CALLS = ["supervisor", "agent"];
const AGENTS = ["seen", "false_alarm"];
const PARTS = { calls: SEES_CALLS, day: ["supervisor", "analyst"], audit: ["administrator"], webhooks: ["administrator"] };

const floor = new Floor();
const filter = new Filter(() => board.change([], true));
const board = new Board(floor, { fits: (row) => filter.fits(row), onDeed: act, onClear: () => filter.clear() });
const isAgent = () => document.body.hasAttribute("data-is-agent");
const rung = new Set(); // alerts that were told aloud
let call = null, face = "calls", lostSince = null, forgetting;

/** Show one sentence quietly, for a few seconds. */
function say(text) {
  clearTimeout(forgetting);
  write(by("said"), text);
  forgetting = setTimeout(write, SAID_MS, by("said"), "");
}

/** Do something about the alert of a call. */
async function act(session, deed) {
  const row = floor.rows.get(session) ?? (call?.session === session ? call.row : null);
  if (!row?.life || !isOpen(row) || (isAgent() && !AGENTS.includes(deed))) return;
  try {
    const life = await tell(spoken(`/api/alerts/${encodeURIComponent(row.life.alert)}/step`), { step: deed });
    floor.live(session, life);
    const now = floor.rows.get(session);
    if (now) board.change([now], true);
    if (call?.session === session) call.showRow({ ...row, life });
    if (call?.session === session) call.ask();
    say(word("said.done", { what: life.text, call: row.call }));
  } catch (error) {
    say(error.message);
  }
}

/** What keys act on: the call that is open, or the one that is chosen. */
const meant = () => (face === "call" ? call.session : face === "calls" ? board.chosen : null);

/** Tell of new alerts, once each: in words to whoever cannot see, and with a sound if it is wanted. */
function announce(rows, isFirst) {
  const fresh = rows.filter((row) => row.life && row.life.step === "raised" && !rung.has(row.life.alert));
  for (const row of fresh) rung.add(row.life.alert);
  if (isFirst || !fresh.length) return;
  const text = fresh.map((row) => word("board.said_alert", { state: row.state_text, call: [row.call, row.queue].filter(Boolean).join(", ") }));
  write(by("told"), text.join(". "));
  if (face !== "wall") chime.ring(fresh.some((row) => row.state === "irritated") ? "irritated" : "rising");
}

/** Show what stands above all, which is little and seldom another. */
function showHead() {
  showCounts(floor);
  showStanding(floor, lostSince);
  showRest(floor, floor.version !== null);
  filter.offer(floor);
  entitle(floor, lostSince !== null);
  if (face === "wall") showWall(floor, lostSince);
}

function onView(view) {
  const isFirst = floor.version === null;
  lostSince = null;
  mark(document.body, "data-lost", null);
  floor.view(view);
  announce(view.rows, isFirst);
  board.change(view.rows, true);
  showHead();
  call?.ask();
}

function onChanges(changes) {
  const rows = floor.change(changes);
  if (rows === null) return false;
  announce(rows, false);
  board.change(rows, Boolean(changes.order || changes.gone?.length));
  if (changes.order || changes.gone || changes.hosts || changes.day || changes.queues) showHead();
  else if (rows.some(isOpen)) entitle(floor, false);
  if (call && rows.some((row) => row.session === call.session)) {
    call.showRow(floor.rows.get(call.session));
    call.ask();
  }
  if (changes.gone?.length) forget(changes.gone);
  return true;
}

/** Calls are gone, perhaps at their caller's wish: what was said of any of them goes at once. */
function forget(gone) {
  for (const id of ["said", "told"]) write(by(id), "");
  if (call && gone.includes(call.session)) call.load();
}

function onLost() {
  lostSince ??= floor.version === null ? null : floor.now();
  mark(document.body, "data-lost", lostSince === null ? null : "");
  showHead();
}

/** Open what the address says: /?call=…, /?wall, /?see=…, or the board. */
function open() {
  const query = new URLSearchParams(location.search);
  const session = query.get("call");
  const seen = query.get("see");
  if (call && call.session !== session) call = void call.close();
  face = query.has("wall") ? "wall" : session ? "call" : allowed().includes(seen) ? seen : allowed()[0] ?? "calls";
  document.body.dataset.face = face;
  by("top").hidden = by("standing").hidden = face === "wall";
  by("board").hidden = face !== "calls";
  by("call").hidden = face !== "call";
  by("wall").hidden = face !== "wall";
  by("desk").hidden = !(face in PARTS) || face === "calls";
  if (face === "call" && !call) call = new CallPage(session, { onDeed: (deed) => act(session, deed), onBack: back, now: () => floor.now() });
  if (!by("desk").hidden) desk.show(face, say);
  for (const link of by("parts").children) mark(link, "aria-current", link.dataset.part === face ? "page" : null);
  showHead();
}

/** Go to another part of the page. */
function go(query) {
  const wanted = new URLSearchParams(query);
  const spoken = new URLSearchParams(location.search).get("lang");
  if (spoken) wanted.set("lang", spoken);
  history.pushState(null, "", wanted.size ? `/?${wanted}` : "/");
  open();
}

/** Back to the board, to the row that was left. */
function back() {
  by("menu").removeAttribute("open");
  if (face === "calls") return;
  go({});
  const row = document.querySelector('#board li[aria-current="true"] a.open');
  (row ?? by("title")).focus();
}

const allowed = () => Object.keys(PARTS).filter((part) => me?.roles.some((role) => PARTS[part].includes(role)));

function showMe() {
  write(by("me"), me.name);
  write(by("who"), me.sign_in === "nobody" ? word("tools.nobody") : me.name);
  by("sign-out").hidden = me.sign_in !== "password";
  const parts = allowed();
  // Agents may say that they saw an alert, or that it is none; the rest is for supervisors.
  mark(document.body, "data-is-agent", me.roles.includes("supervisor") ? null : "");
  by("chime").hidden = by("to-wall").hidden = !parts.includes("calls");
  by("parts").hidden = parts.length < 2;
  by("parts").replaceChildren(...parts.map((part) => {
    const link = node("a", { href: part === "calls" ? "/" : `/?see=${part}`, "data-part": part }, word(`parts.${part}`));
    link.addEventListener("click", (event) => (event.preventDefault(), go(part === "calls" ? {} : { see: part })));
    return link;
  }));
}

function help() {
  by("single-keys").checked = keys.areOn();
  by("help").showModal();
}

function toWall() {
  if (face === "wall") back();
  else go({ wall: "" });
}

function find() {
  if (face !== "calls") back();
  by("find").focus();
}

function prepare() {
  label();
  write(by("title"), "hackles");
  const letters = Object.fromEntries(Object.entries(DEEDS).map(([key, deed]) => [key, () => meant() && act(meant(), deed)]));
  const move = (step, isAcross) => () => face === "calls" && board.move(step, isAcross);
  keys.act({ ...letters, j: move(1), k: move(-1), q: toWall, "/": find, "?": help }, {
    ArrowDown: move(1, true), ArrowUp: move(-1, true), ArrowRight: move(1), ArrowLeft: move(-1), Escape: back,
  });
  prepareTools();
  prepareHelp();
  by("board").addEventListener("click", (event) => {
    const link = event.target.closest("a.open");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    go({ call: link.closest("[data-session]").dataset.session });
  });
  addEventListener("popstate", open);
}

function prepareTools() {
  mark(by("chime"), "aria-pressed", chime.isWanted());
  by("chime").addEventListener("click", () => {
    chime.want(!chime.isWanted());
    mark(by("chime"), "aria-pressed", chime.isWanted());
    say(word(chime.isWanted() ? "said.chime_on" : "said.chime_off"));
  });
  by("to-wall").addEventListener("click", toWall);
  by("to-help").addEventListener("click", help);
  by("language").value = language;
  by("language").addEventListener("change", () => {
    const query = new URLSearchParams(location.search);
    query.set("lang", by("language").value);
    location.search = query;
  });
  by("sign-out").addEventListener("click", async () => {
    try {
      await tell("/api/sign-out");
      goSignIn();
    } catch (error) {
      say(error.message);
    }
  });
  addEventListener("click", (event) => by("menu").contains(event.target) || by("menu").removeAttribute("open"));
}

function prepareHelp() {
  const rows = [
    [word("keys.arrows"), "keys.move"], [word("keys.enter"), "keys.open"], ["Esc", "keys.back"],
    ...Object.entries(DEEDS).map(([key, deed]) => [key.toUpperCase(), `deeds.${deed}`]),
    ["/", "keys.search"], ["Q", "keys.wall"], ["?", "keys.help"],
  ];
  by("help-keys").append(...rows.flatMap(([key, what]) => [node("dt", {}, node("kbd", {}, key)), node("dd", {}, word(what))]));
  by("help-shapes").append(...["irritated", "rising", "eased", "calm", "lost"].map((state) =>
    node("li", { "data-state": state }, glyph(state), word(`shapes.${state}`))));
  by("single-keys").addEventListener("change", (event) => keys.turn(event.target.checked));
}

async function begin() {
  let known;
  try {
    known = await askWho();
  } catch (error) {
    write(by("rest-title"), error instanceof Refused ? error.message : word("said.not_sent"));
    return void (error instanceof Refused || setTimeout(begin, AGAIN_MS));
  }
  if (!known) return;
  showMe();
  open();
  if (me.roles.some((role) => SEES_CALLS.includes(role))) listen(onView, onChanges, onLost);
}

setInterval(() => {
  if (document.hidden || lostSince !== null) return;
  if (face === "calls") board.tick();
  if (face === "call") call.tick();
  if (face === "wall") showWall(floor, lostSince);
}, TICK_MS);
prepare();
open();
begin();
