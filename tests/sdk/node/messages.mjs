// The @anthropic-ai/sdk package, `client.messages`.

import Anthropic from "@anthropic-ai/sdk";
import { zodOutputFormat } from "@anthropic-ai/sdk/helpers/zod";
import { schema, url, TOOLS } from "./world.mjs";

export class Messages {
  name = "anthropic";
  ends = { said: "end_turn", called: "tool_use" };

  constructor(apiKey) {
    this.client = new Anthropic({ baseURL: url, apiKey, maxRetries: 0, timeout: 20_000 });
    this.messages = this.client.messages;
  }

  ask(model, text, png) {
    const source = { type: "base64", media_type: "image/png", data: png };
    const content = png ? [{ type: "text", text }, { type: "image", source }] : text;
    return { model, max_tokens: 4096, messages: [{ role: "user", content }] };
  }

  offer(request) {
    const tools = Object.entries(TOOLS).map(([name, field]) => ({ name, input_schema: schema(field) }));
    return { ...request, tools };
  }

  think(request) {
    return { ...request, thinking: { type: "enabled", budget_tokens: 1024 } };
  }

  answer(request, heard, results) {
    const blocks = results.map(([id, content]) => ({ type: "tool_result", tool_use_id: id, content }));
    const turns = [
      { role: "assistant", content: heard.said },
      { role: "user", content: blocks },
    ];
    return { ...request, messages: [...request.messages, ...turns] };
  }

  async hear(request) {
    return understand(await this.messages.create(request));
  }

  async hearStream(request) {
    return understand(await this.messages.stream(request).finalMessage());
  }

  listen(request) {
    return this.messages.create({ ...request, stream: true });
  }

  word(event) {
    return event.type === "content_block_delta" ? event.delta.text : "";
  }

  complaint(error) {
    return error.error.error.message;
  }

  async fill(request, form) {
    const output_config = { format: zodOutputFormat(form) };
    return (await this.messages.parse({ ...request, output_config })).parsed_output;
  }
}

function understand(answer) {
  const of = (type) => answer.content.filter((block) => block.type === type);
  return {
    text: of("text").map((block) => block.text).join(""),
    thoughts: of("thinking").map((block) => block.thinking).join(""),
    calls: of("tool_use").map(({ id, name, input }) => ({ id, name, input })),
    stop: answer.stop_reason,
    usage: [answer.usage.input_tokens, answer.usage.output_tokens],
    said: answer.content,
  };
}
