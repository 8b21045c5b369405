"""A program that speaks Anthropic's Messages."""

import anthropic
import pytest

from .heard import TOOLS, Call, Heard, Sheet, schema


class Messages:
    """The anthropic package, `client.messages`."""

    sdk = anthropic
    ends = {"said": "end_turn", "called": "tool_use", "cut": "max_tokens"}

    def __init__(self, address, key):
        self.client = anthropic.Anthropic(base_url=f"http://{address}", api_key=key, max_retries=0, timeout=20)
        self.messages = self.client.messages

    def ask(self, model, text, png=None):
        content = text
        if png:
            source = {"type": "base64", "media_type": "image/png", "data": png}
            content = [{"type": "text", "text": text}, {"type": "image", "source": source}]
        return {"model": model, "max_tokens": 4096, "messages": [{"role": "user", "content": content}]}

    def offer(self, request):
        tools = [{"name": name, "input_schema": schema(field)} for name, field in TOOLS.items()]
        return {**request, "tools": tools}

    def think(self, request):
        return {**request, "thinking": {"type": "enabled", "budget_tokens": 1024}}

    def answer(self, request, heard, results):
        blocks = [{"type": "tool_result", "tool_use_id": id, "content": text} for id, text in results.items()]
        turns = [{"role": "assistant", "content": heard.said}, {"role": "user", "content": blocks}]
        return {**request, "messages": [*request["messages"], *turns]}

    def hear(self, request):
        return understand(self.messages.create(**request))

    def hear_stream(self, request):
        with self.messages.stream(**request) as stream:
            return understand(stream.get_final_message())

    def listen(self, request):
        return self.messages.create(**request, stream=True)

    def hear_break(self, request):
        words = ""
        with pytest.raises(anthropic.APIError) as raised:
            for event in self.listen(request):
                if event.type == "content_block_delta":
                    words += event.delta.text
        # the gateway's word, not a connection that broke
        assert raised.value.body["error"]["type"] == "api_error"
        return words, raised.value.body["error"]["message"]

    def fill(self, request):
        return self.messages.parse(**request, output_format=Sheet).parsed_output


def understand(answer):
    calls = [Call(block.id, block.name, block.input) for block in answer.content if block.type == "tool_use"]
    return Heard(
        text="".join(block.text for block in answer.content if block.type == "text"),
        thoughts="".join(block.thinking for block in answer.content if block.type == "thinking"),
        calls=calls,
        stop=answer.stop_reason,
        usage=(answer.usage.input_tokens, answer.usage.output_tokens),
        said=answer.content,
        answer=answer,
    )
