// The connection to the API: calls with the key in a header, and the stream of events.
// EventSource can send no header, and a key in a URL would end in logs: hence fetch.

const keyName = "freshet.key";
const link = {
  key: sessionStorage.getItem(keyName),
  /** Server's clock minus ours, in milliseconds: ages must not depend on this machine's clock. */
  offset: 0,
  lastHeard: 0,
  lastEventID: null,
};

class Refused extends Error {
  constructor(status, problem, retryAfter) {
    super(problem?.detail ?? `The API answered ${status}.`);
    this.status = status;
    this.retryAfter = retryAfter;
  }
}

function setKey(key) {
  link.key = key;
  if (key) sessionStorage.setItem(keyName, key);
  else sessionStorage.removeItem(keyName);
}

const headers = (more = {}) => (link.key ? { "X-API-Key": link.key, ...more } : more);

const now = () => Date.now() + link.offset;

/** JSON of `path`, which is relative: the page works behind a proxy's prefix, too. */
async function call(path, method = "GET", body) {
  const response = await fetch(path, {
    method, body: body && JSON.stringify(body), cache: "no-store", credentials: "omit",
    headers: headers(body ? { "Content-Type": "application/json" } : {}),
    signal: AbortSignal.timeout(15000),
  });
  hear(response);
  if (response.ok) return response.status === 204 ? null : response.json();
  throw await refusal(response);
}

async function refusal(response) {
  const isProblem = response.headers.get("Content-Type")?.includes("json");
  const problem = isProblem ? await response.json().catch(() => null) : null;
  return new Refused(response.status, problem, Number(response.headers.get("Retry-After")) || 0);
}

function hear(response) {
  link.lastHeard = Date.now();
  const date = Date.parse(response.headers.get("Date") ?? "");
  if (Number.isNaN(date)) return;
  // The field has whole seconds: the largest difference seen is the nearest to the truth.
  const offset = date - Date.now();
  if (!link.isTimed || offset > link.offset || offset < link.offset - 2000) link.offset = offset;
  link.isTimed = true;
}

/**
 * Reads events until the stream ends, calling `onEvent` for each; `onOpen` once it stands.
 * The server says something every 15 s: 40 s of silence are a dead connection.
 */
async function readEvents(stop, onOpen, onEvent) {
  const control = new AbortController();
  const end = () => control.abort();
  stop.addEventListener("abort", end);
  let watchdog = setTimeout(end, 40000);
  try {
    const more = link.lastEventID ? { "Last-Event-ID": link.lastEventID } : {};
    const response = await fetch("v1/events", {
      headers: headers({ Accept: "text/event-stream", ...more }),
      cache: "no-store", credentials: "omit", signal: control.signal,
    });
    if (!response.ok) {
      if (response.status === 400) link.lastEventID = null;
      throw await refusal(response);
    }
    hear(response);
    onOpen();
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      clearTimeout(watchdog);
      watchdog = setTimeout(end, 40000);
      link.lastHeard = Date.now();
      const blocks = (rest + value).split("\n\n");
      rest = blocks.pop();
      for (const block of blocks) parse(block, onEvent);
    }
  } finally {
    clearTimeout(watchdog);
    stop.removeEventListener("abort", end);
    control.abort();
  }
}

function parse(block, onEvent) {
  let data = "";
  for (const line of block.split("\n")) {
    if (line.startsWith("id:")) link.lastEventID = line.slice(3).trim();
    else if (line.startsWith("data:")) data += line.slice(5);
  }
  if (data) onEvent(JSON.parse(data));
}
