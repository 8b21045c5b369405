// Keeps the supervision page current, and restarts actors.
//
// The server writes all words: this fetches the page's live part and the status line again and changes in place only what
// differs, so that focus, selection and scroll stay where they are. Events say when something happened;
// between them the figures are refreshed every two seconds while the page is seen. Without events
// (connection lost) refreshing goes on, and the notice says so until they are back.

const live = document.getElementById("live");
const status = document.getElementById("status");
const notice = document.getElementById("notice");
const confirmation = document.getElementById("confirm");
const search = document.getElementById("search");

// A page opened as https://user:password@host may fetch nothing by a relative address; the origin has
// no password in it.
const here = (path) => location.origin + path;

const REFRESH_MS = 2000;
const LEAST_MS = 400;

let busy = false;
let wanted = false;
let lastAt = 0;

async function refresh() {
  if (busy) {
    wanted = true;
    return;
  }
  busy = true;
  wanted = false;
  try {
    const answer = await fetch(here(live.dataset.source), { headers: { "X-Requested-With": "troupe" } });
    if (answer.status === 401 || answer.status === 403 || answer.redirected) {
      location.reload();
      return;
    }
    if (!answer.ok) throw new Error(String(answer.status));
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const part of [live, status]) morph(part, page.getElementById(part.id));
    reached(true);
  } catch {
    reached(false);
  } finally {
    busy = false;
    lastAt = performance.now();
    if (wanted) soon();
  }
}

let timer = 0;
function soon() {
  clearTimeout(timer);
  timer = setTimeout(refresh, Math.max(0, LEAST_MS - (performance.now() - lastAt)));
}

/** Makes `old` like `fresh`, keeping every node that can stay. Rows are told apart by `data-key`. */
function morph(old, fresh) {
  for (const { name } of [...old.attributes]) {
    if (!fresh.hasAttribute(name)) old.removeAttribute(name);
  }
  for (const { name, value } of fresh.attributes) {
    if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
  const before = [...old.childNodes];
  const keyed = new Map(before.filter((node) => node.dataset?.key).map((node) => [node.dataset.key, node]));
  let place = old.firstChild;
  for (const next of [...fresh.childNodes]) {
    const key = next.dataset?.key;
    let same = key ? keyed.get(key) : place;
    if (same && (same.nodeName !== next.nodeName || (!key && same.dataset?.key))) same = null;
    if (!same) {
      old.insertBefore(next, place);
      continue;
    }
    if (same !== place) old.insertBefore(same, place);
    else place = place.nextSibling;
    if (same.nodeType === Node.TEXT_NODE) {
      if (same.data !== next.data) same.data = next.data;
    } else {
      morph(same, next);
    }
  }
  while (place) {
    const gone = place;
    place = place.nextSibling;
    gone.remove();
  }
}

// What is wrong with the connection, and the latest thing to say beside it.
let serverReached = true;
let eventsOpen = true;
let said = null;

function reached(now) {
  if (serverReached !== now) {
    serverReached = now;
    show();
  }
}

function say(text, look) {
  const now = { text, look };
  said = now;
  show();
  // What went wrong stays; what went well has been read after a while.
  if (look === "bad") return;
  setTimeout(() => {
    if (said !== now) return;
    said = null;
    show();
  }, 8000);
}

function show() {
  const lost = !serverReached ? notice.dataset.lost : !eventsOpen ? notice.dataset.noEvents : null;
  const text = lost ?? said?.text ?? "";
  notice.className = `notice ${lost ? "warn" : (said?.look ?? "")}`;
  notice.textContent = text;
  notice.hidden = text === "";
}

function listen() {
  const events = new EventSource(here(live.dataset.events));
  events.onopen = () => {
    eventsOpen = true;
    show();
    soon();
  };
  events.onmessage = soon;
  for (const kind of ["restart", "snapshot"]) events.addEventListener(kind, soon);
  events.onerror = () => {
    eventsOpen = false;
    show();
    // The browser tries again by itself, except after an answer that is no event stream.
    if (events.readyState === EventSource.CLOSED) setTimeout(listen, 5000);
  };
}

function fill(text, path) {
  return text.replace("%path%", path);
}

async function restart(path, button) {
  const place = path.split("/").map(encodeURIComponent).join("/");
  button.disabled = true;
  try {
    const answer = await fetch(here(`${live.dataset.api}/${place}/restart`), {
      method: "POST",
      headers: { "X-Requested-With": "troupe" },
    });
    if (answer.ok) {
      say(fill(notice.dataset.restarted, path), "");
    } else {
      const reason = await answer.json().then((body) => body.error?.message, () => null);
      say(`${fill(notice.dataset.failed, path)} ${reason ?? `HTTP ${answer.status}`}`, "bad");
    }
  } catch {
    say(fill(notice.dataset.failed, path), "bad");
  } finally {
    button.disabled = false;
    soon();
  }
}

live.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-restart]");
  if (!button) return;
  const path = button.dataset.restart;
  confirmation.querySelector("[data-path]").textContent = path;
  confirmation.returnValue = "";
  confirmation.showModal();
  confirmation.onclose = () => {
    button.focus();
    if (confirmation.returnValue === "restart") restart(path, button);
  };
});

search.addEventListener("input", () => {
  const query = new URLSearchParams();
  if (search.value) query.set("q", search.value);
  const question = search.value ? `?${query}` : "";
  history.replaceState(null, "", question || location.pathname);
  live.dataset.source = live.dataset.source.split("?")[0] + question;
  soon();
});
search.form.addEventListener("submit", (event) => event.preventDefault());

document.addEventListener("keydown", (event) => {
  const typing = event.target.closest("input, textarea, dialog");
  if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey) {
    event.preventDefault();
    search.focus();
  }
});

document.documentElement.classList.add("scripted");
listen();
setInterval(() => document.hidden || refresh(), REFRESH_MS);
document.addEventListener("visibilitychange", () => document.hidden || soon());
