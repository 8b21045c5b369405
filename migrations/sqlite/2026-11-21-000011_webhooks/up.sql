-- no foreign keys: what is owed is delivered whatever became of its job or app meanwhile
CREATE TABLE webhook_endpoints (
    id TEXT PRIMARY KEY NOT NULL,
    app_id TEXT NOT NULL,
    url TEXT NOT NULL,
    topics TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    disabled_at BIGINT
);
CREATE INDEX webhook_endpoints_by_app ON webhook_endpoints (app_id, id);

-- one for each endpoint, and one for each app, which signs for the URLs of single jobs
CREATE TABLE webhook_secrets (
    owner TEXT PRIMARY KEY NOT NULL,
    id TEXT NOT NULL,
    sealed TEXT NOT NULL,
    earlier TEXT,
    earlier_until BIGINT,
    created_at BIGINT NOT NULL
);

-- where the end of a single job is told; gone with that end
CREATE TABLE webhook_callbacks (
    job_id TEXT PRIMARY KEY NOT NULL,
    url TEXT NOT NULL,
    shape TEXT NOT NULL
);

CREATE TABLE webhook_deliveries (
    id TEXT PRIMARY KEY NOT NULL,
    app_id TEXT NOT NULL,
    endpoint_id TEXT,
    job_id TEXT NOT NULL,
    topic TEXT NOT NULL,
    shape TEXT NOT NULL,
    url TEXT NOT NULL,
    receiver TEXT NOT NULL,
    body TEXT NOT NULL,
    state TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    last_status INTEGER,
    last_error TEXT,
    created_at BIGINT NOT NULL,
    queued_at BIGINT NOT NULL,
    next_at BIGINT NOT NULL,
    ended_at BIGINT
);
CREATE INDEX webhook_deliveries_by_app ON webhook_deliveries (app_id, id);
CREATE INDEX webhook_deliveries_by_state ON webhook_deliveries (app_id, state, id);
CREATE INDEX webhook_deliveries_by_endpoint ON webhook_deliveries (endpoint_id);
CREATE INDEX webhook_deliveries_due ON webhook_deliveries (next_at, id) WHERE ended_at IS NULL;
CREATE INDEX webhook_deliveries_in_order ON webhook_deliveries (job_id, id) WHERE ended_at IS NULL;
CREATE INDEX webhook_deliveries_by_end ON webhook_deliveries (state, ended_at, id) WHERE ended_at IS NOT NULL;
