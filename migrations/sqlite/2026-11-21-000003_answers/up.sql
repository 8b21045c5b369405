-- what becomes of a twin of a request that is under way: off | attach | refuse
ALTER TABLE api_keys ADD COLUMN dedupe TEXT NOT NULL DEFAULT 'off';

-- answers to requests with an Idempotency-Key; no body = it was too large to keep
CREATE TABLE idempotent_answers (
    app_id TEXT NOT NULL,
    key TEXT NOT NULL,
    route TEXT NOT NULL,
    fingerprint BLOB NOT NULL,
    status INTEGER NOT NULL,
    headers TEXT NOT NULL,
    body BLOB,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (app_id, key, route)
);
CREATE INDEX idempotent_answers_by_end ON idempotent_answers (expires_at);
