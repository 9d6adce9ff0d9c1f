#!/usr/bin/env bash
# What each team spent in a month, for the bill: team, tokens, dollars.
#
#   WEIR_URL=http://127.0.0.1:4000 WEIR_KEY=sk-… examples/chargeback.sh [2026-11]
#
# Needs curl and jq. For a spreadsheet, ask for the CSV: …/global/spend/report?group_by=team&format=csv
set -euo pipefail

url=${WEIR_URL:-http://127.0.0.1:4000}
month=${1:-$(date -u +%Y-%m)}
first=$month-01
last=$(date -u -d "$first +1 month -1 day" +%F)

curl -fsS -H "Authorization: Bearer ${WEIR_KEY:?the key of a proxy admin}" \
    "$url/global/spend/report?group_by=team&start_date=$first&end_date=$last" |
    jq -r '
        [.[].teams[]]
        | group_by(.team_name)
        | map({
            team: .[0].team_name,
            tokens: (map(.metadata[].total_tokens) | add),
            spend: (map(.total_spend) | add)
          })
        | sort_by(-.spend)[]
        | [.team, .tokens, .spend] | @tsv'
