// Numbers, times and elements: what all parts of the page say things with.

const $ = (id) => document.getElementById(id);

/** An element with attributes and children; text stays text, whatever stands in it. */
function el(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined && value !== false) {
      element.setAttribute(name, value === true ? "" : value);
    }
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

/** Sets what differs and nothing else: a page that changes four times a second must not flicker. */
function text(element, value) {
  if (element.textContent !== value) element.textContent = value;
}
function attribute(element, name, value) {
  if (value === null || value === undefined || value === false) element.removeAttribute(name);
  else if (element.getAttribute(name) !== String(value)) element.setAttribute(name, value);
}

/**
 * Makes the children of `parent` those of `items`, keeping the element of an item that stays: a
 * button keeps its focus while its row moves. `known` is `null` before anything is known.
 */
function rows(parent, known, id, make, fill, [none, nothing]) {
  const items = known ?? [];
  const words = known ? nothing : "Not known yet.";
  const old = new Map([...parent.children].map((child) => [child.dataset.id, child]));
  let place = parent.firstElementChild;
  for (const item of items) {
    const name = id(item);
    let row = old.get(name);
    old.delete(name);
    if (!row) {
      row = make(item);
      row.dataset.id = name;
    }
    fill(row, item);
    if (row === place) place = place.nextElementSibling;
    else keepFocus(row, () => parent.insertBefore(row, place));
  }
  if (!items.length) {
    const row = old.get(" ") ?? none();
    row.dataset.id = " ";
    old.delete(" ");
    text(row.firstElementChild ?? row, words);
    if (!row.parentNode) parent.append(row);
  }
  for (const row of old.values()) {
    // The focus of a row that goes passes to the next one, not to the top of the page.
    if (row.contains(document.activeElement)) {
      const next = (row.nextElementSibling ?? row.previousElementSibling)?.querySelector("button");
      (next ?? parent.closest("section"))?.focus({ preventScroll: true });
    }
    row.remove();
  }
}

function keepFocus(row, move) {
  const focused = row.contains(document.activeElement) ? document.activeElement : null;
  move();
  focused?.focus({ preventScroll: true });
}

/** What stands in a list of nothing. */
const emptyRow = (columns, words) => [() => el("tr", { class: "empty" }, el("td", { colspan: columns })), words];
const emptyItem = (words) => [() => el("li", { class: "empty" }), words];

/** A duration of `seconds` in one or two units. */
function span(seconds) {
  if (seconds === null || seconds === undefined || Number.isNaN(seconds)) return "–";
  const s = Math.max(0, seconds);
  if (s < 0.9995) return `${Math.round(s * 1000)} ms`;
  if (s < 9.95) return `${s.toFixed(1)} s`;
  if (s < 59.5) return `${Math.round(s)} s`;
  const units = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]];
  const rounded = Math.round(s);
  const index = units.findIndex(([size]) => rounded >= size);
  const [size, name] = units[index];
  const whole = Math.floor(rounded / size);
  const next = units[index + 1];
  const rest = next && whole < 10 ? Math.floor((rounded % size) / next[0]) : 0;
  return rest ? `${whole} ${name} ${rest} ${next[1]}` : `${whole} ${name}`;
}

/** A duration for what only a glance is spent on: no fractions, so that it does not twitch. */
const calm = (seconds) =>
  seconds === null || seconds === undefined ? "–"
    : seconds < 1 ? "< 1 s" : span(seconds < 60 ? Math.floor(seconds) + 0.0001 : seconds).replace(/\.0 s$/, " s");

function count(number) {
  if (number === null || number === undefined) return "–";
  if (number < 100000) return number.toLocaleString("en").replaceAll(",", "\u202f");
  return number < 999950 ? `${(number / 1000).toFixed(0)} k` : `${(number / 1e6).toFixed(1)} M`;
}

function rate(number) {
  if (number === null || number === undefined) return "–";
  if (number === 0) return "0";
  return number < 0.095 ? number.toFixed(2) : number < 9.95 ? number.toFixed(1) : count(Math.round(number));
}

function bytes(size) {
  if (size === null || size === undefined) return "–";
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let index = 0;
  let value = size;
  while (value >= 1023.5 && index < units.length - 1) {
    value /= 1024;
    index += 1;
  }
  return `${index === 0 || value >= 99.5 ? Math.round(value) : value.toFixed(1)} ${units[index]}`;
}

const clock = (milliseconds) =>
  new Date(milliseconds).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
