-- Views with LiteLLM's names are in Postgres only, where other programs read them.
SELECT 1;
