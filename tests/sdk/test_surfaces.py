"""What only one of the dialects has: kept responses, counts of tokens, each one's list of models."""

import openai
import pytest

from gateways import API_KEY
from pairs import KINDS, MODELS
from speakers import Chat, Messages, Responses


@pytest.fixture(params=KINDS)
def kind(request):
    return request.param


@pytest.fixture
def messages(pairs_gateway):
    with Messages(pairs_gateway, API_KEY).client as client:
        yield client.messages


@pytest.fixture
def responses(pairs_gateway):
    with Responses(pairs_gateway, API_KEY).client as client:
        yield client.responses


def test_a_kept_response_is_continued_read_and_deleted(responses, kind):
    # the simulator tells the whole conversation back
    model = f"{kind}/sim-mirror"
    first = responses.create(model=model, input="the first question")
    second = responses.create(model=model, input="the second question", previous_response_id=first.id)
    # an answer that passes through says what its upstream was told, which is the whole conversation
    assert second.previous_response_id == (None if kind == "openai_responses" else first.id)
    for text in ["the first question", "the second question"]:
        assert text in second.output_text
    read = responses.retrieve(first.id)
    assert (read.id, read.output_text) == (first.id, first.output_text)
    responses.delete(first.id)
    with pytest.raises(openai.NotFoundError):
        responses.retrieve(first.id)


def test_a_streamed_response_is_kept(responses, kind):
    with responses.stream(model=f"{kind}/sim-stream-20", input="seed:7") as stream:
        answer = stream.get_final_response()
    assert responses.retrieve(answer.id).output_text == answer.output_text


def test_a_response_that_is_not_kept(responses, kind):
    answer = responses.create(model=f"{kind}/sim-stream-20", input="seed:7, off the record", store=False)
    with pytest.raises(openai.NotFoundError):
        responses.retrieve(answer.id)
    if kind != "openai_responses":
        # such an upstream might know it
        with pytest.raises(openai.BadRequestError):
            responses.create(model=f"{kind}/sim-stream-20", input="go on", previous_response_id=answer.id)


def test_tokens_are_counted(messages, kind):
    turns = [{"role": "user", "content": "how many tokens are these?"}]
    raw = messages.with_raw_response.count_tokens(model=f"{kind}/sim-stream-20", messages=turns)
    assert raw.parse().input_tokens > 0
    # OpenAI's upstreams do not count
    assert raw.headers.get("x-troupe-estimate") == ("true" if kind.startswith("openai") else None)


@pytest.mark.parametrize("speaker", [Chat, Messages])
def test_models(speaker, pairs_gateway):
    with speaker(pairs_gateway, API_KEY).client as client:
        listed = {model.id for model in client.models.list()}
        assert {f"{kind}/{model}" for kind in KINDS for model in MODELS} <= listed
        assert client.models.retrieve("gemini/sim-tools").id == "gemini/sim-tools"
        with pytest.raises(speaker.sdk.NotFoundError):
            client.models.retrieve("gemini/nothing")
