-- LiteLLM's tables and views are shown in Postgres only, where other programs read them.
SELECT 1;
