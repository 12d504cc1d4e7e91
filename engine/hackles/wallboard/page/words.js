// The page's own words, and how it says times and dates.

export const words = JSON.parse(document.getElementById("words").textContent);
export const language = document.documentElement.lang;

const place = language === "en" ? "en-GB" : language;
const hours = new Intl.DateTimeFormat(place, { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const day = new Intl.DateTimeFormat(place, { day: "numeric", month: "short" });
const share = new Intl.NumberFormat(place, { style: "percent", maximumFractionDigits: 0 });
const whole = new Intl.NumberFormat(place, { maximumFractionDigits: 0 });

/** The text of a key such as "row.since", its {…} filled in. */
export function word(key, filling = {}) {
  const [part, name] = key.split(".");
  return tidy(words[part][name].replace(/\{(\w+)\}/g, (_, what) => filling[what]));
}

/** A text as it is set: in Polish no line ends with a word of one letter. */
export function tidy(text) {
  return language === "pl" ? text.replace(/(?<=^|\s)([aiouwz]) /gi, "$1\u00a0") : text;
}

/** Give every element that names a word its words. */
export function label() {
  for (const element of document.querySelectorAll("[data-word]")) {
    element.textContent = word(element.dataset.word);
  }
  for (const element of document.querySelectorAll("[data-label]")) {
    const said = word(element.dataset.label);
    element.setAttribute("aria-label", said);
    if (element.matches(".tool")) element.title = said;
  }
  for (const element of document.querySelectorAll("[data-placeholder]")) {
    element.placeholder = word(element.dataset.placeholder);
  }
}

/** Seconds as m:ss, or h:mm:ss. */
export function clock(seconds) {
  const all = Math.max(0, Math.floor(seconds));
  const [hour, minute] = [Math.floor(all / 3600), Math.floor(all / 60) % 60];
  const rest = String(all % 60).padStart(2, "0");
  return hour ? `${hour}:${String(minute).padStart(2, "0")}:${rest}` : `${minute}:${rest}`;
}

/** Seconds since 1970 as the time of day. */
export const timeOfDay = (at) => hours.format(new Date(at * 1000));

/** Seconds since 1970 as a day. */
export const date = (at) => day.format(new Date(at * 1000));

/** A share of 1 in percent. */
export const percent = (part) => share.format(part);

/** A count. */
export const number = (count) => whole.format(count);

/** A short span: in seconds up to two minutes, then in minutes. */
export function span(seconds) {
  if (seconds < 120) return word("count.seconds", { count: Math.round(seconds) });
  return word("count.minutes", { count: Math.round(seconds / 60) });
}
