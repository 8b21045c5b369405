"""What is said and heard, whatever the dialect."""

import dataclasses
import typing

import pydantic

TOOLS = {"get_weather": "city", "get_time": "zone"}


class Call(typing.NamedTuple):
    """A tool call."""

    id: str
    name: str
    input: dict


@dataclasses.dataclass
class Heard:
    """What a client understood of an answer."""

    text: str
    thoughts: str
    calls: list[Call]
    # the dialect's own word for how it ended
    stop: str
    # prompt, completion
    usage: tuple[int, int]
    # the SDK's own objects, as they are sent back in the next turn
    said: list
    # the whole answer, an object of the SDK
    answer: object


class Sheet(pydantic.BaseModel):
    """What structured output is asked to fill."""

    title: str
    pages: int


def schema(field):
    """A tool's parameters: one text."""
    return {
        "type": "object",
        "properties": {field: {"type": "string"}},
        "required": [field],
        "additionalProperties": False,
    }
