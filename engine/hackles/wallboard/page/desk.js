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
  const { entries } = await get("/api/audit");
  if (!entries.length) return [node("p", {}, word("audit.none"))];
  const names = ["at", "by", "what", "about", "address"];
  const line = (entry) => [`${date(entry.at)}, ${timeOfDay(entry.at)}`, entry.by, entry.what, entry.about, entry.address];
  return [table("audit", names, entries.map(line))];
}

function table(part, names, lines, of = "") {
  const head = node("tr", {}, ...names.map((name) => node("th", { scope: "col" }, word(`${part}.${name}`))));
  const body = lines.map((line) => node("tr", {}, ...line.map((text) => node("td", {}, text))));
  const title = of ? word("webhooks.dead_title", { name: of }) : word(`${part}.title`);
  const made = node("table", {}, node("caption", { class: of ? "small" : "unseen" }, title), node("thead", {}, head), node("tbody", {}, ...body));
  return node("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": title }, made);
}

async function webhooks(say) {
  const all = await get("/api/webhooks");
  if (!all.length) return [node("p", {}, word("webhooks.none"))];
  return all.map((webhook) => one(webhook, say));
}

function one(webhook, say) {
  const { name, url, is_enabled: isOn, waiting, last_at: at, last_status: status, dead, dead_letters: letters } = webhook;
  const said = [word(isOn ? "webhooks.on" : "webhooks.disabled"), word("webhooks.waiting", { count: number(waiting) }),
    word("webhooks.dead", { count: number(dead) })];
  if (at !== null) said.push(word("webhooks.last", { status: status ?? "–", time: `${date(at)}, ${timeOfDay(at)}` }));
  const deeds = [["test", true], ["replay", dead > 0], ["enable", !isOn]].filter(([, isPossible]) => isPossible);
  const buttons = deeds.map(([deed]) => {
    const button = node("button", { type: "button" }, word(`webhooks.${deed}`));
    button.addEventListener("click", () => act(name, deed, say));
    return button;
  });
  const lines = letters.map(({ kind, at: since, attempts, last_error: reason }) =>
    [kind, `${date(since)}, ${timeOfDay(since)}`, number(attempts), reason]);
  const rest = lines.length ? [table("webhooks", ["event", "since", "attempts", "reason"], lines, name)] : [];
  return node("section", { class: "hook" }, node("h3", {}, name), node("p", {}, url), node("p", { class: "soft" }, said.join(" · ")),
    node("div", { class: "deeds" }, ...buttons), ...rest);
}

/** Test a webhook, send again what was given up, or switch it on; then show how it stands. */
async function act(name, deed, say) {
  try {
    const told = await tell(`/api/webhooks/${encodeURIComponent(name)}/${deed}`);
    say(told.is_through === false ? told.error : word("webhooks.sent", { name }));
    await show("webhooks", say);
  } catch (error) {
    say(error.message);
  }
}
