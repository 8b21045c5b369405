// The openai package, `client.chat.completions`.

import OpenAI from "openai";
import { zodResponseFormat } from "openai/helpers/zod";
import { schema, url, TOOLS } from "./world.mjs";

export class Chat {
  name = "openai, chat";
  ends = { said: "stop", called: "tool_calls" };

  constructor(apiKey) {
    this.client = new OpenAI({ baseURL: `${url}/v1`, apiKey, maxRetries: 0, timeout: 20_000 });
    this.completions = this.client.chat.completions;
  }

  ask(model, text, png) {
    const picture = { type: "image_url", image_url: { url: `data:image/png;base64,${png}` } };
    const content = png ? [{ type: "text", text }, picture] : text;
    return { model, messages: [{ role: "user", content }] };
  }

  offer(request) {
    const tools = Object.entries(TOOLS).map(([name, field]) => ({
      type: "function",
      function: { name, strict: true, parameters: schema(field) },
    }));
    return { ...request, tools };
  }

  think(request) {
    return { ...request, reasoning_effort: "low" };
  }

  answer(request, heard, results) {
    const told = results.map(([id, content]) => ({ role: "tool", tool_call_id: id, content }));
    return { ...request, messages: [...request.messages, ...heard.said, ...told] };
  }

  async hear(request) {
    return understand(await this.completions.create(request));
  }

  async hearStream(request) {
    const stream = this.completions.stream({ ...request, stream_options: { include_usage: true } });
    // of a field that the SDK does not know it keeps only the last piece
    let thoughts = "";
    stream.on("chunk", (chunk) => (thoughts += chunk.choices[0]?.delta.reasoning_content ?? ""));
    return { ...understand(await stream.finalChatCompletion()), thoughts };
  }

  listen(request) {
    return this.completions.create({ ...request, stream: true });
  }

  word(chunk) {
    return chunk.choices[0].delta.content ?? "";
  }

  complaint(error) {
    return error.error.message;
  }

  async fill(request, form) {
    const answer = await this.completions.parse({ ...request, response_format: zodResponseFormat(form, "sheet") });
    return answer.choices[0].message.parsed;
  }
}

function understand(answer) {
  const { message, finish_reason: stop } = answer.choices[0];
  const calls = (message.tool_calls ?? []).map((call) => ({
    id: call.id,
    name: call.function.name,
    input: JSON.parse(call.function.arguments),
  }));
  const usage = [answer.usage.prompt_tokens, answer.usage.completion_tokens];
  const thoughts = message.reasoning_content ?? "";
  return { text: message.content ?? "", thoughts, calls, stop, usage, said: [message] };
}
