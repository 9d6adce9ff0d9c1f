#!/usr/bin/env bash
# Run once, on an empty volume: a user for Grafana that reads and does not write. What Weir makes later it may read, too.
set -euo pipefail

psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --set password="$POSTGRES_PASSWORD" -U "$POSTGRES_USER" -d "$POSTGRES_DB" <<'SQL'
CREATE ROLE grafana LOGIN PASSWORD :'password';
ALTER ROLE grafana SET search_path TO litellm, weir_litellm;
ALTER ROLE grafana SET default_transaction_read_only TO on;
ALTER DEFAULT PRIVILEGES GRANT USAGE ON SCHEMAS TO grafana;
ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO grafana;
SQL
