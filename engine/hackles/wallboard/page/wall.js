// The screen on the wall: who needs help, readable from five metres; no names, no buttons.

import { standing } from "./card.js";
import { needsHelp } from "./floor.js";
import { fill, by, glyph, node } from "./nodes.js";
import { clock, number, percent, span, timeOfDay, word } from "./words.js";

/** Show it, as the floor stands. */
export function showWall(floor, lostSince) {
  const { rows, order, hosts } = floor;
  const urgent = order.map((session) => rows.get(session)).filter((row) => row && needsHelp(row));
  const missing = lost(hosts, lostSince);
  const room = roomFor(urgent.length, missing ? 1 : 0);
  const now = lostSince ?? floor.now();
  const shown = urgent.slice(0, room).map((row) => [
    row.is_heard ? row.state : "lost", row.is_heard ? row.state_text : word("row.unheard"), clock(now - row.since_at),
    [row.queue, row.agent].filter(Boolean).join(" · ") || row.call.slice(-6),
    row.life.escalated?.text ?? standing(row.life),
    row.life.step,
  ]);
  const more = urgent.length - shown.length;
  const told = [shown, more, rows.size, missing, dayOf(floor)];
  fill(by("wall"), told, draw);
}

/** How many rows there is room for; the last place is kept for "+3 more". */
function roomFor(count, taken) {
  const places = (innerWidth > innerHeight ? 6 : 8) - taken;
  return count > places ? places - 1 : places;
}

function lost(hosts, lostSince) {
  if (lostSince !== null) return word("board.lost", { time: timeOfDay(lostSince) });
  const gone = hosts.filter((host) => !host.is_heard);
  return gone.map((host) => word("board.engine_lost_short", { host: host.name, time: timeOfDay(host.since_at) })).join(" ");
}

/** The day's figures, each with its words. */
function dayOf({ day }) {
  if (!day) return [];
  const figures = [["today", number(day.calls)], ["warned", number(day.warned)]];
  if (day.seen_after_s !== null) figures.push(["seen_after", span(day.seen_after_s)]);
  if (day.false_alarm_rate !== null) figures.push(["false_alarms", percent(day.false_alarm_rate)]);
  return figures;
}

function draw([shown, more, calls, missing, figures]) {
  const head = node("header", {},
    node("h2", {}, shown.length ? word("board.needs") : word("wall.all_calm"), ...(shown.length ? [" ", node("b", {}, number(shown.length + more))] : [])),
    node("p", {}, `${word("count.calls")} `, node("b", {}, number(calls))));
  const items = shown.map(([state, text, since, place, life, step]) =>
    node("li", { "data-state": state, "data-step": step }, glyph(state), node("p", { class: "state" }, text),
      node("p", { class: "since" }, since), node("p", { class: "place" }, place), node("p", { class: "life" }, life)));
  if (!shown.length) items.push(node("li", { class: "all-calm", "data-state": "calm" }, glyph("calm")));
  if (more) items.push(node("li", { class: "more" }, word("wall.more", { count: number(more) })));
  const day = figures.map(([name, figure]) => node("p", {}, `${word(`count.${name}`)} `, node("b", {}, figure)));
  const gone = missing ? [node("p", { class: "missing" }, glyph("lost"), node("span", {}, missing))] : [];
  return [head, node("ul", {}, ...items), ...gone, node("footer", {}, ...day)];
}
