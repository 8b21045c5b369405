"""How a program talks and what it understands, with the official SDK of each dialect.

Each speaker has the same methods, so that one test goes through all of them:

| method | what it does |
|---|---|
| `ask` | the request of one user's text, with a picture where one is given |
| `offer`, `think` | adds two tools, asks for reasoning |
| `answer` | the next turn: the SDK's own objects of the last answer, and the results of its calls |
| `hear`, `hear_stream` | sends a request, and has the SDK put a stream together |
| `listen` | sends a request and gives the SDK's stream itself, to be left or to break |
| `hear_break` | the words and the error of a stream that breaks off |
| `fill` | has the SDK parse structured output into a model |
"""

from .chat import Chat
from .messages import Messages
from .responses import Responses

SPEAKERS = [Chat, Responses, Messages]
