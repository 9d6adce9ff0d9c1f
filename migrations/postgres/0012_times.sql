-- How long answers took that went well, and streams to their first token: how many of each there are, and their
-- microseconds. A program that does not know of it raises the other sums and leaves these as they are. The order of the
-- tables is that in which batches of entries lock them.
ALTER TABLE spend_daily ADD COLUMN timed BIGINT NOT NULL DEFAULT 0;
ALTER TABLE spend_daily ADD COLUMN took_us BIGINT NOT NULL DEFAULT 0;
ALTER TABLE spend_daily ADD COLUMN streamed BIGINT NOT NULL DEFAULT 0;
ALTER TABLE spend_daily ADD COLUMN first_token_us BIGINT NOT NULL DEFAULT 0;
ALTER TABLE spend_daily_tag ADD COLUMN timed BIGINT NOT NULL DEFAULT 0;
ALTER TABLE spend_daily_tag ADD COLUMN took_us BIGINT NOT NULL DEFAULT 0;
ALTER TABLE spend_daily_tag ADD COLUMN streamed BIGINT NOT NULL DEFAULT 0;
ALTER TABLE spend_daily_tag ADD COLUMN first_token_us BIGINT NOT NULL DEFAULT 0;
ALTER TABLE spend_daily_customer ADD COLUMN timed BIGINT NOT NULL DEFAULT 0;
ALTER TABLE spend_daily_customer ADD COLUMN took_us BIGINT NOT NULL DEFAULT 0;
ALTER TABLE spend_daily_customer ADD COLUMN streamed BIGINT NOT NULL DEFAULT 0;
ALTER TABLE spend_daily_customer ADD COLUMN first_token_us BIGINT NOT NULL DEFAULT 0;
