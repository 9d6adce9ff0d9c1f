-- What a provisioning system (SCIM) finds users and teams by: its own id, and its name of a user in lower case.
ALTER TABLE internal_user ADD COLUMN external_id TEXT;
ALTER TABLE internal_user ADD COLUMN user_name TEXT;
ALTER TABLE team ADD COLUMN external_id TEXT;
CREATE INDEX internal_user_external_id ON internal_user (external_id) WHERE external_id IS NOT NULL;
CREATE INDEX internal_user_user_name ON internal_user (user_name) WHERE user_name IS NOT NULL;
CREATE INDEX team_external_id ON team (external_id) WHERE external_id IS NOT NULL;
