// Follows tasks over one WebSocket that comes back by itself. While it is away the tasks are asked for now and then,
// so that a proxy which lets no WebSockets through costs liveliness only.

import { call } from "./api.js";

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 15_000;
const PING_MS = 20_000;
/** A connection on which nothing came for so long is dead, whatever the browser thinks. */
const SILENCE_MS = 50_000;
const POLL_MS = 3_000;

export class Socket {
  #followed = new Set();
  #socket = null;
  #tries = 0;
  #retry = 0;
  #heardAt = 0;
  #tell;
  #changed;

  /** `tell` gets every message, `changed` every change of the connection: `{ open, wait }` in milliseconds. */
  constructor(tell, changed) {
    this.#tell = tell;
    this.#changed = changed;
    this.#connect();
    setInterval(() => this.#beat(), PING_MS);
    setInterval(() => this.#poll(), POLL_MS);
    for (const event of ["online", "visibilitychange"]) {
      (event === "online" ? window : document).addEventListener(event, () => this.#hurry());
    }
  }

  get isOpen() {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  /** Follows a task until `forget`, over all connections to come. */
  follow(task) {
    this.#followed.add(task);
    this.#send({ type: "subscribe", task_id: task });
  }

  forget(task) {
    this.#followed.delete(task);
  }

  #send(message) {
    if (this.isOpen) this.#socket.send(JSON.stringify(message));
  }

  #connect() {
    clearTimeout(this.#retry);
    const address = location.origin.replace(/^http/, "ws") + "/api/v1/generate/stream";
    const socket = new WebSocket(address);
    this.#socket = socket;
    socket.onopen = () => {
      this.#tries = 0;
      this.#heardAt = performance.now();
      for (const task of this.#followed) this.#send({ type: "subscribe", task_id: task });
      this.#changed({ open: true });
    };
    socket.onmessage = ({ data }) => {
      this.#heardAt = performance.now();
      const message = JSON.parse(data);
      if (message.type !== "pong") this.#tell(message);
    };
    socket.onclose = () => this.#lost(socket);
  }

  #lost(socket) {
    if (socket !== this.#socket) return;
    // half of the wait is drawn by lot, so that not all pages come back in the same moment
    const longest = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** this.#tries);
    const wait = longest / 2 + (Math.random() * longest) / 2;
    this.#tries += 1;
    this.#retry = setTimeout(() => this.#connect(), wait);
    this.#changed({ open: false, wait });
  }

  /** There is reason to believe that it works now. */
  #hurry() {
    if (document.hidden || this.isOpen || this.#socket?.readyState === WebSocket.CONNECTING) return;
    this.#tries = 0;
    this.#connect();
  }

  #beat() {
    if (!this.isOpen) return;
    if (performance.now() - this.#heardAt > SILENCE_MS) {
      this.#socket.close();
      this.#lost(this.#socket);
    } else {
      this.#send({ type: "ping" });
    }
  }

  async #poll() {
    if (this.isOpen || document.hidden) return;
    // where the session is over, not the connection, the call leads to the door
    if (this.#followed.size === 0) await call("GET", "/api/v1/tasks?limit=1").catch(() => {});
    for (const id of [...this.#followed]) {
      try {
        const task = await call("GET", `/api/v1/task/${id}`);
        this.#tell({ type: "task", task });
      } catch (error) {
        if (error.status === 404) this.#tell({ type: "gone", task_id: id });
        return;
      }
    }
  }
}
