// The ai package on each upstream kind, with both of its providers.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createAnthropic } from "@ai-sdk/anthropic";
import { createOpenAI } from "@ai-sdk/openai";
import { generateText, isStepCount, Output, streamText, tool } from "ai";
import { z } from "zod";
import { assertCancels, assertRetryAfter, assertTold, key, url, BROKEN, FAULTS, KINDS, PIXEL, TOOLS, WORDS } from "./world.mjs";

// it asks real services for reasoning where it knows the model's name
const OPENAI = { openai: { reasoningEffort: "low", reasoningSummary: "auto", forceReasoning: true, store: false } };
const ANTHROPIC = { anthropic: { thinking: { type: "enabled", budgetTokens: 1024 } } };

const SPEAKERS = [
  { name: "@ai-sdk/openai, chat", open: (apiKey) => createOpenAI({ baseURL: `${url}/v1`, apiKey }).chat, thinking: OPENAI },
  {
    name: "@ai-sdk/openai, responses",
    open: (apiKey) => createOpenAI({ baseURL: `${url}/v1`, apiKey }).responses,
    thinking: OPENAI,
    tellsThoughts: true,
  },
  {
    name: "@ai-sdk/anthropic",
    open: (apiKey) => createAnthropic({ baseURL: `${url}/v1`, apiKey }),
    thinking: ANTHROPIC,
    tellsThoughts: true,
    anthropic: true,
  },
];

const tools = Object.fromEntries(
  Object.entries(TOOLS).map(([name, field]) => [
    name,
    tool({ inputSchema: z.object({ [field]: z.string() }), execute: () => `result of ${name}` }),
  ]),
);

// What a stream gives in the end, in the shape of a whole answer.
async function streamed(options) {
  const result = streamText({ ...options, onError: () => {} });
  const [text, steps, usage, reasoningText, finishReason] = await Promise.all([
    result.text,
    result.steps,
    result.usage,
    result.reasoningText,
    result.finishReason,
  ]);
  return { text, steps, usage, reasoningText, finishReason };
}

for (const speaker of SPEAKERS) {
  const models = speaker.open(key);
  for (const kind of KINDS) {
    describe(`${speaker.name} on ${kind}`, () => {
      const asks = (scene, rest) => ({ model: models(kind + scene), maxRetries: 0, ...rest });
      for (const hear of [generateText, streamed]) talks(speaker, asks, hear);
      fails(speaker, asks);
      test("structured output", async () => {
        const form = z.object({ title: z.string(), pages: z.number().int() });
        // where it does not know the model it has a tool called instead
        const providerOptions = { anthropic: { structuredOutputMode: "outputFormat" } };
        const output = Output.object({ schema: form });
        const answer = await generateText(asks("/sim-json", { prompt: "fill the sheet", output, providerOptions }));
        assert.equal(typeof answer.output.title, "string");
      });
      test("a wrong key", async () => {
        const model = speaker.open("tp-nobody-knows-this-key-000000")(`${kind}/sim-stream-20`);
        await assert.rejects(generateText({ model, prompt: "hello", maxRetries: 0 }), { statusCode: 401 });
      });
      test("a client that leaves", () =>
        assertCancels(async () => {
          const patience = new AbortController();
          const asked = asks("/sim-stream-500x20ms", { prompt: "hello", abortSignal: patience.signal });
          for await (const part of streamText(asked).stream) if (part.type === "text-delta") patience.abort();
        }));
    });
  }
}

function talks(speaker, asks, hear) {
  test(`text, ${hear.name}`, async () => {
    const heard = await hear(asks("/sim-stream-20", { prompt: "seed:7" }));
    assert.equal(heard.text.trim(), WORDS);
    assert.equal(heard.finishReason, "stop");
    assert.deepEqual([heard.usage.inputTokens, heard.usage.outputTokens], [11, 20]);
  });
  test(`a picture, ${hear.name}`, async () => {
    const picture = { type: "file", mediaType: "image/png", data: PIXEL };
    const content = [{ type: "text", text: "what is this?" }, picture];
    const { text } = await hear(asks("/sim-image-echo", { messages: [{ role: "user", content }] }));
    assert.match(text, /image\/png.*70/);
  });
  test(`thoughts, ${hear.name}`, async () => {
    const heard = await hear(asks("/sim-think", { prompt: "seed:7", providerOptions: speaker.thinking }));
    assert.ok(heard.text.startsWith("7-0 7-1 "));
    // its provider for openai_chat reads no thoughts
    if (speaker.tellsThoughts) assert.equal(heard.reasoningText, "The user wants an answer to: seed:7");
  });
  for (const [scene, providerOptions] of [["/sim-tools"], ["/sim-think-tools", speaker.thinking]]) {
    test(`the loop of ${scene}, ${hear.name}`, async () => {
      const asked = asks(scene, { prompt: "weather and time?", tools, stopWhen: isStepCount(3), providerOptions });
      const { steps, text } = await hear(asked);
      assert.deepEqual(steps.map((step) => step.toolCalls.length), [2, 0]);
      assert.deepEqual(steps.map((step) => step.finishReason), ["tool-calls", "stop"]);
      assertTold(text);
    });
  }
}

function fails(speaker, asks) {
  for (const [model, ofOpenai, ofAnthropic] of FAULTS) {
    const status = speaker.anthropic ? ofAnthropic : ofOpenai;
    test(`${status} for ${model}`, async () => {
      await assert.rejects(generateText(asks(model, { prompt: "hello" })), (error) => {
        assert.equal(error.statusCode, status);
        if (status === 429) assertRetryAfter(error.responseHeaders["retry-after"]);
        return true;
      });
    });
  }
  test("a stream that breaks off", async () => {
    const asked = asks("/sim-stream-20+cut-after-3", { prompt: "seed:7" });
    const errors = [];
    let words = "";
    for await (const part of streamText({ ...asked, onError: () => {} }).stream) {
      if (part.type === "text-delta") words += part.text;
      if (part.type === "error") errors.push(part.error);
    }
    assert.equal(words, "7-0 7-1 7-2 ");
    assert.match(JSON.stringify(errors.map((error) => error.message ?? error)), new RegExp(BROKEN));
  });
}
