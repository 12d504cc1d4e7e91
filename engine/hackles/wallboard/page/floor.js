// What is known of all calls: the view, and what changed since.

const SHOWN_S = 180;
const OPEN = new Set(["raised", "seen", "helping"]);
const URGENT = new Set(["rising", "irritated"]);

/** Whether an alert waits for somebody to say what came of it. */
export const isOpen = (row) => row.life !== null && OPEN.has(row.life.step);

/** Whether a person is needed there now: an open alert, and the voice has not eased by itself. */
export const needsHelp = (row) => isOpen(row) && (URGENT.has(row.state) || row.life.step === "helping");

/** All calls of this reader. */
export class Floor {
  constructor() {
    Object.assign(this, { rows: new Map(), order: [], hosts: [], day: null, teams: [], queues: [] });
    this.version = null;
    this.ahead_s = 0; // how far the server's clock is ahead of this one
  }

  /** The server's time, in seconds since 1970. */
  now() {
    return Date.now() / 1000 + this.ahead_s;
  }

  /** Take the whole view. */
  view({ rows, ...rest }) {
    Object.assign(this, rest);
    this.rows = new Map(rows.map((row) => [row.session, row]));
    this.ahead_s = rest.at - Date.now() / 1000;
  }

  /** Take what changed, and return the rows that did; null if it does not follow on what is known. */
  change({ after, version, at, rows = [], gone = [], order, hosts, day, queues }) {
    if (after !== this.version) return null;
    this.version = version;
    this.ahead_s = at - Date.now() / 1000;
    for (const session of gone) this.rows.delete(session);
    for (const row of rows) this.rows.set(row.session, joined(this.rows.get(row.session), row));
    if (order) this.order = order;
    if (hosts) this.hosts = hosts;
    if (day) this.day = day;
    if (queues) this.queues = queues;
    return rows;
  }

  /** Take where an alert's life stands, as the answer to a step says it. */
  live(session, life) {
    const row = this.rows.get(session);
    if (row) this.rows.set(session, { ...row, life });
  }
}

/** A row with its earlier points before the new ones. */
function joined(before, row) {
  if (!before) return row;
  const last = before.points.at(-1)?.[0] ?? -Infinity;
  const points = before.points.concat(row.points.filter(([time]) => time > last));
  const from = (points.at(-1)?.[0] ?? 0) - SHOWN_S;
  const first = points.findIndex(([time]) => time >= from);
  return { ...row, points: first > 0 ? points.slice(first) : points };
}
