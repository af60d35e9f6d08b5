// What somebody does, and the beginning of it all.

let isDue = false;
changed = () => {
  if (isDue) return;
  isDue = true;
  setTimeout(() => {
    isDue = false;
    draw();
  }, 200);
};
setInterval(draw, 1000);
addEventListener("resize", () => {
  drawnCharts = 0;
  changed();
});

let silence;
/** Tells what came of an action, to eyes and to screen readers. */
function say(words) {
  text($("said"), "");
  clearTimeout(silence);
  setTimeout(() => text($("said"), words), 30);
  silence = setTimeout(() => text($("said"), ""), 6000);
}

const queued = (receipt) => receipt.status === "started"
  ? `${receipt.key} is queued.` : `${receipt.key} was ${receipt.status === "running" ? "running" : "queued"} already.`;
const encoded = encodeURIComponent;
const actions = {
  cancel: async ({ job, key }) => {
    await call(`v1/jobs/${encoded(job)}`, "DELETE");
    return `The refresh of ${key} is cancelled.`;
  },
  refresh: async ({ key }) => queued(await call(`v1/resources/${encoded(key)}/refresh`, "POST")),
  retry: async ({ job }) => {
    const [item] = (await call("v1/dead/retry", "POST", { ids: [job] })).items;
    return item?.error ? item.error.detail : item ? queued(item) : "That job is not dead any more.";
  },
  "retry-all": async () => {
    const { items } = await call("v1/dead/retry", "POST", { all: true });
    const failed = items.filter((item) => item.error).length;
    return `${count(items.length - failed)} dead jobs are queued again${failed ? `, ${count(failed)} are not` : ""}.`;
  },
  pause: async () => {
    const wasPaused = known.queue.paused;
    known.queue = await call(`v1/queue/${wasPaused ? "resume" : "pause"}`, "POST");
    return wasPaused ? "Workers take jobs again." : "The queue is paused.";
  },
};

/** One action at a time for a button, which stays where the keyboard left it. */
async function act(button, name) {
  if (button.getAttribute("aria-disabled") === "true") return;
  button.setAttribute("aria-disabled", "true");
  try {
    say(await actions[name]({ ...button.dataset }));
  } catch (error) {
    if (error.status === 401) stopForKey(error);
    else say(error.status ? error.message : "That did not reach the API. Nothing is known of what came of it.");
  } finally {
    button.removeAttribute("aria-disabled");
    for (const poll of Poll.all) poll.nudge();
    changed();
  }
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-do]");
  if (button) act(button, button.dataset.do);
});
$("pause").addEventListener("click", (event) => act(event.currentTarget, "pause"));
$("retry-all").addEventListener("click", (event) => act(event.currentTarget, "retry-all"));
$("again").addEventListener("click", retryNow);
$("filter").addEventListener("input", (event) => {
  known.filter = event.target.value;
  polls.resources.nudge();
  changed();
});
$("order").addEventListener("change", draw);

const ask = $("ask");
keyWanted = (words) => {
  setKey(null);
  text($("ask-error"), words ?? "");
  $("key").value = "";
  if (!ask.open) ask.showModal();
  $("key").focus();
};
// Nothing can be shown without an answer. A browser lets no page hold Escape for ever: asked again.
ask.addEventListener("cancel", (event) => event.preventDefault());
ask.addEventListener("close", () => {
  if (!control) keyWanted();
});
$("ask-form").addEventListener("submit", (event) => {
  event.preventDefault();
  setKey($("key").value.trim());
  $("key").value = "";
  text($("ask-error"), "");
  start();
  ask.close();
});
$("forget").addEventListener("click", () => {
  setKey(null);
  // Nothing that the key could see stays in the page.
  location.reload();
});

text($("host"), location.host);
start();
draw();
