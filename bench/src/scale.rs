//! A model of many replicas over one ledger: what they ask of it, and whether a budget is ever overshot. Counts, and
//! measures nothing: no I/O, no clock, the same answer every time.
//!
//! The rules are the gateway's: a request holds what it may cost from its replica's slice of the budget; a slice that
//! is too small grows by a sixteenth of what is left; entries are booked twice a second, in batches of 4,096; slices
//! that nobody used for half a second go back.

use std::fmt;

/// What is modelled.
#[derive(Debug, Clone)]
pub struct Fleet {
    pub replicas: usize,
    pub requests_per_minute: u64,
    /// Seconds of modelled time.
    pub seconds: u64,
    /// Budgets that requests are spread over, evenly.
    pub budgets: usize,
    /// Replicas that the requests of one budget meet: all of them, or few where the balancer keeps a key to its replica.
    pub spread: usize,
    /// Nano-dollars: of each budget; held for a request; what it costs in the end.
    pub budget: i64,
    pub hold: i64,
    pub cost: i64,
    /// From a request to its last byte, in milliseconds.
    pub answer: u64,
    /// Of a worker, in microseconds: the bench's figure for a governed request.
    pub cpu: u64,
    /// Connections of a replica to the database.
    pub pool: usize,
    /// Bytes of a booked entry with its indexes.
    pub row: u64,
}

/// What came of it.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Outcome {
    pub requests: u64,
    pub refused: u64,
    /// Transactions that book entries, and the most within a second.
    pub bookings: u64,
    pub most_bookings: u64,
    /// The most entries in one of them.
    pub largest: u64,
    /// Transactions that take slices or give them back, and the most within a second.
    pub leases: u64,
    pub most_leases: u64,
    /// Nano-dollars spent beyond a budget, at any moment: must be 0.
    pub overshot: i64,
    /// Nano-dollars that were spent in all.
    pub spent: i64,
}

/// A sixteenth of what is left is given at once.
const SHARE: i64 = 16;
/// Milliseconds between two bookings of a replica, and after which an unused slice goes back.
const BOOKING: u64 = 500;
const BATCH: u64 = 4_096;

/// One budget, as the ledger has it.
#[derive(Default, Clone)]
struct Budget {
    settled: i64,
    leased: i64,
    /// Spent by anybody, booked or not.
    spent: i64,
}

/// What a replica has of a budget.
#[derive(Default, Clone)]
struct Account {
    free: i64,
    /// Spent, and not booked yet.
    unbooked: i64,
    rows: u64,
    used: u64,
}

struct Model<'f> {
    fleet: &'f Fleet,
    budgets: Vec<Budget>,
    /// Replica by replica, budget by budget.
    accounts: Vec<Account>,
    /// Requests that end at a millisecond, by their account; a ring.
    ends: Vec<Vec<usize>>,
    random: u64,
    outcome: Outcome,
    /// Of the second that is going on.
    bookings: u64,
    leases: u64,
}

impl Fleet {
    /// Runs the model.
    pub fn run(&self) -> Outcome {
        let mut model = Model {
            fleet: self,
            budgets: vec![Budget::default(); self.budgets],
            accounts: vec![Account::default(); self.budgets * self.replicas],
            ends: vec![Vec::new(); usize::try_from(self.answer).unwrap_or(1).max(1) + 1],
            random: 1,
            outcome: Outcome::default(),
            bookings: 0,
            leases: 0,
        };
        for now in 0..self.seconds * 1_000 {
            model.tick(now);
        }
        model.close_second();
        model.outcome
    }
}

impl Model<'_> {
    fn tick(&mut self, now: u64) {
        if now.is_multiple_of(1_000) {
            self.close_second();
        }
        let ring = self.ends.len() as u64;
        let slot = usize::try_from(now % ring).unwrap_or_default();
        for account in std::mem::take(&mut self.ends[slot]) {
            self.end(account);
        }
        let a_minute = self.fleet.requests_per_minute;
        let due = (now + 1) * a_minute / 60_000 - now * a_minute / 60_000;
        for _ in 0..due {
            self.request(now);
        }
        for replica in 0..self.fleet.replicas {
            // Replicas book one after another, not all at once.
            let turn = replica as u64 * BOOKING / self.fleet.replicas as u64;
            if (now + turn).is_multiple_of(BOOKING) {
                self.book(replica, now);
            }
        }
    }

    fn close_second(&mut self) {
        self.outcome.most_bookings = self.outcome.most_bookings.max(self.bookings);
        self.outcome.most_leases = self.outcome.most_leases.max(self.leases);
        self.outcome.bookings += std::mem::take(&mut self.bookings);
        self.outcome.leases += std::mem::take(&mut self.leases);
    }

    fn request(&mut self, now: u64) {
        self.outcome.requests += 1;
        let (turn, budget) = (self.below(self.fleet.spread), self.below(self.fleet.budgets));
        let replica = (budget * self.fleet.spread + turn) % self.fleet.replicas;
        let at = replica * self.fleet.budgets + budget;
        let hold = self.fleet.hold;
        if self.accounts[at].free < hold && !self.lease(at, budget) {
            self.outcome.refused += 1;
            return;
        }
        self.accounts[at].free -= hold;
        self.accounts[at].used = now;
        let ring = self.ends.len() as u64;
        let slot = usize::try_from((now + self.fleet.answer) % ring).unwrap_or_default();
        self.ends[slot].push(at);
    }

    /// Asks the ledger for a larger slice. False: less is left than a request may cost.
    fn lease(&mut self, at: usize, budget: usize) -> bool {
        self.leases += 1;
        let kept = &mut self.budgets[budget];
        let left = self.fleet.budget - kept.settled - kept.leased;
        let wanted = self.fleet.hold - self.accounts[at].free;
        if left < wanted {
            return false;
        }
        let given = (left / SHARE).max(wanted);
        kept.leased += given;
        self.accounts[at].free += given;
        true
    }

    fn end(&mut self, at: usize) {
        let (hold, cost) = (self.fleet.hold, self.fleet.cost);
        let account = &mut self.accounts[at];
        account.free += hold - cost;
        account.unbooked += cost;
        account.rows += 1;
        let budget = &mut self.budgets[at % self.fleet.budgets];
        budget.spent += cost;
        self.outcome.spent += cost;
        self.outcome.overshot = self.outcome.overshot.max(budget.spent - self.fleet.budget);
    }

    /// Entries into the ledger, slices that nobody used out of the replica.
    fn book(&mut self, replica: usize, now: u64) {
        let mut rows = 0;
        for budget in 0..self.fleet.budgets {
            let account = &mut self.accounts[replica * self.fleet.budgets + budget];
            let kept = &mut self.budgets[budget];
            rows += std::mem::take(&mut account.rows);
            let booked = std::mem::take(&mut account.unbooked);
            kept.settled += booked;
            kept.leased -= booked;
            if account.free > 0 && now.saturating_sub(account.used) > BOOKING {
                kept.leased -= std::mem::take(&mut account.free);
                self.leases += 1;
            }
        }
        self.bookings += rows.div_ceil(BATCH);
        self.outcome.largest = self.outcome.largest.max(rows.min(BATCH));
    }

    /// A number below `end`, by SplitMix64.
    fn below(&mut self, end: usize) -> usize {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.random;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % end.max(1) as u64).unwrap_or_default()
    }
}

// --- told ---

/// Fleet and outcome as a table.
pub struct Told<'a>(pub &'a Fleet, pub &'a Outcome);

impl fmt::Display for Told<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Told(fleet, came) = self;
        let seconds = fleet.seconds.max(1);
        let each = fleet.requests_per_minute / 60 / fleet.replicas.max(1) as u64;
        let rows = fleet.requests_per_minute * 60 * 24 * 30;
        writeln!(f, "| of {} replicas, {} requests a minute | |", fleet.replicas, fleet.requests_per_minute)?;
        writeln!(f, "|---|--:|")?;
        writeln!(f, "| requests a second on a replica | {each} |")?;
        writeln!(f, "| of one core of it | {} % |", each * fleet.cpu / 10_000)?;
        writeln!(f, "| requests modelled, refused | {}, {} |", came.requests, came.refused)?;
        writeln!(f, "| bookings a second, at most | {}, {} |", came.bookings / seconds, came.most_bookings)?;
        writeln!(f, "| entries in the largest booking | {} |", came.largest)?;
        writeln!(f, "| slices a second, at most | {}, {} |", came.leases / seconds, came.most_leases)?;
        writeln!(f, "| spent beyond a budget | {} nano-dollars |", came.overshot)?;
        // One more connection of each listens for changes.
        writeln!(f, "| connections to the database | {} |", fleet.replicas * (fleet.pool + 1))?;
        writeln!(f, "| entries a month | {rows} |")?;
        writeln!(f, "| GiB a month | {} |", rows.saturating_mul(fleet.row) >> 30)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Small enough for a test, with budgets that run out.
    fn fleet(budget: i64) -> Fleet {
        Fleet {
            replicas: 20,
            requests_per_minute: 60_000,
            seconds: 10,
            budgets: 10,
            spread: 20,
            budget,
            hold: 1_000,
            cost: 300,
            answer: 200,
            cpu: 210,
            pool: 10,
            row: 1_024,
        }
    }

    #[test]
    fn no_budget_is_overshot_however_many_replicas_spend_it() {
        for replicas in [1, 20, 100] {
            let came = Fleet { replicas, spread: replicas, ..fleet(100_000) }.run();
            assert_eq!(came.overshot, 0, "{came:?}");
            assert!(came.refused > 0, "the budgets run out");
            let spent = came.spent as f64 / 1_000_000.0;
            assert!(spent > 0.9, "{replicas} replicas leave little unspent: {spent}");
        }
    }

    #[test]
    fn a_budget_that_suffices_refuses_nobody_and_slices_are_rare() {
        let came = fleet(1_000_000_000).run();
        assert_eq!((came.requests, came.refused), (10_000, 0));
        assert!(came.leases < came.requests / 4, "{came:?}");
        assert_eq!(came.spent, came.spent / 300 * 300);
    }

    #[test]
    fn bookings_grow_with_replicas_and_not_with_requests() {
        let few = fleet(1_000_000_000).run();
        let more = Fleet { requests_per_minute: 600_000, ..fleet(1_000_000_000) }.run();
        assert!(more.most_bookings <= few.most_bookings + 2, "{few:?} {more:?}");
        assert!(few.most_bookings <= 2 * 20, "twice a second and replica");
    }

    #[test]
    fn keys_that_keep_to_their_replicas_need_fewer_slices() {
        let sparse = Fleet { requests_per_minute: 6_000, ..fleet(1_000_000_000) };
        let all = sparse.run();
        let few = Fleet { spread: 1, ..sparse }.run();
        assert!(few.leases * 2 < all.leases, "{few:?} {all:?}");
    }

    #[test]
    fn the_same_fleet_gives_the_same_answer() {
        assert_eq!(fleet(100_000).run(), fleet(100_000).run());
    }
}
