//! What both ledgers promise of slices of budgets: what a process is given is there, and what it returns is free again.

#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "tests may fail loudly, and look at the environment"
)]

#[expect(dead_code, reason = "entries are not needed here")]
mod common;

use common::both;
use std::time::Duration;
use weir_core::domain::money::NanoUsd;
use weir_core::ports::SpendScope;
use weir_core::ports::leases::{LeaseAsk, Leases};
use weir_ledger::LeaseBook;

const CAP: i64 = 1_000;

async fn take(book: &LeaseBook, least: i64) -> i64 {
    let amount = NanoUsd(least);
    let (scope, cap) = (SpendScope::Key, NanoUsd(CAP));
    let ask = LeaseAsk { scope, id: "k", cap, least: amount, wanted: amount, owed: NanoUsd::ZERO };
    book.lease(&ask).await.unwrap().granted.0
}

async fn give_back(book: &LeaseBook, amount: i64) {
    book.give_back(SpendScope::Key, "k", NanoUsd(amount)).await.unwrap();
}

/// The first requests of a process come while it tells the ledger for the first time that it is there.
#[tokio::test]
async fn p15_what_is_taken_while_a_process_begins_can_be_returned() {
    both(async |ledger| {
        let book = LeaseBook::new(ledger.clone(), String::from("one"));
        let (granted, ..) = tokio::join!(take(&book, 100), book.renew(), book.renew(), book.renew());
        assert_eq!(book.lost(), 0, "nobody has given anything to others");
        give_back(&book, granted).await;
        assert_eq!(take(&book, CAP).await, CAP, "nothing is left behind");
    })
    .await;
}

#[tokio::test]
async fn p15_who_was_not_heard_of_begins_anew_with_nothing() {
    both(async |ledger| {
        let one = LeaseBook::new(ledger.clone(), String::from("one"));
        let two = LeaseBook::new(ledger.clone(), String::from("two"));
        assert_eq!(take(&one, 600).await, 600);
        assert_eq!(take(&two, 600).await, 0);
        tokio::time::sleep(Duration::from_millis(5)).await;
        assert_eq!(two.reclaim(Duration::ZERO).await.unwrap(), 1);
        // It does not know yet, and takes some more; then it is told, by several at once.
        assert_eq!(take(&one, 100).await, 100);
        let _told = tokio::join!(one.renew(), one.renew(), one.renew());
        assert_eq!(one.lost(), 1);
        give_back(&one, 700).await;
        assert_eq!(take(&two, CAP).await, CAP, "neither kept nor returned twice");
    })
    .await;
}
