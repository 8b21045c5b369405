//! Upstreams that misbehave on demand.
