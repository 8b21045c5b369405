DROP INDEX media_by_call;
