// The openai package, `client.responses`, without anything kept unless a test asks for it.

import OpenAI from "openai";
import { zodTextFormat } from "openai/helpers/zod";
import { schema, url, TOOLS } from "./world.mjs";

export class Responses {
  name = "openai, responses";
  ends = { said: "completed", called: "completed" };

  constructor(apiKey) {
    this.client = new OpenAI({ baseURL: `${url}/v1`, apiKey, maxRetries: 0, timeout: 20_000 });
    this.responses = this.client.responses;
  }

  ask(model, text, png) {
    const picture = { type: "input_image", detail: "auto", image_url: `data:image/png;base64,${png}` };
    const content = png ? [{ type: "input_text", text }, picture] : text;
    return { model, store: false, input: [{ role: "user", content }] };
  }

  offer(request) {
    const tools = Object.entries(TOOLS).map(([name, field]) => ({
      type: "function",
      name,
      strict: true,
      parameters: schema(field),
    }));
    return { ...request, tools };
  }

  think(request) {
    const reasoning = { effort: "low", summary: "auto" };
    return { ...request, reasoning, include: ["reasoning.encrypted_content"] };
  }

  answer(request, heard, results) {
    const told = results.map(([id, output]) => ({ type: "function_call_output", call_id: id, output }));
    return { ...request, input: [...request.input, ...heard.said, ...told] };
  }

  async hear(request) {
    return understand(await this.responses.create(request));
  }

  async hearStream(request) {
    return understand(await this.responses.stream(request).finalResponse());
  }

  listen(request) {
    return this.responses.create({ ...request, stream: true });
  }

  word(event) {
    return event.type === "response.output_text.delta" ? event.delta : "";
  }

  complaint(error) {
    return error.error.message;
  }

  async fill(request, form) {
    const text = { format: zodTextFormat(form, "sheet") };
    return (await this.responses.parse({ ...request, text })).output_parsed;
  }
}

function understand(answer) {
  const of = (type) => answer.output.filter((item) => item.type === type);
  const calls = of("function_call").map((item) => ({
    id: item.call_id,
    name: item.name,
    input: JSON.parse(item.arguments),
  }));
  const thoughts = of("reasoning").flatMap((item) => item.summary.map((part) => part.text));
  return {
    text: answer.output_text,
    thoughts: thoughts.join(""),
    calls,
    stop: answer.status,
    usage: [answer.usage.input_tokens, answer.usage.output_tokens],
    said: answer.output,
  };
}
