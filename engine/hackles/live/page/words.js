// The page's own words, and how it says times and dates.

export const words = JSON.parse(document.getElementById("words").textContent);
export const language = document.documentElement.lang;

/** The text of a key such as "page.since", its {…} filled in. */
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
    element.setAttribute("aria-label", word(element.dataset.label));
  }
  for (const element of document.querySelectorAll("[data-placeholder]")) {
    element.placeholder = word(element.dataset.placeholder);
  }
}

/** Seconds as m:ss, or h:mm:ss. */
export function clock(seconds) {
  const whole = Math.floor(seconds);
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  const rest = String(whole % 60).padStart(2, "0");
  return hours ? `${hours}:${String(minutes).padStart(2, "0")}:${rest}` : `${minutes}:${rest}`;
}

const day = new Intl.DateTimeFormat(language === "en" ? "en-GB" : language, { day: "numeric", month: "short" });

/** A date such as 2026-11-03 as people write it. */
export function date(iso) {
  const [year, month, number] = iso.slice(0, 10).split("-").map(Number);
  const at = new Date(year, month - 1, number);
  return Number.isNaN(at.getTime()) ? iso : day.format(at);
}
