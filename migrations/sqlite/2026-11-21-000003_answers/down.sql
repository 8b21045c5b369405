DROP TABLE idempotent_answers;
ALTER TABLE api_keys DROP COLUMN dedupe;
