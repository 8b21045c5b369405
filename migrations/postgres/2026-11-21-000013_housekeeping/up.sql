-- the files of a job that goes
CREATE INDEX media_by_call ON media (call_id);
