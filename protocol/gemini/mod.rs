//! Google's `generateContent`, spoken to upstreams only: its shapes, and the way into the intermediate form of chat and out of it.
