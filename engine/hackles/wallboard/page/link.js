// What comes from the board's server, and what goes to it.

import { language, word } from "./words.js";

const FIRST_MS = 1000, LONGEST_MS = 15_000;
const PATIENCE_MS = 40_000;
const ANSWER_MS = 10_000;

export let me = null;

/** Somebody is known, and may not look: asking again would not help. */
export class Refused extends Error {}

/** Ask who one is; nobody yet: go and sign in. Throws if the server cannot be reached. */
export async function askWho() {
  const answer = await fetch("/api/me", { signal: AbortSignal.timeout(ANSWER_MS) });
  if (answer.status === 401) return void goSignIn();
  if (answer.status === 403) throw new Refused(await fault(answer));
  if (!answer.ok) throw new Error(await fault(answer));
  me = await answer.json();
  return me;
}

/** Go where one signs in, and come back to what is open now. */
export function goSignIn() {
  const query = new URLSearchParams({ lang: language, next: location.search });
  location.assign(`/sign-in?${query}`);
}

/** Get something; null if there is no such thing. Throws a sentence if it cannot be had. */
export async function get(path) {
  const answer = await fetch(path, { signal: AbortSignal.timeout(ANSWER_MS) });
  if (answer.status === 401) goSignIn();
  if (answer.status === 404) return null;
  if (!answer.ok) throw new Error(await fault(answer));
  return answer.json();
}

/** Tell the server something; return what it answers. Throws a sentence if it did not take it. */
export async function tell(path, body = {}) {
  let answer;
  try {
    answer = await fetch(path, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-CSRF-Token": me?.csrf ?? "" },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(ANSWER_MS),
    });
  } catch {
    throw new Error(word("said.not_sent"));
  }
  if (answer.status === 401 && me) goSignIn();
  if (!answer.ok) throw new Error(await fault(answer));
  return answer.headers.get("content-type")?.includes("json") ? answer.json() : null;
}

async function fault(answer) {
  try {
    return (await answer.json()).error ?? word("said.not_sent");
  } catch {
    return word("said.not_sent");
  }
}

/** A path whose answer has texts in it, which come in the page's language. */
export const spoken = (path) => `${path}?lang=${language}`;

/** Hand on the view and its changes as they come; say when nothing comes, and try until it does.

`onChanges` returns false if it cannot use them: then the whole view is asked for anew. */
export function listen(onView, onChanges, onLost) {
  let source, watch, wait = FIRST_MS;
  const again = async () => {
    clearTimeout(watch);
    source.close();
    onLost();
    // Many pages must not come back in the same moment.
    setTimeout(look, wait * (0.75 + Math.random() / 2));
    wait = Math.min(wait * 2, LONGEST_MS);
  };
  const look = async () => {
    try {
      if (!(await askWho())) return;
    } catch {
      return void again();
    }
    open();
  };
  const hear = () => {
    clearTimeout(watch);
    watch = setTimeout(again, PATIENCE_MS); // a server says "alive" now and then, or it hangs
    wait = FIRST_MS;
  };
  const open = () => {
    source = new EventSource(spoken("/api/events"));
    source.addEventListener("alive", hear);
    source.addEventListener("view", (event) => (hear(), onView(JSON.parse(event.data))));
    source.addEventListener("changes", (event) => {
      hear();
      if (onChanges(JSON.parse(event.data)) !== false) return;
      source.close();
      open();
    });
    source.onerror = again;
    watch = setTimeout(again, PATIENCE_MS);
  };
  open();
}
