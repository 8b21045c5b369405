//! OpenAI's `/v1/responses`: its shapes, and the way into the intermediate form of chat and out of it.
