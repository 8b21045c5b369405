// The gateway and the simulator that the Python side has started, and what every test says to them.

import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";

const { GATEWAY, API_KEY, SIMULATOR } = process.env;

export const url = `http://${GATEWAY}`;
export const key = API_KEY;

export const KINDS = ["openai", "openai_responses", "anthropic", "gemini"];

// each tool and its one argument
export const TOOLS = { get_weather: "city", get_time: "zone" };

export const WORDS = Array.from({ length: 20 }, (_, index) => `7-${index}`).join(" ");

export const PIXEL =
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

// model, status to programs of OpenAI, to those of Anthropic
export const FAULTS = [
  ["-faulty/sim-status-429-after-9", 429, 429],
  ["-faulty/sim-status-500", 502, 502],
  ["-faulty/sim-status-503", 503, 529],
  ["/sim-status-400", 400, 400],
  ["/sim-missing", 404, 404],
  ["/nothing", 404, 404],
];

export const BROKEN = "the upstream broke off before the end of its answer";

export function schema(field) {
  return {
    type: "object",
    properties: { [field]: { type: "string" } },
    required: [field],
    additionalProperties: false,
  };
}

// The results of both tools stand in the text, in their order.
export function assertTold(text) {
  const places = Object.keys(TOOLS).map((name) => text.indexOf(`result of ${name}`));
  assert.ok(places[0] >= 0 && places[0] < places[1], text);
}

// The upstream's 9 seconds are for one token, and another is free.
export function assertRetryAfter(value) {
  assert.equal(value, "1");
}

async function cancelled() {
  const answer = await fetch(`${SIMULATOR}/_sim/stats`);
  return (await answer.json()).cancelled;
}

// Runs a client that leaves, and waits until the upstream has seen it.
export async function assertCancels(leave) {
  const before = await cancelled();
  await leave();
  for (let tries = 0; (await cancelled()) === before; tries += 1) {
    assert.ok(tries < 500, "the upstream call went on without a client");
    await pause(20);
  }
}
