// What is known, drawn.

const tones = { updated: "good", renewed: "good", failed: "bad", retrying: "warn", cancelled: "warn", purged: "warn", expired: "warn" };
const since = (seenAt) => Math.max(0, (Date.now() - seenAt) / 1000);
const ago = (milliseconds) => calm(Math.max(0, (now() - milliseconds) / 1000));

const charts = [
  new Chart($("charts"), "Refreshes per second", [series.refreshed, series.failed]),
  new Chart($("charts"), "Reads per second", [series.fresh, series.stale, series.missed]),
  new Chart($("charts"), "Longest refresh and wait", [series.took, series.waited], { format: span, dots: true }),
  new Chart($("charts"), "Jobs", [series.running, series.waiting, series.delayed], { format: (n) => count(Math.round(n)) }),
];

const action = (name, words, label, data = {}) => {
  const button = el("button", { type: "button", "data-do": name, "aria-label": label }, words);
  Object.assign(button.dataset, data);
  return button;
};

function tile(id, name) {
  const value = el("dd");
  const unit = el("small");
  const number = el("span");
  value.append(number, " ", unit);
  const box = el("div", { id: `glance-${id}` }, el("dt", {}, name), value);
  $("glance").append(box);
  return (words, small = "", tone = null) => {
    text(number, words);
    text(unit, small);
    attribute(box, "data-tone", tone);
  };
}
const glance = {
  waiting: tile("waiting", "Waiting"), running: tile("running", "Running"), delayed: tile("delayed", "Delayed or retrying"),
  dead: tile("dead", "Dead"), oldest: tile("oldest", "Oldest waiting"), rate: tile("rate", "Finished per second"),
  hits: tile("hits", "Hit rate of reads"), stale: tile("stale", "Keys stale"),
};

function drawGlance() {
  const { queue, stats, resources, running } = known;
  if (queue) {
    const { high, normal, low } = queue.by_priority;
    const classes = [[high, "high"], [normal, "normal"], [low, "low"]].filter(([n]) => n > 0);
    glance.waiting(count(queue.waiting), classes.length > 1 ? classes.slice(0, 2).map(([n, name]) => `${count(n)} ${name}`).join(", ") : classes[0]?.[1]);
    const capacity = queue.workers.reduce((sum, worker) => sum + worker.capacity, 0);
    // Of two lists asked for one after the other, the newer one counts: the page shall not contradict itself.
    glance.running(count(running && running.length < 100 ? running.length : queue.running), `of ${count(capacity)}`, capacity ? null : "bad");
    glance.delayed(count(queue.delayed));
    glance.dead(count(queue.dead), "", queue.dead ? "bad" : null);
    glance.oldest(calm(queue.oldest_waiting_seconds));
    glance.rate(rate(queue.completed_per_second));
  }
  if (stats) {
    const reads = stats.cache_hits + stats.stale_hits + stats.cache_misses;
    glance.hits(reads ? `${(Math.floor(stats.hit_rate * 10000) / 100).toFixed(stats.hit_rate < 1 && stats.hit_rate > 0.99 ? 2 : 0)} %` : "–");
  }
  if (!resources) return;
  const stale = resources.filter((status) => !isFresh(status)).length;
  glance.stale(count(stale), `of ${count(resources.length)}${known.hasMore.resources ? "+" : ""}`, stale ? "warn" : null);
}

/** Whether a payload is fresh now, some time after the status was asked for. */
function isFresh(status) {
  if (!status.cache_valid) return false;
  return status.fresh_for_seconds === null || status.age_seconds + since(status.seenAt) < status.fresh_for_seconds;
}

const jobItem = (job) => {
  const top = el("div", { class: "top" }, el("span", { class: "key" }, job.key), el("span", { class: "muted" }));
  const label = `Cancel the refresh of ${job.key}`;
  return el("li", {}, top, el("progress", { max: 100, "aria-label": `Progress of ${job.key}` }), el("div", { class: "note" }),
    action("cancel", "Cancel", label, { job: job.id, key: job.key }));
};

function fillJob(row, job) {
  const [top, bar, note] = row.children;
  const passed = since(job.seenAt);
  const percent = job.progress?.percent;
  if (percent === null || percent === undefined) bar.removeAttribute("value");
  else attribute(bar, "value", Math.round(percent * 10) / 10);
  const left = job.eta_seconds === null ? null : job.eta_seconds - passed;
  const parts = [percent === null || percent === undefined ? null : `${Math.floor(percent)} %`,
    left === null ? null : left > 0.5 ? `${calm(left)} left` : "any moment"];
  text(top.lastChild, parts.filter(Boolean).join(" · "));
  const { done, total, message } = job.progress ?? {};
  const amount = done === undefined ? null : total === null ? count(done) : `${count(done)} of ${count(total)}`;
  const running = calm((job.duration_seconds ?? 0) + passed);
  text(note, [message, amount, `for ${running}`, job.attempt > 1 ? `attempt ${job.attempt} of ${job.max_attempts}` : null, job.worker]
    .filter(Boolean).join(" · "));
  attribute(note, "title", note.textContent);
}

const waitingRow = (job) => el("tr", {}, el("td", { class: "n" }), el("td", {}, el("span", { class: "key" }, job.key), el("span", { class: "why-row" })),
  el("td", { class: "wide" }), el("td", { class: "n wide" }), el("td", { class: "n" }),
  el("td", { class: "act" }, action("cancel", "Cancel", `Cancel the refresh of ${job.key}`, { job: job.id, key: job.key })));

function fillWaiting(row, job) {
  const [place, key, priority, waiting, eta] = row.children;
  text(place, job.position === null ? "·" : String(job.position));
  text(key.lastChild, job.state === "retrying" && job.error ? `attempt ${job.attempt} of ${job.max_attempts} failed: ${job.error}` : "");
  text(priority, job.priority);
  text(waiting, ago(Date.parse(job.created_at)));
  const begins = job.run_at ? (Date.parse(job.run_at) - now()) / 1000 : null;
  const left = job.eta_seconds === null ? null : job.eta_seconds - since(job.seenAt);
  text(eta, begins !== null ? (begins > 0 ? `begins in ${calm(begins)}` : "due") : known.queue?.paused ? "paused" : left === null ? "–" : left > 0 ? calm(left) : "soon");
}

const deadItem = (job) => el("li", {},
  el("div", { class: "top" }, el("span", { class: "key" }, job.key), el("span", { class: "muted" })),
  el("div", { class: "why", tabindex: job.error?.length > 300 ? 0 : null }),
  action("retry", "Retry", `Retry ${job.key}`, { job: job.id, key: job.key }));

function fillDead(row, job) {
  text(row.querySelector(".top").lastChild, `${ago(Date.parse(job.finished_at))} ago · ${job.attempt} ${job.attempt === 1 ? "attempt" : "attempts"}`);
  text(row.querySelector(".why"), job.error ?? "no reason given");
}

const workerRow = (worker) => el("tr", {}, el("td", { class: "key" }, worker.id),
  el("td", {}, el("div", { class: "busy" }, el("div", { class: "bar slots", "aria-hidden": "true" }), el("span"))),
  el("td", { class: "n" }), el("td", { class: "n wide" }));

function fillWorker(row, worker) {
  const [bar, words] = row.children[1].firstChild.children;
  const slots = Math.min(worker.capacity, 16);
  while (bar.children.length > slots) bar.lastChild.remove();
  while (bar.children.length < slots) bar.append(el("i"));
  const running = known.running && known.running.length < 100
    ? known.running.filter((job) => job.worker === worker.id).length : worker.running;
  const lit = Math.ceil((running / worker.capacity) * slots);
  [...bar.children].forEach((slot, index) => attribute(slot, "class", index < lit ? "on" : null));
  text(words, `${running} of ${worker.capacity}`);
  text(row.children[2], worker.last_seen_at ? `${ago(Date.parse(worker.last_seen_at))} ago` : "–");
  text(row.children[3], worker.version);
}

const recentItem = (entry) => el("li", {}, el("span", { class: "muted" }, clock(entry.at)),
  el("span", { class: `t-${tones[entry.type]}` }, entry.type), el("span", { class: "key" }, entry.key),
  el("span", { class: "why", title: entry.error ?? null }, entry.error ?? ""),
  el("span", { class: "muted" }, entry.took === null ? "" : span(entry.took)));

const statusRow = (status) => el("tr", {}, el("td", {}, el("span", { class: "key" }, status.key), el("span", { class: "why-row" })),
  el("td", {}, el("span"), el("span", { class: "muted" })),
  el("td", {}, el("div", { class: "age" }, el("div", { class: "bar", "aria-hidden": "true" }, el("i")), el("span"))),
  el("td", { class: "n wide" }), el("td", { class: "n wide" }), el("td", { class: "n wide" }),
  el("td", { class: "act" }, action("refresh", "Refresh", `Refresh ${status.key}`, { key: status.key })));

function underWay(status) {
  switch (status.state) {
    case "running": return status.progress?.percent ? `refreshing, ${Math.floor(status.progress.percent)} %` : "refreshing";
    case "queued": return status.position ? `queued, #${status.position}` : "queued";
    case "retrying": return `retrying (${status.consecutive_failures} failed)`;
    case "failed": return "given up";
    default: return "";
  }
}

function fillStatus(row, status) {
  const [key, state, age, version, size, took] = row.children;
  const fresh = isFresh(status);
  const isKept = status.age_seconds !== null;
  text(key.lastChild, status.state === "failed" || status.state === "retrying" ? status.error ?? "" : "");
  const [word, more] = state.children;
  text(word, !isKept ? "nothing kept" : fresh ? "fresh" : "stale");
  attribute(word, "class", !isKept ? "muted" : fresh ? "t-good" : "t-warn");
  const doing = underWay(status);
  text(more, doing ? ` · ${doing}` : "");
  attribute(more, "class", status.state === "failed" ? "t-bad" : "muted");
  const years = isKept ? status.age_seconds + since(status.seenAt) : 0;
  const life = status.fresh_for_seconds;
  const [bar, words] = age.firstChild.children;
  const share = !isKept ? 0 : life === null ? 0 : life === 0 ? 1 : Math.min(1, years / life);
  bar.firstChild.style.width = `${Math.round(share * 200) / 2}%`;
  attribute(bar, "data-tone", status.state === "failed" ? "bad" : fresh ? null : "warn");
  text(words, !isKept ? "–" : life === null ? `${calm(years)}, never stale` : life === 0 ? `${calm(years)}, always stale` : `${calm(years)} of ${span(life).replace(".0", "")}`);
  text(version, status.version ? count(status.version) : "–");
  text(size, bytes(status.size_bytes));
  text(took, span(status.last_duration_seconds));
}

const need = (status) => status.state === "failed" ? 0 : status.state === "retrying" ? 1 : status.age_seconds === null ? 2 : isFresh(status) ? 4 : 3;
const orders = {
  need: (a, b) => need(a) - need(b) || (a.key < b.key ? -1 : 1),
  key: (a, b) => (a.key < b.key ? -1 : 1),
  age: (a, b) => (b.age_seconds ?? -1) - (a.age_seconds ?? -1),
};
let places = new Map();

/** The rows shown. While somebody points at one, none of them moves. */
function ordered() {
  const wanted = known.filter.trim().toLowerCase();
  if (!known.resources) return null;
  const items = known.resources.filter((status) => status.key.toLowerCase().includes(wanted)).sort(orders[$("order").value]);
  const body = $("resource-rows");
  if ((body.matches(":hover") || body.contains(document.activeElement)) && items.every((status) => places.has(status.key))) {
    items.sort((a, b) => places.get(a.key) - places.get(b.key));
  }
  places = new Map(items.map((status, index) => [status.key, index]));
  return items.slice(0, 200);
}

function drawLists() {
  const of = (list, total, hasMore) => (!list ? "" : hasMore ? `first ${list.length} of ${count(total)}` : list.length ? String(list.length) : "");
  rows($("running-list"), known.running, (job) => job.id, jobItem, fillJob, emptyItem("No job runs."));
  text($("running-count"), known.running?.length ? String(known.running.length) : "");
  const place = (job) => job.position ?? Infinity;
  const waiting = known.queued && [...known.queued].sort((a, b) => place(a) - place(b)).concat(known.retrying ?? []);
  rows($("queue-rows"), waiting, (job) => job.id, waitingRow, fillWaiting, emptyRow(6, "No key waits."));
  const total = (known.queue?.waiting ?? 0) + (known.queue?.delayed ?? 0);
  text($("queue-count"), of(waiting, total, known.hasMore.queued));
  rows($("dead-list"), known.dead, (job) => job.id, deadItem, fillDead, emptyItem("None. Refreshes that are given up come here."));
  text($("dead-count"), of(known.dead, known.queue?.dead, known.hasMore.dead));
  $("retry-all").hidden = !(known.dead?.length > 1);
  const workers = known.queue?.workers;
  rows($("worker-rows"), workers, (worker) => worker.id, workerRow, fillWorker, emptyRow(4, "No worker is alive: jobs wait."));
  text($("workers-count"), workers?.length ? String(workers.length) : "");
  rows($("recent-list"), known.recent, (entry) => entry.id, recentItem, () => {}, emptyItem("Nothing yet."));
  const items = ordered();
  rows($("resource-rows"), items, (status) => status.key, statusRow, fillStatus,
    emptyRow(7, known.filter ? "No key has that in its name." : "Nothing is kept yet."));
  text($("resources-count"), items ? `${items.length}${known.hasMore.resources ? ` of more than ${known.resources.length}` : ""} ${items.length === 1 ? "key" : "keys"}` : "");
  $("more").hidden = !known.hasMore.resources;
  text($("more"), "Not all keys are shown. The filter looks through the first 1000; freshet status KEY tells of any.");
}

function drawLink() {
  const down = known.lostAt ? (Date.now() - known.lostAt) / 1000 : 0;
  const isLost = down > 2 || Boolean(known.trouble);
  const state = isLost ? "lost" : known.isLive ? "live" : "connecting";
  attribute($("link"), "data-state", state);
  text($("link").lastChild, isLost ? (known.trouble?.words ? "trouble" : "no connection") : known.isLive ? "live" : "connecting");
  if (isLost !== !$("lost").hidden) $("lost").hidden = !isLost;
  document.querySelector("main").classList.toggle("old", isLost);
  const heard = link.lastHeard ? `You see what was known at ${clock(link.lastHeard)}.` : "Nothing was heard yet.";
  if (known.trouble?.words) {
    text($("lost").querySelector("strong"), "The API is in trouble.");
    text($("lost-text"), `${known.trouble.words} ${heard}`);
  } else if (isLost) {
    // No countdown: a screen reader would read out each second of it.
    text($("lost").querySelector("strong"), "No connection.");
    text($("lost-text"), `${heard} It is tried again every few seconds.`);
  }
  const isPaused = known.queue?.paused ?? false;
  $("paused").hidden = !isPaused;
  $("pause").hidden = !known.queue;
  text($("pause"), isPaused ? "Resume queue" : "Pause queue");
  $("forget").hidden = !link.key;
  const signs = [isLost ? "no connection" : null, known.queue?.dead ? `${known.queue.dead} dead` : null, isPaused ? "paused" : null].filter(Boolean);
  document.title = [signs.join(", "), "Freshet"].filter(Boolean).join(" – ");
}

let drawnCharts = 0;
function draw() {
  drawLink();
  drawGlance();
  drawLists();
  if (Date.now() - drawnCharts > 950) {
    drawnCharts = Date.now();
    for (const chart of charts) chart.draw(now());
  }
}
