//! Lines of requests. Whoever ends a request puts a line behind those that wait, and goes; one thread takes them all at
//! once and writes them in one piece.

use std::cell::RefCell;
use std::fmt;
use std::io::Write;
use std::mem;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::Context;
use weir_core::body::{ObjectWriter, write_object};

/// Bytes of lines that wait to be written. What comes beyond them is dropped and counted.
const ROOM: usize = 8 << 20;
/// Memory for lines that is kept when there were many.
const KEPT: usize = 1 << 20;
/// How long the first line waits for others: a thread that is woken for each line costs more than the line.
const GATHER: Duration = Duration::from_millis(10);
/// How long the end of the process waits for what is not written yet.
const LAST: Duration = Duration::from_secs(1);

static QUEUE: Queue = Queue::new();
static DROPPED: AtomicU64 = AtomicU64::new(0);

/// Text that is written as it is, in whole lines.
#[derive(Clone, Copy)]
pub(super) struct Lines;

/// Events as JSON, in the form of `tracing_subscriber`, which takes three times as long for it.
pub(super) struct Objects;

struct Queue {
    waiting: Mutex<Waiting>,
    came: Condvar,
    written: Condvar,
}

struct Waiting {
    lines: Vec<u8>,
    /// Bytes that were put here since the process began, and those of them that are written.
    put: u64,
    written: u64,
    /// Somebody takes them.
    taken: bool,
    /// Somebody waits until they are written.
    hurried: bool,
}

/// Lines that were dropped since the process began.
pub fn dropped() -> u64 {
    DROPPED.load(Ordering::Relaxed)
}

/// Waits until what was logged is written, for a moment.
pub fn flush() {
    QUEUE.flush();
}

/// Starts the thread that writes, once.
pub(super) fn begin() {
    if mem::replace(&mut QUEUE.locked().taken, true) {
        return;
    }
    let writer = std::thread::Builder::new().name(String::from("requests-log"));
    if let Err(error) = writer.spawn(write_all) {
        QUEUE.locked().taken = false;
        crate::cli::say(&format!("weir: requests are not logged: {error}"));
    }
}

fn write_all() {
    let mut lines = Vec::new();
    loop {
        QUEUE.take(&mut lines);
        // A log that cannot be written has nobody to be told.
        drop(std::io::stderr().write_all(&lines));
        QUEUE.wrote(lines.len());
        lines.clear();
        lines.shrink_to(KEPT);
    }
}

fn put(lines: &[u8]) {
    if !QUEUE.put(lines) {
        DROPPED.fetch_add(1, Ordering::Relaxed);
    }
}

// --- Queue ---

impl Queue {
    const fn new() -> Self {
        let waiting = Waiting { lines: Vec::new(), put: 0, written: 0, taken: false, hurried: false };
        Self { waiting: Mutex::new(waiting), came: Condvar::new(), written: Condvar::new() }
    }

    fn locked(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether there was room.
    fn put(&self, lines: &[u8]) -> bool {
        let mut waiting = self.locked();
        if waiting.lines.len() + lines.len() > ROOM {
            return false;
        }
        let first = waiting.lines.is_empty();
        waiting.lines.extend_from_slice(lines);
        waiting.put += lines.len() as u64;
        drop(waiting);
        if first {
            self.came.notify_one();
        }
        true
    }

    /// All that wait, once there are some; `lines` is empty memory for the next ones.
    fn take(&self, lines: &mut Vec<u8>) {
        let waiting = self.came.wait_while(self.locked(), |waiting| waiting.lines.is_empty());
        let waiting = waiting.unwrap_or_else(PoisonError::into_inner);
        let gathered = self.came.wait_timeout_while(waiting, GATHER, |waiting| !waiting.hurried);
        let (mut waiting, _) = gathered.unwrap_or_else(PoisonError::into_inner);
        waiting.hurried = false;
        mem::swap(&mut waiting.lines, lines);
    }

    fn wrote(&self, bytes: usize) {
        self.locked().written += bytes as u64;
        self.written.notify_all();
    }

    fn flush(&self) {
        let mut waiting = self.locked();
        if !waiting.taken {
            return;
        }
        let all = waiting.put;
        waiting.hurried = true;
        self.came.notify_all();
        // What is not written by then never will be.
        drop(self.written.wait_timeout_while(waiting, LAST, |waiting| waiting.written < all));
    }
}

// --- Lines ---

impl Write for Lines {
    /// Always takes all of it.
    fn write(&mut self, line: &[u8]) -> std::io::Result<usize> {
        put(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Lines;

    fn make_writer(&'a self) -> Lines {
        *self
    }
}

// --- Objects ---

thread_local! {
    /// Each line is written in the memory of the last one.
    static LINE: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

impl<S: Subscriber> Layer<S> for Objects {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        LINE.with_borrow_mut(|line| {
            line.clear();
            object(event, line);
            put(line);
        });
    }
}

/// Appends an event as a line.
fn object(event: &Event<'_>, line: &mut Vec<u8>) {
    let about = event.metadata();
    write_object(line, |o| {
        o.put("timestamp", weir_core::time::now().rfc3339());
        o.put("level", about.level().as_str());
        event.record(&mut Fields(o));
        o.put("target", about.target());
    });
    line.push(b'\n');
}

struct Fields<'f, 'o>(&'f mut ObjectWriter<'o>);

impl Visit for Fields<'_, '_> {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.0.put(field.name(), value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.0.put(field.name(), value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.0.put(field.name(), value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.0.put(field.name(), value);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.put(field.name(), value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.put(field.name(), format_args!("{value:?}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Map, Value};
    use std::sync::Arc;
    use tracing_subscriber::layer::SubscriberExt;

    /// Where a test finds what was written.
    #[derive(Clone, Default)]
    struct Found(Arc<Mutex<Vec<u8>>>);

    impl Write for Found {
        fn write(&mut self, text: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(text);
            Ok(text.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    impl<S: Subscriber> Layer<S> for Found {
        fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
            object(event, &mut self.0.lock().unwrap());
        }
    }

    impl Found {
        fn text(&self) -> String {
            String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
        }
    }

    #[test]
    fn objects_are_those_of_the_library() {
        let (own, other) = (Found::default(), Found::default());
        let writer = other.clone();
        let library = tracing_subscriber::fmt::layer().with_writer(move || writer.clone()).json();
        let library = library.flatten_event(true).with_current_span(false).with_span_list(false);
        tracing::subscriber::with_default(
            tracing_subscriber::registry().with(library).with(own.clone()),
            || {
                let (text, none) = ("line\n\"quoted\" \u{1f600}", None::<&str>);
                tracing::info!(target: "weir::access", text, none, some = Some(text), whole = -3, natural = u64::MAX,
                part = 0.25, odd = f64::NAN, is = true, debug = ?[1, 2], shown = %"a\"b", "request {}", 1);
                tracing::warn!("no fields");
            },
        );
        let line = |text: &str| {
            let mut line: Map<String, Value> = serde_json::from_str(text).unwrap();
            assert!(
                line["timestamp"].as_str().is_some_and(|at| at.len() == 27 && at.ends_with('Z')),
                "{text}"
            );
            line["timestamp"] = Value::Null;
            // In their order.
            serde_json::to_string(&line).unwrap()
        };
        let (own, other) = (own.text(), other.text());
        assert_eq!(own.lines().map(line).collect::<Vec<_>>(), other.lines().map(line).collect::<Vec<_>>());
        assert_eq!(own.lines().count(), 2, "{own}");
    }

    #[test]
    fn lines_are_taken_together_in_their_order_and_none_twice() {
        let queue = Queue::new();
        assert!(queue.put(b"a\n") && queue.put(b"b\n"));
        let mut lines = Vec::new();
        queue.take(&mut lines);
        assert_eq!(lines, b"a\nb\n");
        lines.clear();
        assert!(queue.put(b"c\n"));
        queue.take(&mut lines);
        assert_eq!(lines, b"c\n");
    }

    #[test]
    fn what_there_is_no_room_for_is_dropped() {
        let queue = Queue::new();
        let line = vec![b'x'; 1 << 20];
        let kept = (0..10).filter(|_| queue.put(&line)).count();
        assert_eq!((kept, queue.locked().lines.len()), (8, ROOM));
        queue.take(&mut Vec::new());
        assert!(queue.put(&line), "what is taken makes room");
    }

    #[test]
    fn a_flush_waits_for_whoever_writes() {
        let queue = Arc::new(Queue::new());
        queue.locked().taken = true;
        assert!(queue.put(b"a\n"));
        let (writer, found) = (Arc::clone(&queue), Found::default());
        let mut place = found.clone();
        let writing = std::thread::spawn(move || {
            let mut lines = Vec::new();
            writer.take(&mut lines);
            place.write_all(&lines).unwrap();
            writer.wrote(lines.len());
        });
        queue.flush();
        assert_eq!(found.text(), "a\n");
        writing.join().unwrap();
    }
}
