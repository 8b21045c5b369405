// What only one of the dialects has: kept responses, counts of tokens, each one's list of models.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Chat } from "./chat.mjs";
import { Messages } from "./messages.mjs";
import { Responses } from "./responses.mjs";
import { key, KINDS } from "./world.mjs";

const { responses } = new Responses(key);
const { messages } = new Messages(key);

for (const kind of KINDS) {
  describe(`what only one dialect has, on ${kind}`, () => {
    test("a kept response is continued, read and deleted", async () => {
      // the simulator tells the whole conversation back
      const model = `${kind}/sim-mirror`;
      const first = await responses.create({ model, input: "the first question of many" });
      const asked = { model, input: "the second question", previous_response_id: first.id };
      const second = await responses.stream(asked).finalResponse();
      for (const text of ["the first question of many", "the second question"]) {
        assert.ok(second.output_text.includes(text), second.output_text);
      }
      const read = await responses.retrieve(first.id);
      assert.equal(read.output_text, first.output_text);
      await responses.delete(first.id);
      await assert.rejects(responses.retrieve(first.id), { status: 404 });
    });

    test("tokens are counted", async () => {
      const turns = [{ role: "user", content: "how many tokens are these?" }];
      const count = await messages.countTokens({ model: `${kind}/sim-stream-20`, messages: turns });
      assert.ok(count.input_tokens > 0);
    });
  });
}

for (const { client, name } of [new Chat(key), new Messages(key)]) {
  test(`models, ${name}`, async () => {
    const listed = new Set();
    for await (const model of client.models.list()) listed.add(model.id);
    for (const kind of KINDS) assert.ok(listed.has(`${kind}/sim-tools`), kind);
    assert.equal((await client.models.retrieve("gemini/sim-tools")).id, "gemini/sim-tools");
    await assert.rejects(client.models.retrieve("gemini/nothing"), { status: 404 });
  });
}
