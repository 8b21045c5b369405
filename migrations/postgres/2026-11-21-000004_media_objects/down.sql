DROP INDEX media_by_sha256;
DROP INDEX media_by_object;
ALTER TABLE media DROP COLUMN sha256;
ALTER TABLE media DROP COLUMN object;
