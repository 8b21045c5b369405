DROP INDEX jobs_by_submission;
ALTER TABLE jobs DROP COLUMN fingerprint;
ALTER TABLE jobs DROP COLUMN submission;
