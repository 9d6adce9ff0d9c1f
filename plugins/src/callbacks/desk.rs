//! The queue of what is to be told. Requests put down what they have and go; one task hands it on to a lane for each
//! callback.

use super::lane::Lane;
use super::record::{Finished, Record, What};
use super::select::To;
use super::tally::Tallies;
use super::{Callback, Callbacks};
use crate::metrics::Metrics;
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use weir_core::metrics::Name;
use weir_core::ports::AuditEntry;
use weir_core::ports::control::CallbackState;

/// One of a process.
pub struct Desk {
    sender: mpsc::Sender<Message>,
    receiver: Mutex<Option<mpsc::Receiver<Message>>>,
    held: Arc<AtomicUsize>,
    bound: usize,
    metrics: Arc<Metrics>,
    tallies: Arc<Tallies>,
}

enum Message {
    Tell(Arc<Record>, To),
    /// Tell what is left, and say when that is done.
    Close(oneshot::Sender<()>),
}

/// Room that a record takes, given back when nobody has it any more.
pub(super) struct Room {
    held: Arc<AtomicUsize>,
    bytes: usize,
}

/// Records that wait for the task that hands them on.
const PLACES: usize = 65_536;
/// How many are handed on in one go, and how long others are waited for then. Whoever waits for each record by itself
/// is woken by each request.
const AT_ONCE: usize = 1_024;
const GATHER: Duration = Duration::from_millis(10);
/// Callbacks at once, those of keys and teams among them.
const MOST_LANES: usize = 1_024;

// --- Desk ---

impl Desk {
    /// `bound`: bytes that wait at most.
    pub fn new(bound: u64, metrics: Arc<Metrics>) -> Self {
        let (sender, receiver) = mpsc::channel(PLACES);
        Self {
            sender,
            receiver: Mutex::new(Some(receiver)),
            held: Arc::default(),
            bound: usize::try_from(bound).unwrap_or(usize::MAX),
            metrics,
            tallies: Arc::default(),
        }
    }

    /// How those of a configuration are doing since the process began.
    pub fn states(&self, callbacks: &Callbacks) -> Vec<CallbackState> {
        self.tallies.states(callbacks)
    }

    /// Never waits.
    pub fn tell(&self, finished: Finished, to: To) {
        self.put(What::Exchange(Box::new(finished)), to);
    }

    /// What admins changed. Never waits.
    pub fn tell_of_changes(&self, entries: &[AuditEntry], to: &[Arc<Callback>]) {
        if to.is_empty() {
            return;
        }
        entries.iter().for_each(|entry| self.put(What::Audit(Box::new(entry.clone())), To::from(to)));
    }

    fn put(&self, what: What, to: To) {
        let Some(room) = Room::take(&self.held, what.weight(), self.bound) else {
            return self.lost(&to);
        };
        let record = Arc::new(Record::new(what, room));
        if let Err(full) = self.sender.try_send(Message::Tell(record, to))
            && let Message::Tell(_, to) = full.into_inner()
        {
            self.lost(&to);
        }
    }

    fn lost(&self, to: &To) {
        for callback in to {
            self.metrics.count(Name::CallbacksDropped, &callback.name);
            self.tallies.of(callback).dropped(1);
        }
    }

    /// Runs until it is closed. Once.
    pub async fn run(self: Arc<Self>) {
        let receiver = self.receiver.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(mut receiver) = receiver else { return };
        let mut lanes = Lanes {
            open: HashMap::new(),
            bound: self.bound,
            metrics: Arc::clone(&self.metrics),
            tallies: Arc::clone(&self.tallies),
        };
        let mut messages = Vec::new();
        loop {
            let came = receiver.recv_many(&mut messages, AT_ONCE).await;
            for message in messages.drain(..) {
                match message {
                    Message::Tell(record, to) => {
                        to.iter().for_each(|callback| lanes.give(&record, callback));
                    }
                    Message::Close(done) => {
                        lanes.close().await;
                        // Nobody may wait for it any more.
                        let _ = done.send(());
                        return;
                    }
                }
            }
            match came {
                0 => return,
                AT_ONCE => {}
                _ => tokio::time::sleep(GATHER).await,
            }
        }
    }

    /// Tells what is left, for that long at most.
    pub async fn close(&self, within: Duration) {
        let (done, closed) = oneshot::channel();
        let closing = async {
            if self.sender.send(Message::Close(done)).await.is_ok() {
                let _ = closed.await;
            }
        };
        if tokio::time::timeout(within, closing).await.is_err() {
            tracing::warn!("stopped before callbacks were told of every request");
        }
    }
}

// --- Room ---

impl Room {
    /// `None`: there is none.
    pub(super) fn take(held: &Arc<AtomicUsize>, bytes: usize, bound: usize) -> Option<Self> {
        let room = Self { held: Arc::clone(held), bytes };
        // Given back where it does not fit.
        let before = held.fetch_add(bytes, Ordering::Relaxed);
        (before.saturating_add(bytes) <= bound).then_some(room)
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        self.held.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

// --- lanes ---

/// By the address of the callback, which a lane keeps alive: after a reload there are others.
struct Lanes {
    open: HashMap<usize, Lane>,
    bound: usize,
    metrics: Arc<Metrics>,
    tallies: Arc<Tallies>,
}

impl Lanes {
    /// A lane that has its share is full, whatever room the others leave. One that has just ended, as nobody needed it, is
    /// opened again.
    fn give(&mut self, record: &Arc<Record>, callback: &Arc<Callback>) {
        let key = Arc::as_ptr(callback).addr();
        let share = self.bound / (self.open.len() + 1);
        if self.open.get(&key).is_some_and(|lane| lane.give(record, share)) {
            return;
        }
        self.open.retain(|_, lane| !lane.is_closed());
        let tally = self.tallies.of(callback);
        if self.open.len() >= MOST_LANES {
            tally.dropped(1);
            return self.metrics.count(Name::CallbacksDropped, &callback.name);
        }
        let lane = Lane::open(Arc::clone(callback), Arc::clone(&self.metrics), tally);
        lane.give(record, share);
        self.open.insert(key, lane);
    }

    async fn close(&mut self) {
        let lanes: Vec<Lane> = self.open.drain().map(|(_, lane)| lane).collect();
        let ends: Vec<_> = lanes.into_iter().map(Lane::end).collect();
        for end in ends {
            end.await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{callback, dropped, finished, made, metrics, to};
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    /// A webhook there.
    fn webhook(name: &str, address: &str) -> Arc<Callback> {
        callback(name, &format!("{{callback_type: generic_api, endpoint: \"{address}\"}}"))
    }

    /// Answers each request with the next of these statuses, the last one for ever; what was posted.
    async fn receiver(statuses: &'static [u16]) -> (String, Arc<Mutex<Vec<String>>>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::<Mutex<Vec<String>>>::default();
        let log = Arc::clone(&seen);
        tokio::spawn(async move {
            while let Ok((mut socket, _)) = listener.accept().await {
                let mut text = String::new();
                let mut buffer = [0; 4096];
                while !text.ends_with("}]") {
                    let read = socket.read(&mut buffer).await.unwrap();
                    text += &String::from_utf8_lossy(&buffer[..read]);
                }
                let status = {
                    let mut log = log.lock().unwrap();
                    log.push(text);
                    statuses[(log.len() - 1).min(statuses.len() - 1)]
                };
                let answer = format!("HTTP/1.1 {status} X\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
                socket.write_all(answer.as_bytes()).await.unwrap();
            }
        });
        (address, seen)
    }

    #[tokio::test]
    async fn what_was_not_taken_is_sent_again_and_told_once() {
        let metrics = metrics();
        let desk = Arc::new(Desk::new(1 << 20, Arc::clone(&metrics)));
        let running = tokio::spawn(Arc::clone(&desk).run());
        let (address, seen) = receiver(&[503, 429, 200]).await;
        let callback = webhook("again", &address);
        desk.tell(finished("success"), to(&[&callback]));
        desk.close(Duration::from_secs(20)).await;
        running.await.unwrap();
        let seen = seen.lock().unwrap();
        assert_eq!(seen.len(), 3, "{seen:?}");
        assert!(seen.iter().all(|request| request.matches("\"call-1\"").count() == 1));
        assert_eq!(dropped(&metrics, "again"), 0);
        let state = desk.tallies.of(&callback).state();
        assert_eq!((state.delivered, state.dropped, state.failing_since), (1, 0, None));
        assert_eq!((state.last_error.as_str(), state.waiting_bytes), ("it answered 429", 0));
        assert_eq!(desk.held.load(Ordering::Relaxed), 0, "all room is given back");
    }

    #[tokio::test]
    async fn what_is_refused_for_good_is_counted_at_once() {
        let metrics = metrics();
        let desk = Arc::new(Desk::new(1 << 20, Arc::clone(&metrics)));
        let running = tokio::spawn(Arc::clone(&desk).run());
        let (address, seen) = receiver(&[400]).await;
        let callback = webhook("bad", &address);
        desk.tell(finished("failure"), to(&[&callback]));
        desk.close(Duration::from_secs(20)).await;
        running.await.unwrap();
        assert_eq!((seen.lock().unwrap().len(), dropped(&metrics, "bad")), (1, 1));
        let state = desk.tallies.of(&callback).state();
        assert_eq!((state.delivered, state.dropped), (0, 1));
        assert!(state.failing_since.is_some() && state.last_error == "it answered 400", "{state:?}");
    }

    #[tokio::test]
    async fn a_full_queue_drops_what_is_new_and_keeps_its_bound() {
        let metrics = metrics();
        // Nobody takes anything off it.
        let desk = Desk::new(10_000, Arc::clone(&metrics));
        let callback = webhook("full", "http://127.0.0.1:9");
        for _ in 0..10 {
            desk.tell(finished("success"), to(&[&callback]));
        }
        let lost = dropped(&metrics, "full");
        assert!((1..10).contains(&lost), "{lost}");
        assert!(desk.held.load(Ordering::Relaxed) <= 10_000);
    }

    #[tokio::test]
    async fn a_dead_callback_takes_nothing_from_a_living_one() {
        let metrics = metrics();
        let desk = Arc::new(Desk::new(40_000, Arc::clone(&metrics)));
        let running = tokio::spawn(Arc::clone(&desk).run());
        let (address, seen) = receiver(&[200]).await;
        let (dead, living) = (webhook("dead", "http://127.0.0.1:9"), webhook("living", &address));
        for round in 1..=60 {
            desk.tell(finished("success"), to(&[&dead, &living]));
            // Until this one was told: the living one is never full.
            while seen.lock().unwrap().iter().map(|text| text.matches("\"call-1\"").count()).sum::<usize>()
                < round
            {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        }
        assert_eq!(dropped(&metrics, "living"), 0);
        assert!(dropped(&metrics, "dead") > 0, "its share is full");
        running.abort();
    }

    #[test]
    fn a_name_of_ones_own_is_a_webhook() {
        let (made, problems) = made("mine", "{callback_type: generic_api, endpoint: \"http://h.test\"}", &[]);
        assert!(made.is_some(), "{problems}");
    }
}
