// A call's level of the last three minutes as a line; it scales by itself, so nothing is measured.

import { shape } from "./nodes.js";

const SHOWN_S = 180, HEIGHT = 40;
const APART_S = 15; // readings further apart than this are not joined

/** A line that is drawn anew only when there is something new. */
export class Spark {
  constructor() {
    this.level = shape("path", { class: "level" });
    this.end = shape("path", { class: "end" });
    this.onset = shape("path", { class: "onset" });
    this.under = shape("path", { class: "under" });
    const box = { class: "spark", viewBox: `0 0 ${SHOWN_S} ${HEIGHT}`, preserveAspectRatio: "none" };
    this.element = shape("svg", { ...box, "aria-hidden": "true" });
    this.element.append(this.under, this.onset, this.level, this.end);
    this.drawn = [-1, null];
  }

  /** Draw points of (time, level); `since` is where the episode began, in the call's time, or null. */
  draw(points, since = null) {
    const last = points.at(-1);
    const drawn = last ? [last[0], since] : [-1, null];
    if (drawn[0] === this.drawn[0] && drawn[1] === this.drawn[1]) return;
    this.drawn = drawn;
    const x = (time) => (SHOWN_S - (last[0] - time)).toFixed(1);
    let line = "", under = "", before = null, begun = null;
    for (const [time, level] of points) {
      const place = `${x(time)} ${y(level)}`;
      if (before === null || time - before > APART_S) {
        if (before !== null) under += `L${x(before)} ${HEIGHT}L${x(begun)} ${HEIGHT}Z`;
        line += `M${place}`;
        under += `M${place}`;
        begun = time;
      } else {
        line += `L${place}`;
        under += `L${place}`;
      }
      before = time;
    }
    this.level.setAttribute("d", line);
    this.under.setAttribute("d", `${under}L${x(before)} ${HEIGHT}L${x(begun)} ${HEIGHT}Z`);
    this.end.setAttribute("d", `M${x(last[0])} ${y(last[1])}h0`);
    const isShown = since !== null && since > last[0] - SHOWN_S;
    this.onset.setAttribute("d", isShown ? `M${x(Math.min(since, last[0]))} 2V${HEIGHT}` : "");
  }
}

// Most of a call is calm: the lower part of the scale gets a little more room.
const y = (level) => (3 + (1 - level ** 0.8) * (HEIGHT - 6)).toFixed(1);
