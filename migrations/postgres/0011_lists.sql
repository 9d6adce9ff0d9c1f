-- Keys are searched by alias and by what is shown of their text; the index spares the search all documents.
ALTER TABLE virtual_key ADD COLUMN masked TEXT;
UPDATE virtual_key SET masked = document::json ->> 'masked';
CREATE INDEX virtual_key_search ON virtual_key (alias, masked, id);
