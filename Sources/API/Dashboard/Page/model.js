// What is known, `null` before it is: lists asked for now and then, and sooner when an event says they changed.

const known = {
  queue: null, stats: null, running: null, queued: null, retrying: null, dead: null, resources: null, recent: null,
  hasMore: { queued: false, dead: false, resources: false },
  isLive: false, lostAt: null, trouble: null, nextTry: null, filter: "",
};

const series = {
  refreshed: new Series("refreshed"), failed: new Series("failed"),
  fresh: new Series("fresh"), stale: new Series("stale"), missed: new Series("missed"),
  took: new Series("took"), waited: new Series("waited"),
  waiting: new Series("waiting"), running: new Series("running"), delayed: new Series("delayed"),
};

/** Called when something changed; set by the page. */
let changed = () => {};
/** Called when the API wants a key, or another one; set by the page. */
let keyWanted = () => {};

/** A list that is asked for every `most` seconds, and at the earliest `least` after the last time. */
class Poll {
  static all = [];
  static quietUntil = 0;
  constructor(path, least, most, take) {
    Object.assign(this, { path, least, most, take, asked: 0, isWanted: true, isAsking: false });
    Poll.all.push(this);
  }
  nudge() { this.isWanted = true; }
  async run(at) {
    const since = (at - this.asked) / 1000;
    if (this.isAsking || at < Poll.quietUntil || since < (this.isWanted ? this.least : this.most)) return;
    Object.assign(this, { asked: at, isWanted: false, isAsking: true });
    try {
      this.take(await call(typeof this.path === "function" ? this.path() : this.path), Date.now());
      if (known.trouble?.poll === this) known.trouble = null;
    } catch (error) {
      this.isWanted = true;
      Poll.quietUntil = Date.now() + 1000 * Math.max(1, error.retryAfter ?? 2);
      if (error.status === 401) stopForKey(error);
      else if (error.status !== 429) known.trouble = { poll: this, words: error.status ? error.message : null };
    } finally {
      this.isAsking = false;
    }
    changed();
  }
}

const jobs = (state, limit) => new Poll(`v1/jobs?state=${state}&limit=${limit}`, 0.7, 5, (page, at) => {
  known[state] = page.items;
  for (const job of page.items) {
    job.seenAt = at;
    // It began before this page was opened: how long it took shall be known all the same.
    if (state === "running" && !begun.has(job.id)) remember({ job_id: job.id, at: job.started_at }, "running");
  }
  if (state in known.hasMore) known.hasMore[state] = page.next_cursor !== null;
});
const polls = {
  queue: new Poll("v1/queue", 0.9, 2.5, (queue) => {
    known.queue = queue;
    for (const name of ["waiting", "running", "delayed"]) series[name].largest(now(), queue[name]);
  }),
  running: jobs("running", 100), queued: jobs("queued", 30), retrying: jobs("retrying", 30),
  dead: new Poll("v1/dead?limit=50", 1, 20, (page) => {
    known.dead = page.items;
    known.hasMore.dead = page.next_cursor !== null;
  }),
  // Without an order that the API knows, a filter looks through as many as one page holds.
  resources: new Poll(() => `v1/resources?limit=${known.filter ? 1000 : 200}`, 2, 15, (page, at) => {
    for (const status of page.items) status.seenAt = at;
    known.resources = page.items;
    known.hasMore.resources = page.next_cursor !== null;
  }),
  stats: new Poll("stats", 5, 5, (stats, at) => {
    const before = known.stats;
    stats.seenAt = at;
    known.stats = stats;
    if (!before) return;
    const seconds = (at - before.seenAt) / 1000;
    const per = (name) => Math.max(0, stats[name] - before[name]) / seconds;
    series.fresh.set(now(), per("cache_hits"));
    series.stale.set(now(), per("stale_hits"));
    series.missed.set(now(), per("cache_misses"));
  }),
};

/** When jobs were queued and begun, to tell how long they waited and took. */
const begun = new Map();
function remember(event, name) {
  const times = begun.get(event.job_id) ?? {};
  times[name] = Date.parse(event.at);
  begun.delete(event.job_id);
  begun.set(event.job_id, times);
  if (begun.size > 5000) begun.delete(begun.keys().next().value);
  return times;
}

function record(entry) {
  known.recent ??= [];
  known.recent.unshift(entry);
  if (known.recent.length > 9) known.recent.length = 9;
}

/** An attempt that ended at `at`. */
function ended(at, seconds, isGood) {
  series[isGood ? "refreshed" : "failed"].add(at, 1 / step);
  if (seconds !== null) series.took.largest(at, seconds);
}

function take(event) {
  const at = Date.parse(event.at);
  const times = begun.get(event.job_id);
  const took = times?.running ? (at - times.running) / 1000 : null;
  const entry = { id: `${event.job_id} ${event.type} ${event.at}`, at, type: event.type, key: event.key, took, error: event.error };
  switch (event.type) {
    case "queued":
      if (!event.run_at) remember(event, "queued");
      break;
    case "running": {
      const { queued } = remember(event, "running");
      if (queued && event.attempt === 1) series.waited.largest(at, (at - queued) / 1000);
      break;
    }
    case "progress": {
      const job = known.running?.find((one) => one.id === event.job_id);
      if (job) {
        const { done, total, percent, message, eta_seconds } = event;
        Object.assign(job, { progress: { done, total, percent, message, eta_seconds }, eta_seconds, duration_seconds: took ?? job.duration_seconds, seenAt: Date.now() });
      } else polls.running.nudge();
      changed();
      return;
    }
    case "updated": ended(at, took, true); entry.type = event.renewal ? "renewed" : "updated"; record(entry); break;
    case "retrying": case "failed": ended(at, took, false); record(entry); break;
    case "cancelled": case "purged": case "expired": record(entry); break;
  }
  if (["updated", "failed", "cancelled"].includes(event.type)) begun.delete(event.job_id);
  for (const name of ["queue", "running", "queued", "retrying", "resources"]) polls[name].nudge();
  if (event.type === "failed" || (event.type === "queued" && known.dead?.length)) polls.dead.nudge();
  changed();
}

/** Fills the charts with what ended before the page was opened: a page just opened is no blank one. */
async function takeHistory() {
  const page = await call("v1/jobs?state=succeeded,dead&limit=500");
  const begin = now() - minutes * 60000;
  const recent = page.items.filter((job) => Date.parse(job.finished_at) > begin);
  const oldest = page.next_cursor && recent.length === page.items.length
    ? Math.min(...recent.map((job) => Date.parse(job.finished_at))) : begin;
  for (let at = oldest; at <= now(); at += step * 1000) {
    series.refreshed.add(at, 0);
    series.failed.add(at, 0);
  }
  for (const job of recent) {
    const at = Date.parse(job.finished_at);
    ended(at, job.duration_seconds, job.state === "succeeded");
    if (job.attempt === 1 && !job.run_at && job.started_at) {
      series.waited.largest(at, (Date.parse(job.started_at) - Date.parse(job.created_at)) / 1000);
    }
  }
  known.recent = page.items.slice(0, 9).map((job) => ({
    id: job.id, at: Date.parse(job.finished_at), type: job.state === "dead" ? "failed" : "updated",
    key: job.key, took: job.duration_seconds, error: job.error,
  }));
}

let control = null;
let hasHistory = false;

function stopForKey(error) {
  control?.abort();
  control = null;
  keyWanted(link.key ? error.message : null);
}

/** Follows the events until told to stop; comes back where it left off. */
async function follow(stop) {
  let wait = 500;
  while (!stop.aborted) {
    try {
      if (!hasHistory) {
        await takeHistory();
        hasHistory = true;
      }
      await readEvents(stop, () => {
        wait = 500;
        Object.assign(known, { isLive: true, lostAt: null, nextTry: null });
        for (const poll of Poll.all) poll.nudge();
        changed();
      }, take);
    } catch (error) {
      if (error.status === 401 && !stop.aborted) return stopForKey(error);
      if (error.retryAfter) wait = Math.max(wait, error.retryAfter * 1000);
    }
    if (stop.aborted) return;
    known.isLive = false;
    known.lostAt ??= Date.now();
    known.nextTry = Date.now() + wait;
    changed();
    await new Promise((resolve) => {
      const timer = setTimeout(resolve, wait * (0.8 + 0.4 * Math.random()));
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    wait = Math.min(wait * 2, 15000);
  }
}

let wake = () => {};
/** Tries again at once. */
function retryNow() {
  Poll.quietUntil = 0;
  wake();
}

/** Begins, or begins anew with another key. */
function start() {
  control?.abort();
  control = new AbortController();
  follow(control.signal);
}

setInterval(() => {
  if (!control) return;
  if (known.isLive) {
    series.refreshed.add(now(), 0);
    series.failed.add(now(), 0);
  }
  // A page nobody looks at asks for nothing; its events still come.
  if (!document.hidden) for (const poll of Poll.all) poll.run(Date.now());
}, 250);
addEventListener("online", retryNow);
document.addEventListener("visibilitychange", () => {
  if (!document.hidden) retryNow();
});
