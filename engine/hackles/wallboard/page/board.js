// The board: who needs help now, and all other calls. Only rows that changed are touched.

import { Card } from "./card.js";
import { needsHelp } from "./floor.js";
import { by, mark, write } from "./nodes.js";
import { arrange, isHeld, watch } from "./order.js";
import { Tile } from "./tile.js";
import { number, word } from "./words.js";

const BUDGET_MS = 5; // of a frame of 16: what is left over is painted in the next one

const [needs, others] = [by("needs"), by("others")];

/** The rows on the screen. */
export class Board {
  /** `fits(row)` says whether a call passes the filter; `onDeed(session, deed)` does something. */
  constructor(floor, { fits, onDeed, onClear }) {
    Object.assign(this, { floor, fits, onDeed });
    this.shown = new Map(); // what stands for a call, by session
    this.dirty = new Set();
    this.chosen = null;
    this.isAsked = this.isMoved = false;
    watch(by("board"), () => this.arrange());
    by("board").addEventListener("focusin", (event) => this.choose(event.target.closest("[data-session]")?.dataset.session));
    for (const button of document.querySelectorAll("#board .plain")) button.addEventListener("click", onClear);
  }

  /** Calls changed; `isMoved` if their order did, or which there are. */
  change(rows, isMoved) {
    for (const row of rows) this.dirty.add(row.session);
    this.isMoved ||= isMoved || rows.some((row) => this.isMisplaced(row));
    if (this.isAsked) return;
    this.isAsked = true;
    requestAnimationFrame(() => this.frame());
  }

  isMisplaced(row) {
    const shown = this.shown.get(row.session);
    return !shown || shown instanceof Card !== needsHelp(row);
  }

  frame() {
    this.isAsked = false;
    if (this.isMoved) this.arrange();
    const begun = performance.now();
    for (const session of this.dirty) {
      this.dirty.delete(session);
      this.paint(session);
      if (performance.now() - begun > BUDGET_MS) break;
    }
    if (this.dirty.size) this.change([], false);
  }

  paint(session) {
    const [shown, row] = [this.shown.get(session), this.floor.rows.get(session)];
    if (!shown || !row || (shown instanceof Card && row.life === null)) return;
    shown.paint(row);
    shown.tick(this.floor.now());
  }

  /** Put each row where it belongs; while somebody is about to press one, only add what is new. */
  arrange() {
    this.isMoved = false;
    const { rows, order } = this.floor;
    const fitting = order.map((session) => rows.get(session)).filter((row) => row && this.fits(row));
    const urgent = fitting.filter(needsHelp);
    const rest = fitting.filter((row) => !needsHelp(row));
    this.forget();
    const cards = isHeld() ? this.held(needs, urgent) : urgent.map((row) => this.stand(row, Card));
    const isCard = new Set(cards.map((card) => card.session));
    const tiles = isHeld() ? this.held(others, rest) : rest.map((row) => this.stand(row, Tile));
    arrange([[needs, cards.map((card) => card.element)],
      [others, tiles.filter((tile) => !isCard.has(tile.session)).map((tile) => tile.element)]]);
    this.head(urgent.length, rest.length);
    this.reach();
  }

  /** What stands in a list now, and after it what is new there. */
  held(list, rows) {
    const kind = list === needs ? Card : Tile;
    const standing = [...list.children].map((child) => child.shown);
    const stays = new Set(standing.map((shown) => shown.session));
    const moving = (row) => kind === Tile && this.shown.get(row.session) instanceof Card;
    return standing.concat(rows.filter((row) => !stays.has(row.session) && !moving(row)).map((row) => this.stand(row, kind)));
  }

  stand(row, Kind) {
    let shown = this.shown.get(row.session);
    if (shown instanceof Kind) return shown;
    shown = new Kind(row.session, (deed) => this.onDeed(row.session, deed));
    shown.element.shown = shown;
    this.shown.set(row.session, shown);
    this.paint(row.session);
    if (row.session === this.chosen) mark(shown.element, "aria-current", true);
    return shown;
  }

  /** Let go of calls that are gone: nothing of them is left on the page, not even a held row's text. */
  forget() {
    for (const [session, { element }] of this.shown) {
      if (this.floor.rows.has(session)) continue;
      this.shown.delete(session);
      element.replaceChildren();
      element.removeAttribute("data-state");
      if (session === this.chosen) this.chosen = null;
    }
  }

  head(urgent, rest) {
    const { rows } = this.floor;
    const hidden = [...rows.values()].filter((row) => needsHelp(row) && !this.fits(row)).length;
    write(by("needs-count"), urgent ? number(urgent) : "");
    write(by("others-count"), rest ? number(rest) : "");
    by("hidden-needs").hidden = hidden === 0;
    write(by("hidden-needs").firstElementChild, hidden ? word("board.hidden_needs", { count: hidden }) : "");
    by("none-needs").hidden = urgent + hidden > 0; // nobody is calm about what a filter hides
    by("others-part").hidden = rest === 0;
    by("none-fits").hidden = urgent + rest > 0 || rows.size === 0;
    for (const id of ["needs-part", "others-part"]) if (rows.size === 0) by(id).hidden = true;
    if (rows.size) by("needs-part").hidden = false;
  }

  /** One row alone is reached by Tab: the chosen one, or the first. */
  reach() {
    const links = this.links();
    const own = links.find((link) => link.closest("[data-session]").dataset.session === this.chosen) ?? links[0];
    for (const link of links) mark(link, "tabindex", link === own ? 0 : -1);
  }

  links() {
    return [...by("board").querySelectorAll("li a.open")];
  }

  /** Let time go on in all rows, in one pass. */
  tick() {
    const now = this.floor.now();
    for (const [session, shown] of this.shown) {
      const row = this.floor.rows.get(session);
      if (shown.row && row?.is_heard) shown.tick(now);
    }
  }

  /** Choose a call; keys act on it. */
  choose(session) {
    if (!session || session === this.chosen) return;
    const before = this.shown.get(this.chosen);
    if (before) mark(before.element, "aria-current", null);
    this.chosen = session;
    const after = this.shown.get(session);
    if (after) mark(after.element, "aria-current", true);
    this.reach();
  }

  /** Go some rows on, and choose what is there; up and down go by the rows that the eye sees. */
  move(step, isAcross = false) {
    const links = this.links();
    if (!links.length) return;
    const at = links.findIndex((link) => link.closest("[data-session]").dataset.session === this.chosen);
    const next = at < 0 ? 0 : isAcross ? across(links, at, step) : at + step;
    links[Math.max(0, Math.min(links.length - 1, next))].focus();
  }
}

/** The place of the row above or below. */
function across(links, at, step) {
  const from = links[at].getBoundingClientRect();
  const middle = from.left + from.width / 2;
  let best = at, [height, aside] = [Infinity, Infinity];
  for (let place = at + step; place >= 0 && place < links.length; place += step) {
    const { top, left, right, width } = links[place].getBoundingClientRect();
    const down = Math.abs(top - from.top);
    if (down < 2 || down > height + 2) continue;
    const off = left <= middle && middle <= right ? 0 : Math.abs(left + width / 2 - middle);
    if (off < aside || down < height - 2) [best, height, aside] = [place, down, off];
  }
  return best;
}
