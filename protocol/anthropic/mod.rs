//! Anthropic's `/v1/messages`: its shapes, and the way into the intermediate form of chat and out of it.
