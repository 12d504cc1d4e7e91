// What others than supervisors see: the day's figures, the audit log, the webhooks.

import { get, tell } from "./link.js";
import { by, node } from "./nodes.js";
import { number, percent, span, timeOfDay, date, word } from "./words.js";

const PARTS = { day, audit, webhooks };

/** Show a part, by its name. */
export async function show(name, say) {
  const place = by("desk");
  const title = node("h2", { tabindex: "-1" }, word(`${name}.title`));
  try {
    const content = await PARTS[name](say);
    place.replaceChildren(title, ...content);
  } catch (error) {
    place.replaceChildren(title, node("p", { role: "alert" }, error.message));
  }
}

async function day() {
  const said = await get("/api/day");
  const few = node("span", { class: "soft" }, word("day.too_few"));
  const figures = [
    ["calls", number(said.calls)], ["warned", number(said.warned)], ["alerts", number(said.alerts)],
    ["seen", number(said.seen)], ["seen_after", said.seen_after_s === null ? few.cloneNode(true) : span(said.seen_after_s)],
    ["answered", number(said.answered)], ["false_alarms", number(said.false_alarms)],
    ["rate", said.false_alarm_rate === null ? few : percent(said.false_alarm_rate)],
  ];
  const list = figures.map(([name, figure]) => node("div", {}, node("dt", {}, word(`day.${name}`)), node("dd", {}, figure)));
  return [node("dl", { class: "figures" }, ...list), node("p", { class: "soft" }, word("day.hint"))];
}

async function audit() {
  const entries = await get("/api/audit");
  if (!entries.length) return [node("p", {}, word("audit.none"))];
  const names = ["at", "by", "what", "about", "address"];
  const line = (entry) => [`${date(entry.at)}, ${timeOfDay(entry.at)}`, entry.by, entry.what, entry.about, entry.address];
  return [table("audit", names, entries.map(line))];
}

function table(part, names, lines) {
  const head = node("tr", {}, ...names.map((name) => node("th", { scope: "col" }, word(`${part}.${name}`))));
  const body = lines.map((line) => node("tr", {}, ...line.map((text) => node("td", {}, text))));
  const made = node("table", {}, node("caption", { class: "unseen" }, word(`${part}.title`)), node("thead", {}, head), node("tbody", {}, ...body));
  return node("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": word(`${part}.title`) }, made);
}

async function webhooks() {
  return [];
}
