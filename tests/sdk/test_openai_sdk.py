"""The official OpenAI client against a running gateway."""

import base64
import urllib.request

import openai
import pytest

MESSAGES = [{"role": "user", "content": "seed:7"}]


def test_chat(client):
    answer = client.chat.completions.create(model="acme/gpt-4o", messages=MESSAGES)
    assert answer.choices[0].message.content.startswith("7-0 7-1 ")
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage.prompt_tokens == 11


def test_headers(client):
    raw = client.chat.completions.with_raw_response.create(model="gpt-4o", messages=MESSAGES)
    assert raw.headers["x-request-id"]
    assert raw.headers["x-troupe-provider"] == "acme"
    assert raw.parse().object == "chat.completion"


def test_stream(client):
    stream = client.chat.completions.create(model="acme/sim-stream-20", messages=MESSAGES, stream=True)
    chunks = list(stream)
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
    assert text == "".join(f"7-{index} " for index in range(20))
    assert all(chunk.usage is None for chunk in chunks)
    assert chunks[-1].choices[0].finish_reason == "stop"


def test_stream_with_usage(client):
    stream = client.chat.completions.create(
        model="acme/sim-stream-20", messages=MESSAGES, stream=True, stream_options={"include_usage": True}
    )
    *chunks, last = list(stream)
    assert last.choices == []
    assert last.usage.completion_tokens == 20
    assert all(chunk.usage is None for chunk in chunks)


def test_a_stream_that_breaks_off_raises(client):
    stream = client.chat.completions.create(model="acme/sim-cut-after-3", messages=MESSAGES, stream=True)
    seen = []
    with pytest.raises(openai.APIError) as raised:
        for chunk in stream:
            seen.append(chunk.choices[0].delta.content)
    assert "".join(filter(None, seen)) == "7-0 7-1 7-2 "
    assert raised.value.code == "upstream_cut"


def test_embeddings(client):
    # the client asks for base64 on its own and unpacks it
    answer = client.embeddings.create(model="acme/text-embedding-3-small", input=["one", "two"], dimensions=8)
    assert [len(entry.embedding) for entry in answer.data] == [8, 8]
    floats = client.embeddings.create(
        model="acme/text-embedding-3-small", input="one", dimensions=8, encoding_format="float"
    )
    assert floats.data[0].embedding == pytest.approx(answer.data[0].embedding)


def test_image_links(client):
    answer = client.images.generate(model="acme/dall-e-3", prompt="a red fox", n=2, size="256x256")
    assert len(answer.data) == 2
    for image in answer.data:
        assert image.url.startswith(str(client.base_url).removesuffix("v1/"))
        with urllib.request.urlopen(image.url, timeout=5) as file:
            assert file.headers["content-type"] == "image/png"
            assert file.read().startswith(b"\x89PNG")


@pytest.mark.parametrize("model", ["acme/dall-e-3", "acme/gpt-image-1"])
def test_images_in_base64(client, model):
    answer = client.images.generate(model=model, prompt="a red fox", response_format="b64_json")
    assert base64.b64decode(answer.data[0].b64_json).startswith(b"\x89PNG")


@pytest.mark.parametrize("wanted", ["url", "b64_json"])
def test_image_edits(client, wanted):
    drawn = client.images.generate(model="acme/gpt-image-1", prompt="a red fox", response_format="b64_json")
    picture = base64.b64decode(drawn.data[0].b64_json)
    answer = client.images.edit(
        model="acme/gpt-image-1",
        prompt="a blue fox",
        image=[("one.png", picture, "image/png"), ("two.png", picture, "image/png")],
        mask=("mask.png", picture, "image/png"),
        n=2,
        response_format=wanted,
    )
    assert len(answer.data) == 2
    for image in answer.data:
        if wanted == "url":
            with urllib.request.urlopen(image.url, timeout=5) as file:
                edited = file.read()
        else:
            edited = base64.b64decode(image.b64_json)
        assert edited.startswith(b"\x89PNG")


def test_models(client):
    models = {model.id for model in client.models.list()}
    assert {"acme/gpt-4o", "acme/dall-e-3"} <= models
    assert client.models.retrieve("acme/gpt-4o").id == "acme/gpt-4o"
    with pytest.raises(openai.NotFoundError) as raised:
        client.models.retrieve("acme/nothing")
    assert raised.value.code == "model_not_found"


def chat(client, model):
    return client.chat.completions.create(model=model, messages=MESSAGES)


def test_a_wrong_key(client):
    stranger = client.with_options(api_key="tp-nobody-knows-this-key-000000")
    with pytest.raises(openai.AuthenticationError) as raised:
        chat(stranger, "acme/gpt-4o")
    assert raised.value.code == "invalid_api_key"


def test_an_unknown_model(client):
    with pytest.raises(openai.NotFoundError) as raised:
        chat(client, "acme/nothing")
    assert raised.value.code == "model_not_found"


@pytest.mark.parametrize("model", ["acme/sim-status-400", "acme/sim-policy"])
def test_a_bad_request(client, model):
    with pytest.raises(openai.BadRequestError) as raised:
        chat(client, model)
    assert raised.value.type == "invalid_request_error"
    assert raised.value.code


def test_a_missing_field(client):
    with pytest.raises(openai.BadRequestError) as raised:
        client.post("/chat/completions", body={"messages": []}, cast_to=object)
    assert raised.value.code == "missing_model"


def test_a_rate_limit(client):
    with pytest.raises(openai.RateLimitError) as raised:
        chat(client, "limited/sim-status-429-after-9")
    assert raised.value.code == "rate_limit_exceeded"
    assert 1 <= int(raised.value.response.headers["retry-after"]) <= 10


@pytest.mark.parametrize(
    ("model", "status", "code"),
    [
        ("broken/sim-status-500", 502, "upstream_error"),
        ("busy/sim-status-503", 503, "provider_unavailable"),
        ("silent/sim-hang", 504, "upstream_timeout"),
    ],
)
def test_a_faulty_upstream(client, model, status, code):
    with pytest.raises(openai.InternalServerError) as raised:
        chat(client, model)
    assert (raised.value.status_code, raised.value.code) == (status, code)
    assert raised.value.request_id


def test_a_client_that_loses_patience(client, simulator, cancelled):
    simulator("script", {"model": "gpt-4o", "answers": ["hang"]})
    try:
        with pytest.raises(openai.APITimeoutError):
            chat(client.with_options(timeout=0.3), "acme/gpt-4o")
        cancelled()
    finally:
        simulator("script", {"model": "gpt-4o", "answers": []})


def test_nobody_there():
    with openai.OpenAI(base_url="http://127.0.0.1:9/v1", api_key="x", max_retries=0) as client:
        with pytest.raises(openai.APIConnectionError):
            chat(client, "acme/gpt-4o")
