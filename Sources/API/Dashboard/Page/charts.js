// Small charts over the last ten minutes: own SVG, redrawn when there is something new.

const minutes = 10;
/** Seconds that one point stands for. */
const step = 5;
const points = (minutes * 60) / step;
const height = 96;
const svgSpace = "http://www.w3.org/2000/svg";

function shape(name, attributes) {
  const element = document.createElementNS(svgSpace, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}

/** Values by time slot, oldest forgotten; `null` where nothing is known. */
class Series {
  slots = new Map();
  constructor(name) { this.name = name; }
  slot(at) { return Math.floor(at / 1000 / step); }
  set(at, value) { this.slots.set(this.slot(at), value); }
  add(at, value) { const slot = this.slot(at); this.slots.set(slot, (this.slots.get(slot) ?? 0) + value); }
  largest(at, value) { const slot = this.slot(at); this.slots.set(slot, Math.max(this.slots.get(slot) ?? 0, value)); }
  values(at) {
    const last = this.slot(at);
    for (const slot of this.slots.keys()) if (slot <= last - points) this.slots.delete(slot);
    return Array.from({ length: points }, (_, i) => this.slots.get(last - points + 1 + i) ?? null);
  }
}

/** A round number at or above `value`: 1, 2 or 5 times a power of ten. */
function ceiling(value) {
  if (value <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].map((factor) => factor * power).find((top) => top >= value * 0.999);
}

class Chart {
  /** `series`: up to three, drawn over each other; `dots`: values that stand for themselves. */
  constructor(parent, title, series, { format = rate, dots = false } = {}) {
    Object.assign(this, { title, series, format, dots, chosen: null });
    this.svg = shape("svg", { role: "img", tabindex: "0" });
    this.keys = series.map((one, i) => el("span", { class: `c${i}` }, el("i"), el("span")));
    this.when = el("span");
    this.figure = el("figure", {}, el("figcaption", {}, el("b", {}, title), ...this.keys, this.when), this.svg);
    parent.append(this.figure);
    this.svg.addEventListener("pointermove", (event) => {
      const box = this.svg.getBoundingClientRect();
      this.choose(Math.round(((event.clientX - box.left) / box.width) * (points - 1)));
    });
    for (const name of ["pointerleave", "blur"]) this.svg.addEventListener(name, () => this.choose(null));
    this.svg.addEventListener("keydown", (event) => {
      const move = { ArrowLeft: -1, ArrowRight: 1, PageUp: -12, PageDown: 12, Home: -points, End: points }[event.key];
      if (!move) return;
      event.preventDefault();
      this.choose((this.chosen ?? points - 1) + move);
    });
  }

  choose(index) {
    this.chosen = index === null ? null : Math.min(points - 1, Math.max(0, index));
    this.draw(this.drawnAt);
  }

  draw(at) {
    if (!at) return;
    this.drawnAt = at;
    const width = this.svg.clientWidth || 300;
    const tall = this.svg.clientHeight || height;
    const bottom = tall - 15;
    const all = this.series.map((one) => one.values(at));
    const top = ceiling(Math.max(0, ...all.flat().filter((value) => value !== null)));
    const x = (index) => (index / (points - 1)) * width;
    const y = (value) => bottom - (value / top) * (bottom - 14);
    const parts = [];
    for (const level of [0, top / 2, top]) {
      parts.push(shape("line", { class: "grid", x1: 0, x2: width, y1: y(level), y2: y(level) }));
    }
    all.forEach((values, i) => parts.push(...this.marks(values, i, x, y, bottom)));
    const label = (x, y, words, anchor) => {
      const mark = shape("text", { x, y, "text-anchor": anchor });
      mark.textContent = words;
      parts.push(mark);
    };
    label(0, tall - 2, `−${minutes} min`, "start");
    label(width, tall - 2, "now", "end");
    label(0, 10, this.format(top), "start");
    if (this.chosen !== null) {
      parts.push(shape("line", { class: "cross", x1: x(this.chosen), x2: x(this.chosen), y1: 0, y2: bottom }));
    }
    this.svg.replaceChildren(...parts);
    this.describe(all, at);
  }

  marks(values, i, x, y, bottom) {
    const group = shape("g", { class: `c${i}` });
    const runs = [];
    values.forEach((value, index) => {
      if (value === null) return;
      if (this.dots) return group.append(shape("circle", { class: "dot", cx: x(index), cy: y(value), r: 2.2 }));
      if (index === 0 || values[index - 1] === null) runs.push([]);
      runs.at(-1).push(index);
    });
    for (const run of runs) {
      const line = run.map((index) => `${x(index).toFixed(1)},${y(values[index]).toFixed(1)}`).join(" ");
      if (i === 0) {
        group.append(shape("polygon", { class: "area", points: `${x(run[0])},${bottom} ${line} ${x(run.at(-1))},${bottom}` }));
      }
      group.append(shape("polyline", { class: "line", points: line }));
    }
    return [group];
  }

  describe(all, at) {
    const known = (values) => values.filter((value) => value !== null);
    this.series.forEach((one, i) => {
      // The slot that is being filled says too little: the one before it is "now".
      const values = all[i];
      const value = this.chosen !== null ? values[this.chosen]
        : this.dots ? known(values).at(-1) ?? null : values.at(-2) ?? values.at(-1);
      text(this.keys[i].lastChild, `${one.name} ${value === null ? "–" : this.format(value)}`);
    });
    text(this.when, this.chosen === null ? "" : clock(at - (points - 1 - this.chosen) * step * 1000));
    const words = this.series.map((one, i) => {
      const values = known(all[i]);
      return values.length
        ? `${one.name}: last ${this.format(values.at(-1))}, highest ${this.format(Math.max(...values))}` : `${one.name}: nothing yet`;
    });
    const chosen = this.chosen === null ? "" : ` At ${this.when.textContent}: ${this.keys.map((key) => key.textContent).join(", ")}.`;
    this.svg.setAttribute("aria-label", `${this.title}, last ${minutes} minutes. ${words.join(". ")}.${chosen}`);
  }
}
