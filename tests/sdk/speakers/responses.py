"""A program that speaks OpenAI's Responses."""

import json

import openai

from .heard import TOOLS, Call, Heard, Sheet, schema


class Responses:
    """The openai package, `client.responses`, without anything kept unless a test asks for it."""

    sdk = openai
    ends = {"said": "completed", "called": "completed", "cut": "max_output_tokens"}

    def __init__(self, address, key):
        self.client = openai.OpenAI(base_url=f"http://{address}/v1", api_key=key, max_retries=0, timeout=20)
        self.responses = self.client.responses

    def ask(self, model, text, png=None):
        content = text
        if png:
            picture = {"type": "input_image", "detail": "auto", "image_url": f"data:image/png;base64,{png}"}
            content = [{"type": "input_text", "text": text}, picture]
        return {"model": model, "store": False, "input": [{"role": "user", "content": content}]}

    def offer(self, request):
        tools = [
            {"type": "function", "name": name, "strict": True, "parameters": schema(field)}
            for name, field in TOOLS.items()
        ]
        return {**request, "tools": tools}

    def think(self, request):
        reasoning = {"effort": "low", "summary": "auto"}
        return {**request, "reasoning": reasoning, "include": ["reasoning.encrypted_content"]}

    def answer(self, request, heard, results):
        told = [{"type": "function_call_output", "call_id": id, "output": text} for id, text in results.items()]
        return {**request, "input": [*request["input"], *heard.said, *told]}

    def hear(self, request):
        return understand(self.responses.create(**request))

    def hear_stream(self, request):
        with self.responses.stream(**request) as stream:
            return understand(stream.get_final_response())

    def listen(self, request):
        return self.responses.create(**request, stream=True)

    def hear_break(self, request):
        # the SDK does not raise this dialect's errors, it hands them on as the last event
        *events, last = self.listen(request)
        assert (last.type, last.code) == ("error", "upstream_cut")
        return "".join(event.delta for event in events if event.type == "response.output_text.delta"), last.message

    def fill(self, request):
        return self.responses.parse(**request, text_format=Sheet).output_parsed


def understand(answer):
    thoughts = [part.text for item in answer.output if item.type == "reasoning" for part in item.summary]
    calls = [
        Call(item.call_id, item.name, json.loads(item.arguments))
        for item in answer.output
        if item.type == "function_call"
    ]
    return Heard(
        text=answer.output_text,
        thoughts="".join(thoughts),
        calls=calls,
        stop=answer.incomplete_details.reason if answer.incomplete_details else answer.status,
        usage=(answer.usage.input_tokens, answer.usage.output_tokens),
        said=answer.output,
        answer=answer,
    )
