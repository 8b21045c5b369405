-- credits for one picture, times a million, as they were when it was ordered
ALTER TABLE jobs ADD COLUMN price BIGINT NOT NULL DEFAULT 0;
-- what came of the parts that are done, JSON
ALTER TABLE jobs ADD COLUMN made TEXT;
-- who else may do it, JSON
ALTER TABLE jobs ADD COLUMN others TEXT;
-- the node that is at it, and until when that is not doubted
ALTER TABLE jobs ADD COLUMN owner TEXT;
ALTER TABLE jobs ADD COLUMN leased_until BIGINT;
-- no foreign keys: a charge outlives its job and its app
CREATE TABLE charges (
    job_id TEXT PRIMARY KEY NOT NULL,
    app_id TEXT NOT NULL,
    provider TEXT NOT NULL,
    model TEXT NOT NULL,
    pictures INTEGER NOT NULL,
    micro_credits BIGINT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX charges_by_time ON charges (created_at, job_id);
CREATE INDEX charges_by_app ON charges (app_id, created_at);
