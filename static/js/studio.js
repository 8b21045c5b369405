// The studio: orders are written in the panel, followed in the gallery, and looked at in the lightbox.
//
// The server writes all words and the templates that are copied here; everything else is in the modules, one idea each.

import * as files from "./studio/files.js";
import * as form from "./studio/form.js";
import { announce, hear, listen } from "./studio/gallery.js";
import * as history from "./studio/history.js";
import * as improve from "./studio/improve.js";
import * as keys from "./studio/keys.js";
import * as lightbox from "./studio/lightbox.js";
import * as order from "./studio/order.js";
import * as sheet from "./studio/sheet.js";
import { Socket } from "./studio/socket.js";
import { toast } from "./studio/toasts.js";
import { keepTimes, say, span } from "./studio/words.js";

const notice = document.getElementById("notice");
let wasLost = false;

/** Says that the connection is lost, and when it is back. */
function connection({ open, wait }) {
  notice.className = "notice warn";
  notice.hidden = open;
  notice.textContent = open ? "" : say("studio-lost", { span: span(wait) });
  if (open && wasLost) announce(say("studio-connected"));
  wasLost = !open;
}

function reuse(task) {
  form.fill(task);
  sheet.open();
  document.getElementById("prompt").focus();
  toast(say("studio-reused"));
}

const socket = new Socket(hear, connection);
listen({
  follow: (task) => socket.follow(task),
  forget: (task) => socket.forget(task),
  open: lightbox.open,
  again: order.again,
  reuse,
});

for (const part of [files, form, improve, keys, order, sheet]) part.begin();
lightbox.begin(reuse);
history.begin();
keepTimes();

for (const example of document.querySelectorAll("[data-example]")) {
  example.addEventListener("click", () => {
    const prompt = document.getElementById("prompt");
    prompt.value = example.textContent;
    prompt.dispatchEvent(new Event("input", { bubbles: true }));
    prompt.focus();
  });
}
document.documentElement.classList.add("scripted");
