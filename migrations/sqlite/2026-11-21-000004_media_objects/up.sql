-- several names may stand for the same bytes: object is the name that brought them, sha256 their hash in hex;
-- rows of the release before have neither, and bytes of their own
ALTER TABLE media ADD COLUMN object TEXT NOT NULL DEFAULT '';
ALTER TABLE media ADD COLUMN sha256 TEXT NOT NULL DEFAULT '';
CREATE INDEX media_by_object ON media (object);
CREATE INDEX media_by_sha256 ON media (sha256);
