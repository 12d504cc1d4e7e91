// Which row stands where. Rows move gently, and never under somebody's finger.

const HOLD_MS = 3000;
const MOVE_MS = 260;
const still = matchMedia("(prefers-reduced-motion: reduce)");

let heldUntil = 0, freeing, onFree;

/** Whether rows stay where they are, as somebody is about to press something. */
export const isHeld = () => performance.now() < heldUntil;

/** Hold rows while a pointer or the focus is on what can be pressed; `free` is called after. */
export function watch(part, free) {
  onFree = free;
  part.addEventListener("pointermove", (event) => (event.target.closest("li") ? hold() : release()));
  part.addEventListener("pointerdown", hold);
  part.addEventListener("pointerleave", release);
  part.addEventListener("focusin", (event) => event.target.matches("button") && hold());
}

function hold() {
  heldUntil = performance.now() + HOLD_MS;
  clearTimeout(freeing);
  freeing = setTimeout(release, HOLD_MS);
}

function release() {
  if (heldUntil === 0) return;
  heldUntil = 0;
  clearTimeout(freeing);
  onFree();
}

/** Let each list have its elements in their order; what stays on the screen glides there. */
export function arrange(lists) {
  const before = still.matches ? new Map() : places(lists);
  const focused = document.activeElement;
  for (const [list, elements] of lists) put(list, elements);
  if (focused !== document.activeElement && focused?.isConnected) focused.focus({ preventScroll: true });
  const moves = lists.flatMap(([, elements]) => elements).map((element) => moved(element, before.get(element)));
  for (const [element, from] of moves.filter(Boolean)) {
    element.animate({ transform: [from, "none"] }, { duration: MOVE_MS, easing: "ease-out" });
  }
}

/** Move as few elements as can be: one that is moved loses the focus, and its hover. */
function put(list, elements) {
  const wanted = new Set(elements);
  for (const child of [...list.children]) if (!wanted.has(child)) child.remove();
  const staying = new Set(longestRising(elements, [...list.children]));
  let next = null;
  for (const element of elements.toReversed()) {
    if (!staying.has(element)) list.insertBefore(element, next);
    next = element;
  }
}

/** The longest run of elements that stand in the wanted order already. */
function longestRising(elements, children) {
  const at = new Map(children.map((child, place) => [child, place]));
  const tails = [], before = new Map();
  for (const element of elements) {
    const place = at.get(element);
    if (place === undefined) continue;
    let [low, high] = [0, tails.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (at.get(tails[middle]) < place) low = middle + 1;
      else high = middle;
    }
    before.set(element, tails[low - 1]);
    tails[low] = element;
  }
  const run = [];
  for (let element = tails.at(-1); element; element = before.get(element)) run.push(element);
  return run;
}

function places(lists) {
  const found = new Map();
  for (const [list] of lists) {
    for (const child of list.children) {
      const { left, top, bottom } = child.getBoundingClientRect();
      if (bottom > 0 && top < innerHeight) found.set(child, [left, top]);
    }
  }
  return found;
}

/** An element that stands elsewhere now, and from where it comes. */
function moved(element, before) {
  if (!before) return null;
  const { left, top } = element.getBoundingClientRect();
  const [x, y] = [before[0] - left, before[1] - top];
  return Math.abs(x) < 1 && Math.abs(y) < 1 ? null : [element, `translate(${x}px, ${y}px)`];
}
