DROP TABLE user_tags;
DROP TABLE thumbnails;
DROP TABLE images;
DROP INDEX jobs_by_app_model;
DROP INDEX jobs_by_app_state;
DROP INDEX jobs_by_time;
DROP INDEX jobs_by_state;
ALTER TABLE jobs DROP COLUMN tags;
ALTER TABLE jobs DROP COLUMN prompt;
