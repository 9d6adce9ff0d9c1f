//! Entries past their retention go, in pieces and by whole months; what they cost stays in the sums.

#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "tests may fail loudly, and look at the environment"
)]

#[expect(dead_code, reason = "only entries are needed here")]
mod common;

use common::{both, entry};
use weir_core::domain::money::NanoUsd;
use weir_core::domain::spend::Entry;
use weir_core::ports::{SpendFilter, SpendStore};
use weir_core::time::{self, Micros};
use weir_ledger::Ledger;

const DAY: i64 = 86_400_000_000;

fn aged(days: i64, count: i64) -> Vec<Entry> {
    let now = time::now().0;
    (0..count).map(|n| Entry { started_at: Micros(now - days * DAY + n), ..entry(1_000) }).collect()
}

async fn left(ledger: &Ledger) -> u64 {
    ledger.count(&SpendFilter::default(), 100_000).await.unwrap()
}

#[tokio::test]
async fn p05_p30_old_entries_go_and_sums_stay() {
    both(async |ledger| {
        ledger.write(&aged(90, 6_000)).await.unwrap();
        ledger.write(&aged(10, 50)).await.unwrap();
        let before = Micros(time::now().0 - 30 * DAY);
        assert_eq!(ledger.forget_entries(before).await.unwrap(), 6_000, "more than one piece");
        assert_eq!(left(&ledger).await, 50);
        assert_eq!(ledger.total_spend().await.unwrap(), NanoUsd(6_050 * 1_000), "bills can still be told");
        assert_eq!(ledger.forget_entries(before).await.unwrap(), 0);
        // This month's partition stays, whatever the clock says it should lose.
        assert_eq!(ledger.forget_entries(Micros(time::now().0 + DAY)).await.unwrap(), 50);
        ledger.write(&aged(0, 3)).await.unwrap();
        assert_eq!(left(&ledger).await, 3);
    })
    .await;
}
