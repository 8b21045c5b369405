-- the pictures of completed jobs: what the history shows, tags and pins. prompt is the order's own, to be searched;
-- tags is a JSON list that its pictures get
ALTER TABLE jobs ADD COLUMN prompt TEXT NOT NULL DEFAULT '';
ALTER TABLE jobs ADD COLUMN tags TEXT;
CREATE INDEX jobs_by_state ON jobs (state, id);
CREATE INDEX jobs_by_time ON jobs (created_at, id);
CREATE INDEX jobs_by_app_state ON jobs (app_id, state, id);
CREATE INDEX jobs_by_app_model ON jobs (app_id, model, id);

-- no foreign keys: each of these is removed with what it belongs to, in one transaction
CREATE TABLE images (
    id TEXT PRIMARY KEY NOT NULL,
    job_id TEXT NOT NULL,
    app_id TEXT NOT NULL,
    position INTEGER NOT NULL,
    name TEXT NOT NULL,
    mime TEXT NOT NULL,
    bytes BIGINT NOT NULL,
    width INTEGER,
    height INTEGER,
    pinned BOOLEAN NOT NULL DEFAULT FALSE,
    created_at BIGINT NOT NULL
);
CREATE INDEX images_by_job ON images (job_id, position);
CREATE INDEX images_by_app ON images (app_id, job_id);
CREATE INDEX images_by_name ON images (name);
CREATE INDEX images_by_time ON images (created_at, id);

-- small ones of them, each a file in the media store
CREATE TABLE thumbnails (
    image_id TEXT NOT NULL,
    mime TEXT NOT NULL,
    name TEXT NOT NULL,
    PRIMARY KEY (image_id, mime)
);
CREATE INDEX thumbnails_by_name ON thumbnails (name);

CREATE TABLE user_tags (
    image_id TEXT NOT NULL,
    tag_name TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (image_id, tag_name)
);
CREATE INDEX user_tags_by_name ON user_tags (tag_name, image_id);
