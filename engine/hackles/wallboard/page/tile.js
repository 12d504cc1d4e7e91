// A call among all others: small, and quiet.

import { onset } from "./card.js";
import { isOpen } from "./floor.js";
import { glyph, mark, node, sign, write } from "./nodes.js";
import { Spark } from "./spark.js";
import { clock, word } from "./words.js";

/** A tile, and the parts of it that change. */
export class Tile {
  constructor(session) {
    this.session = session;
    this.glyph = glyph();
    this.name = node("span", { class: "name" });
    this.place = node("span", { class: "place" });
    this.duration = node("span", { class: "duration" });
    this.state = node("span", { class: "unseen" });
    this.spark = new Spark();
    this.link = node("a", { class: "open", href: `/?${new URLSearchParams({ call: session })}` },
      this.glyph, node("span", { class: "words" }, this.name, this.state, this.place),
      this.spark.element, this.duration);
    this.element = node("li", { class: "tile", "data-session": session }, this.link);
  }

  /** Show what is known of the call. */
  paint(row) {
    this.row = row;
    const state = row.is_heard ? row.state : "lost";
    mark(this.element, "data-state", state);
    sign(this.glyph, state);
    write(this.name, row.call);
    const places = [row.queue, row.agent].filter(Boolean);
    const news = this.news(row);
    write(this.place, (news.length ? news : places).join(" · "));
    mark(this.link, "title", [row.call, ...news, ...places].join(" · "));
    write(this.state, row.is_heard && row.state === "calm" ? `, ${row.state_text}, ` : ", ");
    this.spark.draw(row.points, row.state === "calm" ? null : onset(row));
  }

  /** What is not as usual, in words. */
  news(row) {
    if (!row.is_heard) return [word("row.unheard")];
    if (isOpen(row)) return [row.state_text, word("row.open")];
    return row.state === "calm" ? [] : [row.state_text];
  }

  /** Let its time go on. */
  tick(now) {
    write(this.duration, clock(now - this.row.begun_at));
  }
}
