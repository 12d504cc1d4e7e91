// A call that needs help now: large, with why, who sees to it, and what to do.

import { fill, glyph, mark, node, sign, write } from "./nodes.js";
import { Spark } from "./spark.js";
import { clock, percent, word } from "./words.js";

export const DEEDS = { s: "seen", h: "helping", r: "resolved", f: "false_alarm" };
const ORDER = ["raised", "seen", "helping", "resolved", "false_alarm", "ended"];

/** A card, and the parts of it that change. */
export class Card {
  constructor(session, onDeed) {
    this.session = session;
    this.glyph = glyph();
    this.state = node("span", { class: "state" });
    this.since = node("span", { class: "since" });
    this.link = node("a", { class: "open", href: `/?${new URLSearchParams({ call: session })}` });
    this.place = node("p", { class: "place" });
    this.duration = node("span", { class: "duration" });
    this.spark = new Spark();
    this.because = node("ul", { class: "because", "aria-label": word("row.because") });
    this.facts = node("p", { class: "facts" });
    this.life = node("p", { class: "life" });
    this.escalated = node("p", { class: "escalated" });
    this.buttons = buttons(onDeed);
    const name = node("h3", { class: "name" }, this.link);
    const [first, second] = [node("p", { class: "big" }, this.state, " ", this.since), node("div", { class: "who" }, name, this.place)];
    this.element = node("li", { class: "card", "data-session": session },
      this.glyph, node("div", { class: "words" }, first, second), this.spark.element,
      node("div", { class: "why" }, this.because, this.facts),
      node("div", { class: "deal" }, node("div", { class: "lives" }, this.life, this.escalated),
        node("div", { class: "deeds" }, ...Object.values(this.buttons))));
  }

  /** Show what is known of the call. */
  paint(row) {
    this.row = row;
    const state = row.is_heard ? row.state : "lost";
    mark(this.element, "data-state", state);
    mark(this.element, "data-step", row.life.step);
    sign(this.glyph, state);
    write(this.state, row.state_text);
    write(this.link, word("row.call", { call: row.call }));
    write(this.place, [row.queue, row.agent].filter(Boolean).join(" · "));
    this.spark.draw(row.points, onset(row));
    fill(this.because, row.because, (phrases) => phrases.map((text) => node("li", {}, text)));
    write(this.life, standing(row.life));
    this.showEscalation(row.life);
    showSteps(this.buttons, row.life);
  }

  /** Let its times go on. */
  tick(now) {
    const { row } = this;
    write(this.since, clock(now - row.since_at));
    const facts = [word("row.duration", { time: clock(now - row.begun_at) }), ...said(row, now)];
    write(this.facts, facts.join(" · "));
  }

  showEscalation({ escalated }) {
    this.escalated.hidden = !escalated;
    write(this.escalated, escalated?.text ?? "");
  }
}

/** Where an alert's life stands, in words that say what is missing. */
export function standing(life) {
  return life.step === "raised" ? word("row.raised") : life.text;
}

/** Where the episode began, in the call's own time; null without one. */
export function onset(row) {
  return row.life ? row.life.raised_at - row.begun_at : null;
}

/** What else is worth telling of a call. */
export function said(row, now) {
  const facts = [];
  if (row.confidence !== null) facts.push(word("row.confidence", { percent: percent(row.confidence) }));
  if (row.silent_since_at !== null) {
    const time = clock(now - row.silent_since_at);
    const [key, reason] = [row.quiet_text ? "row.silent_because" : "row.silent", row.quiet_text];
    facts.push(word(key, { time, reason }));
  }
  if (row.talk_over_s >= 1) facts.push(word("row.talk_over", { seconds: Math.round(row.talk_over_s) }));
  if (row.earlier_text) facts.push(word("row.earlier", { result: row.earlier_text }));
  return facts;
}

/** A button for each step that people take, by step. */
export function buttons(onDeed) {
  return Object.fromEntries(Object.entries(DEEDS).map(([key, deed]) => {
    const text = word(`deeds.${deed}`);
    const letter = key.toUpperCase();
    const button = node("button", { type: "button", "data-deed": deed, "aria-keyshortcuts": letter },
      node("span", {}, text), node("kbd", { "aria-hidden": "true" }, letter));
    button.addEventListener("click", () => button.ariaDisabled !== "true" && onDeed(deed));
    return [deed, button];
  }));
}

/** Show on the buttons which step is taken, and which can be no more. */
export function showSteps(made, life) {
  const at = ORDER.indexOf(life.step);
  for (const [deed, button] of Object.entries(made)) {
    const place = ORDER.indexOf(deed);
    mark(button, "aria-pressed", deed === life.step);
    // Somebody else may take help over; what is over is over.
    const isPast = at >= 3 || place < at || (place === at && deed !== "helping");
    mark(button, "aria-disabled", isPast);
  }
}
