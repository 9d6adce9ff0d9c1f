//! What is going on at each deployment: calls under way, what was used in this minute, how fast the last calls were. Exact,
//! of this process only, and kept by deployment id, so that a reload forgets nothing. Where neither a strategy nor a limit
//! wants to know, nothing is noted.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::{Duration, Instant};
use weir_core::config::StrategyArgs;
use weir_core::domain::rates::{Count, Rates};
use weir_core::time::Micros;

/// Bounded by [`MAX_KEPT`].
#[derive(Default)]
pub struct Loads {
    by_id: RwLock<HashMap<Box<str>, Arc<Load>>>,
}

/// Of one deployment.
#[derive(Default)]
pub struct Load(Mutex<State>);

#[derive(Default)]
struct State {
    count: Count,
    /// Seconds per token of whole answers.
    whole: Latencies,
    /// Seconds to the first token of streams.
    first: Latencies,
}

/// The last ones, oldest first.
type Latencies = VecDeque<(Instant, f64)>;

/// How fast an answer was.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Sample {
    /// A whole answer, in seconds per token.
    Whole(f64),
    /// A stream, in seconds to its first token.
    First(f64),
    /// None within the time there was: as slow as can be.
    TimedOut,
}

/// A call under way. Given back when it is dropped.
pub struct Running {
    load: Arc<Load>,
    began: Micros,
    /// Tokens that it was expected to use.
    held: i64,
}

/// Deployments that are remembered. Beyond that, one that nobody uses is forgotten for each that comes.
const MAX_KEPT: usize = 10_000;

/// What limits per minute are counted in.
const WINDOW: Duration = Duration::from_secs(60);

/// What a time-out counts as. LiteLLM's figure.
const TIMED_OUT: f64 = 1_000.0;

// --- Loads ---

impl Loads {
    /// What is known of a deployment; `None`: nothing.
    pub fn seen(&self, id: &str) -> Option<Arc<Load>> {
        self.by_id.read().unwrap_or_else(PoisonError::into_inner).get(id).cloned()
    }

    /// The same, begun if there is nothing.
    pub fn of(&self, id: &str) -> Arc<Load> {
        if let Some(load) = self.seen(id) {
            return load;
        }
        let mut by_id = self.by_id.write().unwrap_or_else(PoisonError::into_inner);
        if by_id.len() >= MAX_KEPT {
            make_room(&mut by_id);
        }
        Arc::clone(by_id.entry(id.into()).or_default())
    }
}

fn make_room(by_id: &mut HashMap<Box<str>, Arc<Load>>) {
    by_id.retain(|_, load| Arc::strong_count(load) > 1 || !load.is_over());
    let idle = by_id.iter().find(|(_, load)| Arc::strong_count(load) == 1).map(|(id, _)| id.clone());
    if let Some(idle) = idle.filter(|_| by_id.len() >= MAX_KEPT) {
        by_id.remove(&idle);
    }
}

// --- Load ---

/// How long the minute of a count goes on.
pub fn left_of(count: &Count, now: Micros) -> Duration {
    Duration::from_micros(u64::try_from(count.ends(WINDOW).since(now)).unwrap_or_default())
}

impl Load {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a call that is expected to use so many tokens; `None` where a limit forbids it.
    pub fn take(self: &Arc<Self>, limits: &Rates, tokens: i64, now: Micros) -> Option<Running> {
        let mut state = self.state();
        state.count.turn(now, WINDOW);
        if limits.full(&state.count).is_some() {
            return None;
        }
        state.count.requests += 1;
        state.count.running += 1;
        state.count.tokens = state.count.tokens.saturating_add(tokens);
        Some(Running { load: Arc::clone(self), began: state.count.began, held: tokens })
    }

    /// What was counted in the minute that is under way.
    pub fn count(&self, now: Micros) -> Count {
        let mut state = self.state();
        state.count.turn(now, WINDOW);
        state.count
    }

    /// The average of the last latencies, in seconds; `None`: nothing is known. For a stream that of streams, if there
    /// were any.
    pub fn latency(&self, stream: bool, ttl: Duration) -> Option<f64> {
        let state = self.state();
        let first = stream.then(|| average(&state.first, ttl)).flatten();
        first.or_else(|| average(&state.whole, ttl))
    }

    fn learn(&self, sample: Sample, most: u32) {
        let mut state = self.state();
        match sample {
            Sample::Whole(seconds) => push(&mut state.whole, seconds, most),
            Sample::First(seconds) => push(&mut state.first, seconds, most),
            Sample::TimedOut => {
                push(&mut state.whole, TIMED_OUT, most);
                push(&mut state.first, TIMED_OUT, most);
            }
        }
    }

    /// What was used in a minute that is over counts no more.
    fn settle(&self, began: Micros, tokens: i64) {
        let mut state = self.state();
        state.count.running -= 1;
        if state.count.began == began {
            state.count.tokens = state.count.tokens.saturating_add(tokens);
        }
    }

    fn is_over(&self) -> bool {
        let state = self.state();
        let passed = weir_core::time::now().since(state.count.began);
        state.count.running == 0 && u128::try_from(passed).is_ok_and(|passed| passed > WINDOW.as_micros())
    }
}

fn push(latencies: &mut Latencies, seconds: f64, most: u32) {
    while latencies.len() >= most as usize {
        latencies.pop_front();
    }
    latencies.push_back((Instant::now(), seconds));
}

fn average(latencies: &Latencies, ttl: Duration) -> Option<f64> {
    let current = latencies.iter().filter(|(at, _)| at.elapsed() < ttl);
    let (count, sum) = current.fold((0_u32, 0.0), |(count, sum), (_, seconds)| (count + 1, sum + seconds));
    (count > 0).then(|| sum / f64::from(count))
}

// --- Running ---

impl Running {
    /// It is over and has used so many tokens. `sample`: how fast it was, where that says something.
    pub fn settle(mut self, tokens: i64, sample: Option<Sample>, args: &StrategyArgs) {
        if let Some(sample) = sample {
            self.load.learn(sample, args.max_latency_list_size);
        }
        // What was expected is taken back on the way out.
        self.held = self.held.saturating_sub(tokens);
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.load.settle(self.began, self.held.saturating_neg());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Micros = Micros(1_000_000_000);

    fn later(seconds: i64) -> Micros {
        Micros(NOW.0 + seconds * 1_000_000)
    }

    #[test]
    fn a_minute_takes_no_more_than_the_limit() {
        let load = Arc::new(Load::default());
        let limits = Rates { requests: Some(2), ..Rates::default() };
        let taken = [0, 1, 59, 60].map(|at| load.take(&limits, 0, later(at)).is_some());
        assert_eq!(taken, [true, true, false, true]);
    }

    #[test]
    fn tokens_are_held_and_then_the_truth() {
        let load = Arc::new(Load::default());
        let limits = Rates { tokens: Some(100), ..Rates::default() };
        let running = load.take(&limits, 100, NOW).unwrap();
        assert!(load.take(&limits, 1, NOW).is_none(), "all of it is held");
        running.settle(30, None, &StrategyArgs::default());
        assert_eq!(load.count(NOW).tokens, 30);
        drop(load.take(&limits, 50, NOW));
        assert_eq!(load.count(NOW).tokens, 30, "one that came to nothing used nothing");
    }

    #[test]
    fn p22_a_place_is_free_again_whatever_happens() {
        let load = Arc::new(Load::default());
        let limits = Rates { parallel: Some(1), ..Rates::default() };
        let running = load.take(&limits, 0, NOW).unwrap();
        assert!(load.take(&limits, 0, later(90)).is_none(), "it is still running");
        drop(running);
        assert!(load.take(&limits, 0, later(90)).is_some());
    }

    #[test]
    fn the_last_latencies_count_as_long_as_they_are_young() {
        let load = Load::default();
        for seconds in [9.0, 9.0, 1.0, 3.0] {
            load.learn(Sample::Whole(seconds), 2);
        }
        assert_eq!(load.latency(false, WINDOW), Some(2.0));
        assert_eq!(load.latency(true, WINDOW), Some(2.0), "what is known of whole answers");
        load.learn(Sample::First(0.5), 2);
        assert_eq!((load.latency(true, WINDOW), load.latency(false, WINDOW)), (Some(0.5), Some(2.0)));
        assert_eq!(load.latency(true, Duration::ZERO), None);
        load.learn(Sample::TimedOut, 2);
        assert!(load.latency(true, WINDOW).is_some_and(|seconds| seconds > 100.0));
    }

    #[test]
    fn who_is_not_used_is_forgotten_when_there_are_too_many() {
        let loads = Loads::default();
        let busy = loads.of("busy").take(&Rates::default(), 0, weir_core::time::now()).unwrap();
        (0..MAX_KEPT + 5).for_each(|n| drop(loads.of(&n.to_string())));
        assert!(loads.by_id.read().unwrap().len() <= MAX_KEPT);
        assert_eq!(loads.seen("busy").unwrap().count(weir_core::time::now()).running, 1);
        drop(busy);
    }
}
