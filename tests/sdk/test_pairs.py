"""Each official Python client on each upstream kind."""

import anthropic
import pytest

from gateways import API_KEY
from pairs import KINDS
from speakers import SPEAKERS

PIXEL = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
WORDS = "".join(f"7-{index} " for index in range(20)).strip()


@pytest.fixture(params=KINDS)
def kind(request):
    return request.param


@pytest.fixture(params=SPEAKERS, ids=lambda speaker: speaker.__name__.lower())
def speaker(request, pairs_gateway):
    speaker = request.param(pairs_gateway, API_KEY)
    with speaker.client:
        yield speaker


@pytest.fixture(params=["hear", "hear_stream"], ids=["whole", "stream"])
def hear(request, speaker):
    """How the answer is taken: whole or as a stream that the SDK puts together."""
    return getattr(speaker, request.param)


def test_text(speaker, kind, hear):
    heard = hear(speaker.ask(f"{kind}/sim-stream-20", "seed:7"))
    assert heard.text.strip() == WORDS
    assert heard.stop == speaker.ends["said"]
    assert heard.usage == (11, 20)


def test_the_limit_of_tokens(speaker, kind):
    heard = speaker.hear(speaker.ask(f"{kind}/sim-length", "go on"))
    assert heard.stop == speaker.ends["cut"]


def results(heard):
    return {call.id: f"result of {call.name}" for call in heard.calls}


def called_and_told(speaker, hear, request):
    """Both tools are called, and the next turn knows their results; gives the first answer."""
    heard = hear(request)
    assert [call.name for call in heard.calls] == ["get_weather", "get_time"]
    assert [list(call.input) for call in heard.calls] == [["city"], ["zone"]]
    assert len(results(heard)) == 2
    assert heard.stop == speaker.ends["called"]
    told = hear(speaker.answer(request, heard, results(heard)))
    assert told.calls == []
    first, second = told.text.find("result of get_weather"), told.text.find("result of get_time")
    assert 0 <= first < second, told.text
    return heard


def test_two_tools_and_their_results(speaker, kind, hear):
    called_and_told(speaker, hear, speaker.offer(speaker.ask(f"{kind}/sim-tools", "weather and time?")))


def test_a_picture(speaker, kind, hear):
    text = hear(speaker.ask(f"{kind}/sim-image-echo", "what is this?", PIXEL)).text
    # a pixel of 70 bytes
    assert "image/png" in text and "70" in text, text


def test_thoughts(speaker, kind, hear):
    heard = hear(speaker.think(speaker.ask(f"{kind}/sim-think", "seed:7")))
    assert heard.thoughts == "The user wants an answer to: seed:7"
    assert heard.text.startswith("7-0 7-1 ")


def test_thoughts_before_tools_come_back_with_their_signature(speaker, kind, hear):
    # the simulator refuses a thought that lost its signature
    request = speaker.think(speaker.offer(speaker.ask(f"{kind}/sim-think-tools", "weather and time?")))
    assert called_and_told(speaker, hear, request).thoughts


def test_structured_output(speaker, kind):
    sheet = speaker.fill(speaker.ask(f"{kind}/sim-json", "fill the sheet"))
    assert isinstance(sheet.title, str) and isinstance(sheet.pages, int)


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize(
    ("model", "error", "status"),
    [
        ("-faulty/sim-status-429-after-9", "RateLimitError", 429),
        ("-faulty/sim-status-500", "InternalServerError", 502),
        ("-faulty/sim-status-503", "InternalServerError", 503),
        ("/sim-status-400", "BadRequestError", 400),
        ("/sim-missing", "NotFoundError", 404),
        ("/nothing", "NotFoundError", 404),
    ],
)
def test_errors(speaker, kind, model, error, status, streamed):
    send = speaker.listen if streamed else speaker.hear
    if status == 503 and speaker.sdk is anthropic:
        # that dialect has a word of its own for it
        error, status = "OverloadedError", 529
    with pytest.raises(getattr(speaker.sdk, error)) as raised:
        send(speaker.ask(kind + model, "hello"))
    assert raised.value.status_code == status
    assert raised.value.request_id
    assert raised.value.body
    if status == 429:
        # the upstream's 9 seconds are for one token, and another is free
        assert raised.value.response.headers["retry-after"] == "1"


def test_a_wrong_key(speaker, kind, pairs_gateway):
    stranger = type(speaker)(pairs_gateway, "tp-nobody-knows-this-key-000000")
    with stranger.client, pytest.raises(stranger.sdk.AuthenticationError):
        stranger.hear(stranger.ask(f"{kind}/sim-stream-20", "hello"))


def test_a_stream_that_breaks_off(speaker, kind):
    words, error = speaker.hear_break(speaker.ask(f"{kind}/sim-stream-20+cut-after-3", "seed:7"))
    assert words == "7-0 7-1 7-2 "
    assert error == "the upstream broke off before the end of its answer"


def test_a_client_that_leaves(speaker, kind, cancelled):
    stream = speaker.listen(speaker.ask(f"{kind}/sim-stream-500x20ms", "hello"))
    next(iter(stream))
    stream.close()
    cancelled()
