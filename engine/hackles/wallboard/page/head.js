// Above the board: counts, engines that are not heard, and filters.

import { needsHelp } from "./floor.js";
import { by, fill, glyph, mark, node, write } from "./nodes.js";
import { number, percent, span, timeOfDay, word } from "./words.js";

const FEW_BEHIND_S = 2;

/** Show the counts of now and of the day. */
export function showCounts({ rows, hosts, day }) {
  const counts = [["calls", number(rows.size), ""]];
  if (hosts.length) counts.push(["engines", engines(hosts), ""]);
  if (day) {
    counts.push(["today", number(day.calls), ""], ["warned", number(day.warned), ""]);
    if (day.seen_after_s !== null) counts.push(["seen_after", span(day.seen_after_s), ""]);
    const rate = day.false_alarm_rate;
    const hint = rate === null ? word("count.too_few") : word("count.false_alarms_hint");
    counts.push(["false_alarms", rate === null ? "–" : percent(rate), hint]);
  }
  fill(by("counts"), counts, (all) => all.map(([name, figure, hint]) =>
    node("div", { "data-count": name },
      node("dt", {}, word(`count.${name}`)), node("dd", {}, figure),
      ...(hint ? [node("dd", { class: "hint" }, hint)] : []))));
}

function engines(hosts) {
  const heard = hosts.filter((host) => host.is_heard).length;
  return heard === hosts.length ? number(heard) : `${number(heard)}/${number(hosts.length)}`;
}

/** Say what stands between the calls and this page; nothing, if nothing does. */
export function showStanding({ hosts, rows }, lostSince) {
  const said = [];
  if (lostSince !== null) said.push(["lost", word("board.lost", { time: timeOfDay(lostSince) })]);
  for (const host of hosts) said.push(...ofHost(host, rows));
  said.sort(([one], [other]) => (other === "lost") - (one === "lost"));
  fill(by("standing"), said, (all) => all.map(([kind, text]) =>
    node("p", { "data-kind": kind }, ...(kind === "lost" ? [glyph("lost")] : []), node("span", {}, text))));
}

function* ofHost({ name: host, is_heard, since_at, behind_s, shadow, lost }, rows) {
  if (!is_heard) {
    const calls = [...rows.values()].filter((row) => row.host === host).length;
    yield ["lost", word("board.engine_lost", { host, time: timeOfDay(since_at), calls: number(calls) })];
    return;
  }
  if (shadow) yield ["note", word("board.shadow", { host })];
  if (behind_s >= FEW_BEHIND_S) yield ["note", word("board.engine_behind", { host, seconds: number(behind_s) })];
  if (lost) yield ["note", word("board.engine_missed", { host, count: number(lost) })];
}

/** Which calls are wanted: of a team, of a queue, or with a word in their names. */
export class Filter {
  constructor(onChange) {
    for (const id of ["team", "queue"]) by(id).addEventListener("change", onChange);
    by("find").addEventListener("input", onChange);
    this.onChange = onChange;
  }

  /** Offer the teams and queues that there are. */
  offer({ teams, queues }) {
    options(by("team"), teams, word("filter.all_teams"));
    options(by("queue"), queues, word("filter.all_queues"));
    by("team").hidden = teams.length < 2;
  }

  fits(row) {
    const [team, queue] = [by("team").value, by("queue").value];
    if (team && !row.teams.includes(team)) return false;
    if (queue && row.queue !== queue) return false;
    const sought = by("find").value.trim().toLowerCase();
    return !sought || [row.call, row.agent, row.queue].some((name) => name.toLowerCase().includes(sought));
  }

  clear() {
    for (const id of ["team", "queue", "find"]) by(id).value = "";
    this.onChange();
  }
}

function options(select, names, all) {
  const chosen = select.value;
  // What is chosen stays a choice, even if no call is left of it.
  const offered = chosen && !names.includes(chosen) ? [...names, chosen] : names;
  const isOther = fill(select, offered, (list) =>
    [node("option", { value: "" }, all), ...list.map((name) => node("option", { value: name }, name))]);
  if (isOther) select.value = chosen;
}

/** Say with the title and its sign how many need help, for whoever has another window open. */
export function entitle({ rows }, isLost) {
  const urgent = [...rows.values()].filter(needsHelp);
  const title = `${word("board.title")} · hackles`;
  const text = urgent.length ? `(${urgent.length}) ${title}` : title;
  if (document.title !== text) document.title = text;
  const worst = urgent.some((row) => row.state === "irritated") ? "irritated" : urgent.length ? "rising" : "calm";
  showIcon(isLost ? "lost" : worst);
  mark(document.body, "data-worst", worst);
}

const COLOURS = { calm: "#2f8375", rising: "#c98200", irritated: "#d0432e", lost: "#7a8486" };
let shownIcon;

function showIcon(state) {
  if (state === shownIcon) return;
  shownIcon = state;
  const inner = document.getElementById(`shape-${state}`).innerHTML;
  const drawing = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24" stroke-width="2.5" ` +
    `fill="${state === "lost" ? "none" : COLOURS[state]}" stroke="${COLOURS[state]}">${inner}</svg>`;
  document.querySelector("link[rel=icon]").href = `data:image/svg+xml,${encodeURIComponent(drawing)}`;
}

/** Say what is known when there is no call. */
export function showRest({ rows, hosts }, isKnown) {
  const isEmpty = isKnown && rows.size === 0;
  by("rest").hidden = isKnown && !isEmpty;
  const why = !isKnown ? "connecting" : hosts.length ? "no_calls" : "no_engine";
  write(by("rest-title"), word(`board.${why}`));
  write(by("rest-hint"), isKnown ? word(`board.${why}_hint`) : "");
}
