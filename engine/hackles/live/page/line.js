// The level of the last three minutes as one calm line; the past fades.

const SHOWN_S = 180;
const APART_S = 15; // readings further apart than this are not joined
const ABOVE = 10, BELOW = 4, RIGHT = 14; // pixels
const NAMESPACE = "http://www.w3.org/2000/svg";

const svg = document.getElementById("line");
let drawn = null;

/** Draw a call's line; without a call, a resting one. */
export function draw(call) {
  drawn = call;
  const { clientWidth: width, clientHeight: height } = svg;
  if (!width) return;
  const now = call ? call.time : 0;
  const x = (time) => width - RIGHT - ((now - time) / SHOWN_S) * (width - RIGHT);
  // Most of a call is calm: the lower part of the scale gets a little more room.
  const y = (level) => ABOVE + (1 - level ** 0.8) * (height - ABOVE - BELOW);
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  if (!call) {
    const d = `M${RIGHT} ${y(0.08)}H${width - RIGHT}`;
    svg.replaceChildren(make("path", { class: "resting", d }));
    return;
  }
  svg.replaceChildren(gradients(width, height), ...bands(width, height));
  const isTold = call.alert && !["calm", "unheard"].includes(call.state);
  const since = isTold ? call.alert.since : null;
  if (since !== null && since > now - SHOWN_S) {
    svg.append(make("line", { class: "onset", x1: x(since), x2: x(since), y1: 4, y2: height }));
  }
  const points = call.line.filter(([time]) => time >= now - SHOWN_S);
  for (const stretch of stretches(points)) {
    const places = stretch.map(([time, level]) => [x(time), y(level)]);
    const path = curve(places);
    const [first, last] = [places[0][0], places.at(-1)[0]];
    const under = `${path}L${last} ${height}L${first} ${height}Z`;
    svg.append(make("path", { class: "under", d: under }));
    svg.append(make("path", { class: "level", d: path }));
  }
  if (points.length) {
    const [time, level] = points.at(-1);
    svg.append(make("circle", { class: "end", cx: x(time), cy: y(level), r: 5 }));
  }
}

new ResizeObserver(() => draw(drawn)).observe(svg);

function bands(width, height) {
  return [1 / 3, 2 / 3].map((share) =>
    make("rect", { class: "band", x: 0, y: 0, width, height: height * (1 - share) }));
}

function gradients(width, height) {
  const definitions = make("defs");
  const kinds = {
    past: { x2: width, y2: 0, stops: [[0, 0.15], [0.85, 1]] },
    scale: { x2: width, y2: 0, stops: [[0, 0], [0.8, 0.06]] },
    below: { x2: 0, y2: height, stops: [[0, 0.32], [1, 0.02]] },
  };
  for (const [id, { x2, y2, stops }] of Object.entries(kinds)) {
    const gradient = make("linearGradient", { id, gradientUnits: "userSpaceOnUse", x1: 0, y1: 0, x2, y2 });
    for (const [offset, opacity] of stops) {
      gradient.append(make("stop", { class: "fade", offset, "stop-opacity": opacity }));
    }
    definitions.append(gradient);
  }
  return definitions;
}

/** Cut points where nothing was heard for long. */
function stretches(points) {
  const found = [];
  for (const point of points) {
    const last = found.at(-1);
    if (last && point[0] - last.at(-1)[0] <= APART_S) last.push(point);
    else found.push([point]);
  }
  return found;
}

/** A path through the places that never swings beyond them (monotone cubic, Fritsch-Carlson). */
function curve(places) {
  const slopes = places.slice(1).map(([x, y], i) => (y - places[i][1]) / (x - places[i][0] || 1));
  const tangents = places.map((_, i) => {
    const [before, after] = [slopes[i - 1] ?? slopes[i] ?? 0, slopes[i] ?? slopes[i - 1] ?? 0];
    return before * after <= 0 ? 0 : (2 * before * after) / (before + after);
  });
  return places.reduce((path, [x, y], i) => {
    if (i === 0) return `M${x.toFixed(1)} ${y.toFixed(1)}`;
    const [fromX, fromY] = places[i - 1];
    const third = (x - fromX) / 3;
    const points = [fromX + third, fromY + third * tangents[i - 1], x - third, y - third * tangents[i], x, y];
    return `${path}C${points.map((n) => n.toFixed(1)).join(" ")}`;
  }, "");
}

function make(name, attributes = {}) {
  const element = document.createElementNS(NAMESPACE, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}
