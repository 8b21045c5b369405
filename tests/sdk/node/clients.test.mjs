// The openai and @anthropic-ai/sdk packages on each upstream kind.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { z } from "zod";
import { Chat } from "./chat.mjs";
import { Messages } from "./messages.mjs";
import { Responses } from "./responses.mjs";
import { assertCancels, assertRetryAfter, assertTold, key, BROKEN, FAULTS, KINDS, PIXEL, WORDS } from "./world.mjs";

const STRANGER = "tp-nobody-knows-this-key-000000";

for (const Speaker of [Chat, Responses, Messages]) {
  const speaker = new Speaker(key);
  for (const kind of KINDS) {
    describe(`${speaker.name} on ${kind}`, () => {
      for (const hear of ["hear", "hearStream"]) talks(speaker, kind, hear);
      fails(speaker, kind);
      test("structured output", async () => {
        const form = z.object({ title: z.string(), pages: z.number().int() });
        const sheet = await speaker.fill(speaker.ask(`${kind}/sim-json`, "fill the sheet"), form);
        assert.equal(typeof sheet.title, "string");
        assert.ok(Number.isInteger(sheet.pages));
      });
      test("a client that leaves", () =>
        assertCancels(async () => {
          const stream = await speaker.listen(speaker.ask(`${kind}/sim-stream-500x20ms`, "hello"));
          for await (const _ of stream) break;
        }));
    });
  }
}

function talks(speaker, kind, hear) {
  test(`text, ${hear}`, async () => {
    const heard = await speaker[hear](speaker.ask(`${kind}/sim-stream-20`, "seed:7"));
    assert.equal(heard.text.trim(), WORDS);
    assert.equal(heard.stop, speaker.ends.said);
    assert.deepEqual(heard.usage, [11, 20]);
  });
  test(`a picture, ${hear}`, async () => {
    const { text } = await speaker[hear](speaker.ask(`${kind}/sim-image-echo`, "what is this?", PIXEL));
    assert.match(text, /image\/png.*70/);
  });
  test(`thoughts, ${hear}`, async () => {
    const heard = await speaker[hear](speaker.think(speaker.ask(`${kind}/sim-think`, "seed:7")));
    assert.equal(heard.thoughts, "The user wants an answer to: seed:7");
    assert.ok(heard.text.startsWith("7-0 7-1 "));
  });
  test(`two tools and their results, ${hear}`, () =>
    callsAndTells(speaker, hear, speaker.offer(speaker.ask(`${kind}/sim-tools`, "weather and time?"))));
  // the simulator refuses a thought that lost its signature
  test(`thoughts before tools come back with their signature, ${hear}`, async () => {
    const request = speaker.offer(speaker.ask(`${kind}/sim-think-tools`, "weather and time?"));
    assert.ok((await callsAndTells(speaker, hear, speaker.think(request))).thoughts);
  });
}

// Both tools are called, and the next turn knows their results; gives the first answer.
async function callsAndTells(speaker, hear, request) {
  const heard = await speaker[hear](request);
  assert.deepEqual(
    heard.calls.map(({ name, input }) => [name, Object.keys(input)]),
    [
      ["get_weather", ["city"]],
      ["get_time", ["zone"]],
    ],
  );
  assert.equal(heard.stop, speaker.ends.called);
  const results = heard.calls.map(({ id, name }) => [id, `result of ${name}`]);
  assertTold((await speaker[hear](speaker.answer(request, heard, results))).text);
  return heard;
}

function fails(speaker, kind) {
  for (const [model, ofOpenai, ofAnthropic] of FAULTS) {
    const status = speaker instanceof Messages ? ofAnthropic : ofOpenai;
    for (const send of ["hear", "listen"]) {
      test(`${status} for ${model}, ${send}`, async () => {
        const error = await refused(speaker[send](speaker.ask(kind + model, "hello")));
        assert.equal(error.status, status);
        assert.ok(error.requestID);
        if (status === 429) assertRetryAfter(error.headers.get("retry-after"));
      });
    }
  }
  test("a wrong key", async () => {
    const stranger = new speaker.constructor(STRANGER);
    assert.equal((await refused(stranger.hear(stranger.ask(`${kind}/sim-stream-20`, "hello")))).status, 401);
  });
  test("a stream that breaks off", async () => {
    let words = "";
    const read = async () => {
      const stream = await speaker.listen(speaker.ask(`${kind}/sim-stream-20+cut-after-3`, "seed:7"));
      for await (const event of stream) words += speaker.word(event);
    };
    assert.equal(speaker.complaint(await refused(read())), BROKEN);
    assert.equal(words, "7-0 7-1 7-2 ");
  });
}

// The error of a promise that must fail.
async function refused(promise) {
  const [outcome] = await Promise.allSettled([promise]);
  assert.equal(outcome.status, "rejected");
  return outcome.reason;
}
