// A call's page: its whole curve, what happened, and who saw to it.

import { buttons, said, showSteps, standing } from "./card.js";
import { Curve } from "./curve.js";
import { isOpen } from "./floor.js";
import { get, spoken } from "./link.js";
import { by, fill, glyph, mark, node, shape, sign, write } from "./nodes.js";
import { clock, date, percent, timeOfDay, word } from "./words.js";

const AGAIN_MS = 2000;

/** The page of one call, for as long as it is open. */
export class CallPage {
  constructor(session, { onDeed, onBack, now }) {
    Object.assign(this, { session, now, page: null, isClosed: false, askedAt: -Infinity, isAsking: false, waiting: null });
    this.build(onDeed, onBack);
    by("call").replaceChildren(this.element);
    this.ask();
  }

  build(onDeed, onBack) {
    const back = node("button", { type: "button", class: "plain back", "aria-keyshortcuts": "Escape" },
      shape("svg", { "aria-hidden": "true" }, shape("use", { href: "#shape-back" })), word("call.back"),
      node("kbd", { "aria-hidden": "true" }, "Esc"));
    back.addEventListener("click", onBack);
    this.glyph = glyph();
    this.title = node("h2", { tabindex: "-1" });
    [this.state, this.since, this.facts, this.life, this.escalated, this.over] =
      ["state", "since", "facts", "life", "escalated", "over"].map((name) => node("p", { class: name }));
    this.because = node("ul", { class: "because", "aria-label": word("row.because") });
    this.buttons = buttons(onDeed);
    this.deeds = node("div", { class: "deeds" }, ...Object.values(this.buttons));
    this.curve = new Curve();
    [this.happened, this.lives, this.earlier, this.about] = ["ol", "div", "ul", "dl"].map((name) => node(name, {}));
    const part = (name, content) => node("section", { class: name }, node("h3", {}, word(`call.${name}`)), content);
    this.hero = node("div", { class: "hero" }, this.glyph, node("div", { class: "words" }, this.title,
      node("div", { class: "big" }, this.state, this.since), this.facts), node("div", { class: "deal" }, this.life, this.escalated, this.deeds),
      this.because, this.over, this.curve.element);
    this.element = node("div", { class: "call-page" }, back, this.hero,
      node("div", { class: "parts" }, part("happened", this.happened),
        node("div", { class: "side" }, part("life", this.lives), part("earlier", this.earlier), part("about", this.about))));
  }

  /** Ask for the page anew, but not too often. */
  ask() {
    if (this.isClosed || this.waiting) return;
    const wait = Math.max(0, this.askedAt + AGAIN_MS - performance.now());
    this.waiting = setTimeout(() => this.load(), wait);
  }

  async load() {
    this.askedAt = performance.now();
    let page;
    try {
      page = await get(spoken(`/api/calls/${encodeURIComponent(this.session)}`));
    } catch (error) {
      page = undefined;
      write(this.over, error.message);
    }
    this.waiting = null;
    if (this.isClosed || page === undefined) return;
    if (page === null) this.vanish();
    else this.show(page);
  }

  /** The call is not shown any longer: nothing of it stays on the screen. */
  vanish() {
    this.isClosed = true;
    this.element.replaceChildren(this.element.firstElementChild, node("p", { class: "gone", role: "status" }, word("call.not_there")));
  }

  close() {
    this.isClosed = true;
    clearTimeout(this.waiting);
    by("call").replaceChildren();
  }

  /** Show the row as the board has it, which is newer than the page. */
  showRow(row) {
    const state = row.is_heard ? row.state : "lost";
    mark(this.hero, "data-state", state);
    mark(this.hero, "data-step", row.life?.step ?? null);
    sign(this.glyph, state);
    const isFirst = this.title.textContent === "";
    write(this.title, word("row.call", { call: row.call }));
    if (isFirst) this.title.focus();
    write(this.state, row.state_text);
    fill(this.because, row.because, (phrases) => phrases.map((text) => node("li", {}, text)));
    this.deeds.hidden = !row.life;
    write(this.life, row.life ? standing(row.life) : "");
    write(this.escalated, row.life?.escalated?.text ?? "");
    if (row.life) showSteps(this.buttons, row.life);
    this.row = row;
    this.tick();
  }

  tick() {
    if (!this.row || this.page?.is_over) return;
    const now = this.now();
    write(this.since, clock(now - this.row.since_at));
    write(this.facts, [word("row.duration", { time: clock(now - this.row.begun_at) }), ...said(this.row, now)].join(" · "));
  }

  show(page) {
    this.page = page;
    this.showRow(page.row);
    write(this.over, page.is_over ? word("call.over") : "");
    this.curve.draw(page);
    fill(this.happened, happened(page), draw);
    fill(this.lives, page.lives, (lives) => lives.length ? lives.toReversed().map(life) : [node("p", {}, word("call.no_life"))]);
    fill(this.earlier, page.earlier, (all) => all.length ? all.map(earlier) : [node("li", {}, word("call.no_earlier"))]);
    fill(this.about, about(page.row), (rows) => rows.flatMap(([name, text]) => [node("dt", {}, word(`call.${name}`)), node("dd", {}, text)]));
  }

  /** Whether keys may act here. */
  get isOpen() {
    return Boolean(this.row && isOpen(this.row));
  }
}

/** All that happened, the newest first: (time, kind, text, more). */
function happened({ alerts, gaps, cards, notes }) {
  const all = [
    ...alerts.map((alert) => [alert.time, alert.state, alert.state_text,
      [...alert.because, word("row.confidence", { percent: percent(alert.confidence) })].join(" · ")]),
    ...gaps.map((gap) => [gap.since, "gap", word("call.not_scored", { reason: gap.text }), `${clock(gap.since)}–${clock(gap.time)}`]),
    ...cards.map((card) => [card.time, "card", word("call.card", { title: card.title }), ""]),
    ...notes.map((note) => [note.time, "note", word("call.note", { text: note.text }), ""]),
  ];
  return all.sort((one, other) => other[0] - one[0]);
}

function draw(all) {
  if (!all.length) return [node("li", { class: "none" }, word("call.nothing"))];
  return all.map(([time, kind, text, more]) => node("li", { "data-state": kind },
    node("span", { class: "time" }, clock(time)), kind in KINDS ? node("span", { class: "dot" }) : glyph(kind),
    node("div", {}, node("p", {}, text), ...(more ? [node("p", { class: "more" }, more)] : []))));
}

const KINDS = { gap: 1, card: 1, note: 1 };

function life({ moments }) {
  return node("ol", {}, ...moments.map(({ text, at }) => node("li", {},
    node("time", { datetime: new Date(at * 1000).toISOString() }, timeOfDay(at)),
    node("span", {}, text))));
}

function earlier({ at, result_text: result, what, promised, by_when: due }) {
  const more = [what, promised && word("call.promised", { what: promised }), due && word("call.by_when", { when: due })];
  return node("li", {}, node("p", {}, node("b", {}, date(at)), ` ${result}`),
    node("p", { class: "more" }, more.filter(Boolean).join("; ")));
}

function about({ queue, agent, teams, host, begun_at: begun }) {
  const rows = [["queue", queue], ["agent", agent], ["teams", teams.join(", ")], ["engine", host], ["began", timeOfDay(begun)]];
  return rows.filter(([, text]) => text);
}
