// What comes from the daemon, and what goes to it.

import { say } from "./face.js";
import { word } from "./words.js";

const AGAIN_MS = 2000;
const PATIENCE_MS = 40_000;
const ANSWER_MS = 10_000; // a browser with six such pages open has no connection left for more

/** Hand on each view as it comes; say when the daemon cannot be heard, and try until it can. */
export function listen(onView, onLost) {
  const source = new EventSource(`/agent/events${location.search}`);
  let watch;
  const lose = () => {
    clearTimeout(watch);
    onLost();
  };
  const again = () => {
    lose();
    source.close();
    setTimeout(listen, AGAIN_MS, onView, onLost);
  };
  // A daemon says "alive" now and then; one that says nothing hangs.
  const hear = () => {
    clearTimeout(watch);
    watch = setTimeout(again, PATIENCE_MS);
  };
  source.addEventListener("alive", hear);
  source.addEventListener("view", (event) => {
    hear();
    onView(JSON.parse(event.data));
  });
  source.onerror = () => (source.readyState === EventSource.CLOSED ? again() : lose());
}

/** Tell the daemon what was done about a call; return whether it has taken that in. */
export async function tell(session, what, body = {}) {
  try {
    const answer = await fetch(`/agent/calls/${encodeURIComponent(session)}/${what}`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(ANSWER_MS),
    });
    if (answer.ok) return true;
    say((await answer.json()).error);
  } catch {
    say(word("said.not_sent"));
  }
  return false;
}
