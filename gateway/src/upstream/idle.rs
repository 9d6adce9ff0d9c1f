//! Connections over HTTP/1 that nobody uses, by where they lead.
//!
//! Pingora's pool has a task and a timer for each, and whoever takes a connection waits until its task has let go of it.
//! Here a connection is looked at when it is taken, and all of them once a second.

use super::line::Line;
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use weir_core::config::SslVerify;

/// Where a connection leads. Whoever may use one may use any other with the same.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Place {
    pub address: SocketAddr,
    pub tls: bool,
    /// Whom the certificate is for.
    pub host: String,
    /// What a proxy was asked for, where there is one.
    pub target: Option<String>,
    /// Whether the operator's own certificate was shown.
    pub certified: bool,
    /// Whom the deployment trusts, where that is its own to say.
    pub verify: Option<SslVerify>,
    /// Since when the same is trusted and shown: see `connect.rs`.
    pub round: u64,
}

/// All connections that are kept.
pub struct Idle {
    shelves: Mutex<HashMap<Place, Arc<Shelf>>>,
    room: Arc<Room>,
}

/// Those that lead to one place.
pub struct Shelf {
    /// A worker takes from its own lane first: its connections wake no other worker.
    lanes: [Mutex<Vec<Kept>>; LANES],
    room: Arc<Room>,
}

struct Kept {
    line: Box<Line>,
    since: Instant,
}

/// How many there are, and may be.
struct Room {
    taken: AtomicUsize,
    most: usize,
}

/// How long a connection is kept that nobody uses.
pub const IDLE: Duration = Duration::from_secs(60);

/// How often all of them are looked at.
const ROUND: Duration = Duration::from_secs(1);

const LANES: usize = 8;

static WORKERS: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    static LANE: usize = WORKERS.fetch_add(1, Ordering::Relaxed) % LANES;
}

// --- Idle ---

impl Idle {
    /// `most`: connections that are kept at one time.
    pub fn new(most: usize) -> Self {
        Self { shelves: Mutex::default(), room: Arc::new(Room { taken: AtomicUsize::new(0), most }) }
    }

    /// Where connections to this place are kept.
    pub fn shelf(&self, place: Place) -> Arc<Shelf> {
        let mut shelves = locked(&self.shelves);
        Arc::clone(shelves.entry(place).or_insert_with(|| Arc::new(Shelf::new(&self.room))))
    }

    /// Closes what was not used for long, and what the other side has closed, for ever.
    pub async fn sweep(self: Arc<Self>) {
        loop {
            tokio::time::sleep(ROUND).await;
            self.look();
        }
    }

    fn look(&self) {
        let all: Vec<_> = locked(&self.shelves).values().map(Arc::clone).collect();
        all.iter().for_each(|shelf| shelf.look());
        drop(all);
        // Nobody else knows an empty shelf that only we hold.
        locked(&self.shelves).retain(|_, shelf| Arc::strong_count(shelf) > 1 || !shelf.is_empty());
    }
}

// --- Shelf ---

impl Shelf {
    fn new(room: &Arc<Room>) -> Self {
        Self { lanes: std::array::from_fn(|_| Mutex::default()), room: Arc::clone(room) }
    }

    /// A connection that is open, as far as anybody knows.
    pub fn take(&self) -> Option<Box<Line>> {
        let own = LANE.with(|lane| *lane);
        (own..own + LANES).find_map(|lane| self.take_of(&self.lanes[lane % LANES]))
    }

    fn take_of(&self, lane: &Mutex<Vec<Kept>>) -> Option<Box<Line>> {
        loop {
            let mut kept = locked(lane).pop()?;
            self.room.leave(1);
            if kept.is_good() {
                return Some(kept.line);
            }
        }
    }

    /// Keeps a connection. Where there is no room the eldest goes, or this one.
    pub fn put(&self, line: Box<Line>) {
        let mut lane = locked(&self.lanes[LANE.with(|lane| *lane)]);
        let gone = match self.room.enter() {
            true => None,
            false if lane.is_empty() => return,
            false => Some(lane.remove(0)),
        };
        lane.push(Kept { line, since: Instant::now() });
        // Closing takes longer than others should wait.
        drop(lane);
        drop(gone);
    }

    fn look(&self) {
        for lane in &self.lanes {
            let mut lane = locked(lane);
            let before = lane.len();
            lane.retain_mut(Kept::is_good);
            self.room.leave(before - lane.len());
        }
    }

    fn is_empty(&self) -> bool {
        self.lanes.iter().all(|lane| locked(lane).is_empty())
    }
}

impl Kept {
    fn is_good(&mut self) -> bool {
        self.since.elapsed() < IDLE && self.line.is_open()
    }
}

impl Room {
    fn enter(&self) -> bool {
        let entered = self.taken.fetch_add(1, Ordering::Relaxed) < self.most;
        if !entered {
            self.leave(1);
        }
        entered
    }

    fn leave(&self, count: usize) {
        self.taken.fetch_sub(count, Ordering::Relaxed);
    }
}

fn locked<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};

    fn line() -> (Box<Line>, DuplexStream) {
        let (ours, theirs) = duplex(64);
        (Box::new(Line::new(Box::new(ours))), theirs)
    }

    fn shelf(idle: &Idle, host: &str) -> Arc<Shelf> {
        let address = SocketAddr::from(([127, 0, 0, 1], 1));
        idle.shelf(Place {
            address,
            tls: false,
            host: host.to_owned(),
            target: None,
            certified: false,
            verify: None,
            round: 0,
        })
    }

    #[tokio::test]
    async fn the_one_that_was_used_last_is_taken_first_and_a_closed_one_never() {
        let idle = Idle::new(8);
        let shelf_of_a = shelf(&idle, "a");
        let [(first, mut of_first), (second, mut of_second), (third, of_third)] = [line(), line(), line()];
        [first, second, third].into_iter().for_each(|line| shelf_of_a.put(line));
        drop(of_third);
        for (name, theirs) in [(b"2", &mut of_second), (b"1", &mut of_first)] {
            let mut taken = shelf(&idle, "a").take().unwrap();
            taken.write_all(name).await.unwrap();
            let mut heard = [0];
            theirs.read_exact(&mut heard).await.unwrap();
            assert_eq!(&heard, name);
        }
        assert!(shelf_of_a.take().is_none());
    }

    #[tokio::test]
    async fn no_more_are_kept_than_there_is_room_for() {
        let idle = Idle::new(2);
        let (a, b) = (shelf(&idle, "a"), shelf(&idle, "b"));
        let lines: Vec<_> = (0..5).map(|_| line()).collect();
        let (lines, mut others): (Vec<_>, Vec<_>) = lines.into_iter().unzip();
        for (line, shelf) in lines.into_iter().zip([&a, &a, &a, &b, &a]) {
            shelf.put(line);
        }
        // The eldest of a place goes for another to the same place; nothing goes for one to elsewhere.
        for (other, closed) in others.iter_mut().zip([true, true, false, true, false]) {
            let mut buf = [0];
            let read = futures_util::FutureExt::now_or_never(other.read(&mut buf));
            assert_eq!(read.is_some(), closed);
        }
        assert!(b.take().is_none());
        assert!(a.take().is_some() && a.take().is_some() && a.take().is_none());
    }

    #[tokio::test]
    async fn what_the_other_side_has_closed_is_closed_here_and_makes_room() {
        let idle = Idle::new(1);
        let (line, theirs) = line();
        shelf(&idle, "a").put(line);
        idle.look();
        assert_eq!(idle.room.taken.load(Ordering::Relaxed), 1);
        drop(theirs);
        idle.look();
        assert_eq!(idle.room.taken.load(Ordering::Relaxed), 0);
        assert!(locked(&idle.shelves).is_empty());
    }
}
