-- no foreign keys: an answer must be storable whatever became of its app or of the turn before it meanwhile
CREATE TABLE responses (
    id TEXT PRIMARY KEY NOT NULL,
    app_id TEXT NOT NULL,
    previous_id TEXT,
    model TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    input TEXT NOT NULL,
    output TEXT NOT NULL
);
CREATE INDEX responses_by_app ON responses (app_id, created_at, id);
CREATE INDEX responses_by_expiry ON responses (expires_at, id);
