// What the page says. All words come with it, in the visitor's language.

const words = JSON.parse(document.getElementById("studio").dataset.words);
const language = document.documentElement.lang;

/** A message with its parts, `say("studio-of", { index: 1, total: 4 })`. */
export function say(key, parts = {}) {
  const text = words[key] ?? key;
  return text.replace(/%(\w+)%/g, (whole, name) => parts[name] ?? whole);
}

/** Whether there is a message of that name. */
export const knows = (key) => key in words;

/** A length of time in its two largest units: `4 s`, `3 min 4 s`. */
export function span(ms) {
  const s = Math.max(1, Math.round(ms / 1000));
  const [min, h] = [Math.floor(s / 60), Math.floor(s / 3600)];
  if (min === 0) return say("span-s", { s });
  if (h === 0) return say("span-min", { min, s: s % 60 });
  if (h < 24) return say("span-h", { h, min: min % 60 });
  return say("span-d", { d: Math.floor(h / 24), h: h % 24 });
}

/** A time of the API, which may be seconds, milliseconds or text, as milliseconds since 1970. */
export function moment(time) {
  if (typeof time === "number") return time < 1e11 ? time * 1000 : time;
  const parsed = Date.parse(time ?? "");
  return Number.isNaN(parsed) ? Date.now() : parsed;
}

/** An element that says how long ago something was, and when exactly on hover. */
export function timeOf(ms) {
  const element = document.createElement("time");
  element.dateTime = new Date(ms).toISOString();
  element.title = new Date(ms).toLocaleString(language);
  refresh(element);
  return element;
}

function refresh(element) {
  const gone = Date.now() - Date.parse(element.dateTime);
  element.textContent = gone < 5000 ? say("now") : say("ago", { span: span(gone) });
}

/** Keeps all times of the page current. */
export function keepTimes() {
  setInterval(() => document.querySelectorAll("time[datetime]").forEach(refresh), 20_000);
}

/** A number as people of this language write it. */
export const figure = (number) => new Intl.NumberFormat(language).format(number);

/** Bytes in the unit that fits. */
export function bytes(count) {
  if (count < 1 << 20) return `${figure(Math.ceil(count / 1024))} KiB`;
  return `${figure(Math.round((count / (1 << 20)) * 10) / 10)} MiB`;
}
