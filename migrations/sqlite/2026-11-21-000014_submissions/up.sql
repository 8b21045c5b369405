-- the Idempotency-Key that a job was submitted with, hashed with its app and route, and the hash of path and body
ALTER TABLE jobs ADD COLUMN submission TEXT;
ALTER TABLE jobs ADD COLUMN fingerprint TEXT;
CREATE UNIQUE INDEX jobs_by_submission ON jobs (submission) WHERE submission IS NOT NULL;
