// The curve of a whole call: level, alerts, and what was not scored.

import { shape } from "./nodes.js";
import { clock, word } from "./words.js";

const APART_S = 15;
const SHORTEST_S = 120;
const ABOVE = 22, BELOW = 20, ASIDE = 16; // pixels
const EVERY_S = [10, 30, 60, 120, 300, 600, 1800, 3600];
const TICK_PX = 90;
const MARKS = {
  rising: "M0-7 7.6 6H-7.6z", irritated: "M-6-6H6V6H-6z", eased: "M0 6.5-7.3-5.7H7.3z", calm: "M-6 0a6 6 0 1 0 12 0 6 6 0 1 0-12 0z",
};

/** A curve that fits its place, and is drawn anew when either changes. */
export class Curve {
  constructor() {
    this.element = shape("svg", { class: "curve", role: "img" });
    this.page = null;
    new ResizeObserver(() => this.page && this.draw(this.page)).observe(this.element);
  }

  /** Draw a call's page. */
  draw(page) {
    this.page = page;
    const { clientWidth: width, clientHeight: height } = this.element;
    if (!width) return;
    const end = Math.max(SHORTEST_S, page.points.at(-1)?.[0] ?? 0, ...page.gaps.map((gap) => gap.time));
    const x = (time) => ASIDE + (time / end) * (width - 2 * ASIDE);
    const y = (level) => ABOVE + (1 - level ** 0.8) * (height - ABOVE - BELOW);
    const floor = height - BELOW;
    this.element.setAttribute("viewBox", `0 0 ${width} ${height}`);
    this.element.setAttribute("aria-label", said(page));
    this.element.replaceChildren(hatch(), ...bands(width, floor, y), ...axis(end, x, floor),
      ...page.gaps.map((gap) => unscored(gap, x, floor)), ...level(page.points, x, y, floor),
      ...page.alerts.map((alert) => told(alert, x, y, floor)), ...shown(page.cards, x, floor));
  }
}

function said({ row, alerts, gaps }) {
  const now = row.level === null ? "–" : Math.round(row.level * 100);
  return `${word("call.curve")}. ${word("call.curve_said", { level: now, alerts: alerts.length, gaps: gaps.length })}`;
}

function hatch() {
  const lines = shape("path", { class: "hatch", d: "M0 6 6 0M-1 1 1-1M5 7 7 5" });
  return shape("defs", {}, shape("pattern", { id: "hatch", width: 6, height: 6, patternUnits: "userSpaceOnUse" }, lines));
}

function bands(width, floor, y) {
  return [1 / 3, 2 / 3, 1].map((part) => shape("line", { class: "grid", x1: 0, x2: width, y1: y(part), y2: y(part) }))
    .concat(shape("line", { class: "base", x1: 0, x2: width, y1: floor, y2: floor }));
}

function axis(end, x, floor) {
  const every = EVERY_S.find((step) => x(step) - x(0) >= TICK_PX) ?? EVERY_S.at(-1);
  const ticks = [];
  for (let time = 0; time <= end; time += every) {
    const anchor = time === 0 ? "start" : x(end) - x(time) < 20 ? "end" : "middle";
    ticks.push(shape("text", { class: "tick", x: time ? x(time) : 10, y: floor + 15, "text-anchor": anchor }, clock(time)));
  }
  return ticks;
}

function unscored({ since, time, text }, x, floor) {
  const box = { class: "gap", x: x(since), y: ABOVE, width: Math.max(2, x(time) - x(since)), height: floor - ABOVE };
  return shape("rect", box, shape("title", {}, word("call.not_scored", { reason: text })));
}

function level(points, x, y, floor) {
  const drawn = [];
  for (const stretch of stretches(points)) {
    const line = stretch.map(([time, at]) => `${x(time).toFixed(1)} ${y(at).toFixed(1)}`).join("L");
    const [first, last] = [x(stretch[0][0]), x(stretch.at(-1)[0])];
    drawn.push(shape("path", { class: "under", d: `M${line}L${last} ${floor}L${first} ${floor}Z` }));
    drawn.push(shape("path", { class: "level", d: `M${line}h0` }));
  }
  const last = points.at(-1);
  if (last) drawn.push(shape("circle", { class: "end", cx: x(last[0]), cy: y(last[1]), r: 5 }));
  return drawn;
}

function stretches(points) {
  const found = [];
  for (const point of points) {
    const last = found.at(-1);
    if (last && point[0] - last.at(-1)[0] <= APART_S) last.push(point);
    else found.push([point]);
  }
  return found;
}

function told({ time, state, state_text: text, level: at }, x, y, floor) {
  const group = shape("g", { class: "told", "data-state": state });
  group.append(shape("title", {}, `${clock(time)} ${text}`),
    shape("line", { x1: x(time), x2: x(time), y1: ABOVE - 4, y2: floor }),
    shape("path", { d: MARKS[state] ?? MARKS.calm, transform: `translate(${x(time)} ${ABOVE - 12})` }),
    shape("circle", { cx: x(time), cy: y(at), r: 3 }));
  return group;
}

function shown(cards, x, floor) {
  return cards.map(({ time, title }) => shape("rect", { class: "card-mark", x: x(time) - 3, y: floor - 4, width: 6, height: 8, rx: 1.5 },
    shape("title", {}, `${clock(time)} ${word("call.card", { title })}`)));
}
