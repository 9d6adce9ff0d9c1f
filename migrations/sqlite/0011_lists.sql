-- Keys are searched by alias and by what is shown of their text; the index spares the search all documents.
ALTER TABLE virtual_key ADD COLUMN masked TEXT;
UPDATE virtual_key SET masked = json_extract(document, '$.masked');
CREATE INDEX virtual_key_search ON virtual_key (alias, masked, id);

-- Texts that keys had before, each with the key that it is of: days and entries of a key are told with those of its
-- former texts.
CREATE INDEX spent_former ON spent (scope, id, heir) WHERE heir IS NOT NULL;
