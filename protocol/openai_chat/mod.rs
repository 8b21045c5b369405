//! OpenAI's `/v1/chat/completions`: its shapes, and the way into the intermediate form of chat and out of it.
