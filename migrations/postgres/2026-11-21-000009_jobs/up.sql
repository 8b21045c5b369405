-- no foreign keys: a job must end whatever became of its app meanwhile
CREATE TABLE jobs (
    id TEXT PRIMARY KEY NOT NULL,
    app_id TEXT NOT NULL,
    call_id TEXT NOT NULL,
    model TEXT NOT NULL,
    provider TEXT NOT NULL,
    target TEXT NOT NULL,
    upstream_model TEXT NOT NULL,
    action TEXT NOT NULL,
    priority INTEGER NOT NULL,
    state TEXT NOT NULL,
    revision INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    interruptions INTEGER NOT NULL,
    draft TEXT NOT NULL,
    tickets TEXT,
    results TEXT,
    error TEXT,
    created_at BIGINT NOT NULL,
    started_at BIGINT,
    wake_at BIGINT,
    finished_at BIGINT
);
CREATE INDEX jobs_by_app ON jobs (app_id, id);
CREATE INDEX jobs_unfinished ON jobs (id) WHERE finished_at IS NULL;
CREATE INDEX jobs_by_end ON jobs (finished_at, id) WHERE finished_at IS NOT NULL;
