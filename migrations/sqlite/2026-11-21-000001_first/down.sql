DROP TABLE media;
DROP TABLE settings;
DROP TABLE provider_states;
DROP TABLE credential_states;
DROP TABLE restarts;
DROP TABLE calls;
DROP TABLE api_keys;
DROP TABLE apps;
