CREATE TABLE apps (
    id TEXT PRIMARY KEY NOT NULL,
    name TEXT NOT NULL UNIQUE,
    max_in_flight INTEGER,
    created_at BIGINT NOT NULL
);

CREATE TABLE api_keys (
    id TEXT PRIMARY KEY NOT NULL,
    app_id TEXT NOT NULL REFERENCES apps (id),
    name TEXT NOT NULL,
    hash TEXT NOT NULL UNIQUE,
    hint TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    revoked_at BIGINT
);
CREATE INDEX api_keys_by_app ON api_keys (app_id);

-- no foreign keys: a call record must be storable whatever became of its app meanwhile
CREATE TABLE calls (
    id TEXT PRIMARY KEY NOT NULL,
    at BIGINT NOT NULL,
    app_id TEXT NOT NULL,
    key_id TEXT NOT NULL,
    endpoint TEXT NOT NULL,
    model TEXT NOT NULL,
    provider TEXT NOT NULL,
    upstream_model TEXT NOT NULL,
    token_alias TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    stream BOOLEAN NOT NULL,
    status INTEGER NOT NULL,
    outcome TEXT NOT NULL,
    error_code TEXT,
    prompt_tokens BIGINT,
    completion_tokens BIGINT,
    cached_tokens BIGINT,
    reasoning_tokens BIGINT,
    latency_us BIGINT NOT NULL,
    first_byte_us BIGINT,
    overhead_us BIGINT NOT NULL,
    bytes_out BIGINT NOT NULL
);
CREATE INDEX calls_by_time ON calls (at, id);
CREATE INDEX calls_by_app ON calls (app_id, at, id);

CREATE TABLE restarts (
    id TEXT PRIMARY KEY NOT NULL,
    at BIGINT NOT NULL,
    path TEXT NOT NULL,
    reason TEXT NOT NULL,
    message TEXT NOT NULL,
    place TEXT NOT NULL,
    count INTEGER NOT NULL,
    backoff_ms BIGINT NOT NULL,
    node TEXT NOT NULL
);
CREATE INDEX restarts_by_time ON restarts (at, id);

CREATE TABLE credential_states (
    provider TEXT NOT NULL,
    token_hash TEXT NOT NULL,
    model TEXT NOT NULL,
    cold_until BIGINT,
    disabled_at BIGINT,
    reason TEXT NOT NULL,
    failures INTEGER NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (provider, token_hash, model)
);

CREATE TABLE provider_states (
    provider TEXT PRIMARY KEY NOT NULL,
    state TEXT NOT NULL,
    updated_at BIGINT NOT NULL
);

CREATE TABLE settings (
    key TEXT PRIMARY KEY NOT NULL,
    value TEXT NOT NULL
);

CREATE TABLE media (
    name TEXT PRIMARY KEY NOT NULL,
    mime TEXT NOT NULL,
    bytes BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    app_id TEXT NOT NULL,
    call_id TEXT NOT NULL
);
CREATE INDEX media_by_time ON media (created_at, name);
