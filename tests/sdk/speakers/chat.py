"""A program that speaks OpenAI's chat completions."""

import json

import openai
import pytest

from .heard import TOOLS, Call, Heard, Sheet, schema


class Chat:
    """The openai package, `client.chat.completions`."""

    sdk = openai
    ends = {"said": "stop", "called": "tool_calls", "cut": "length"}

    def __init__(self, address, key):
        self.client = openai.OpenAI(base_url=f"http://{address}/v1", api_key=key, max_retries=0, timeout=20)
        self.completions = self.client.chat.completions

    def ask(self, model, text, png=None):
        content = text
        if png:
            picture = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{png}"}}
            content = [{"type": "text", "text": text}, picture]
        return {"model": model, "messages": [{"role": "user", "content": content}]}

    def offer(self, request):
        tools = [
            {"type": "function", "function": {"name": name, "strict": True, "parameters": schema(field)}}
            for name, field in TOOLS.items()
        ]
        return {**request, "tools": tools}

    def think(self, request):
        return {**request, "reasoning_effort": "low"}

    def answer(self, request, heard, results):
        told = [{"role": "tool", "tool_call_id": id, "content": text} for id, text in results.items()]
        return {**request, "messages": [*request["messages"], *heard.said, *told]}

    def hear(self, request):
        return understand(self.completions.create(**request))

    def hear_stream(self, request):
        with self.completions.stream(**request, stream_options={"include_usage": True}) as stream:
            return understand(stream.get_final_completion())

    def listen(self, request):
        return self.completions.create(**request, stream=True)

    def hear_break(self, request):
        words = ""
        with pytest.raises(openai.APIError) as raised:
            for chunk in self.listen(request):
                words += chunk.choices[0].delta.content or ""
        assert raised.value.code == "upstream_cut"
        return words, raised.value.message

    def fill(self, request):
        return self.completions.parse(**request, response_format=Sheet).choices[0].message.parsed


def understand(answer):
    choice = answer.choices[0]
    calls = [
        Call(call.id, call.function.name, json.loads(call.function.arguments))
        for call in choice.message.tool_calls or []
    ]
    return Heard(
        text=choice.message.content or "",
        thoughts=getattr(choice.message, "reasoning_content", None) or "",
        calls=calls,
        stop=choice.finish_reason,
        usage=(answer.usage.prompt_tokens, answer.usage.completion_tokens),
        said=[choice.message],
        answer=answer,
    )
