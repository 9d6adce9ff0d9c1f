//! Days, weeks and months that are over are told of, once over all replicas.

use super::standing::Standing;
use std::collections::HashMap;
use weir_core::config::AlertSettings;
use weir_core::domain::records::Team;
use weir_core::ports::records::get_all;
use weir_core::ports::{Dimension, LedgerResult, Rollup, RollupOrder, RollupQuery, RollupRow};
use weir_core::time::{self, Micros};
use weir_plugins::alerts::{NAMED, Period, Report};

/// What has begun before midnight and ends after it is booked by then.
const SETTLED: i64 = 600_000_000;

impl Standing {
    /// Looks whether any report is due.
    pub(super) async fn report(&self, settings: &AlertSettings) {
        let today = Micros(time::now().0.saturating_sub(SETTLED)).day();
        for report in Report::ALL.into_iter().filter(|report| settings.tells(report.kind())) {
            let Some(period) = report.last(today, settings) else { continue };
            if self.app.alerts.knows(&period) {
                continue;
            }
            if let Err(error) = self.tell_of(&period, settings).await {
                tracing::debug!("a report is not told yet: {error}");
            }
        }
    }

    async fn tell_of(&self, period: &Period, settings: &AlertSettings) -> LedgerResult<()> {
        let all = self.sums(period, Rollup::Keys, None).await?;
        let all = all.first().map(|row| row.sums).unwrap_or_default();
        let mut parts = Vec::new();
        for part in period.report.parts() {
            let rows = self.sums(period, part.of, Some(part.by)).await?;
            parts.push(if part.by == Dimension::Team { self.with_aliases(rows).await? } else { rows });
        }
        self.app.alerts.report(period, &all, &parts, settings);
        Ok(())
    }

    /// Of a period: one row of everything, or the dearest of a dimension.
    async fn sums(&self, period: &Period, of: Rollup, by: Option<Dimension>) -> LedgerResult<Vec<RollupRow>> {
        let query = RollupQuery {
            of,
            by: by.into_iter().collect(),
            from: period.from,
            until: period.until,
            order: if by.is_some() { RollupOrder::Cost } else { RollupOrder::Names },
            limit: NAMED,
            ..RollupQuery::default()
        };
        self.spend.rollup(&query).await
    }

    /// Teams by the names that people have for them. One that is gone keeps its id.
    async fn with_aliases(&self, mut rows: Vec<RollupRow>) -> LedgerResult<Vec<RollupRow>> {
        let ids: Vec<String> =
            rows.iter().map(|row| row.name(0)).filter(|id| !id.is_empty()).map(str::to_owned).collect();
        let teams = get_all::<Team>(self.directory.as_ref(), &ids).await?;
        let aliases: HashMap<String, String> =
            teams.into_iter().filter_map(|kept| Some((kept.record.id, kept.record.alias?))).collect();
        for name in rows.iter_mut().filter_map(|row| row.names.first_mut()) {
            if let Some(alias) = aliases.get(name.as_str()) {
                *name = format!("{alias} ({name})");
            }
        }
        Ok(rows)
    }
}
