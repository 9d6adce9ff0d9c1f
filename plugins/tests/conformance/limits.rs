//! What a client's dialect cannot say, and what becomes of it. A limit changes what is expected, so one that no longer
//! holds fails the test as well. None knows a single recording.

use crate::facts::{Aspect, Facts};
use crate::recordings::Recorded;
use weir_core::chat::{Dialect, Finish};

use Dialect::{AnthropicMessages as Messages, Gemini, OpenAiChat as Chat, OpenAiResponses as Responses};

/// An aspect that did not survive, and why.
pub type Lost = (Aspect, &'static str);

struct Limit {
    clients: &'static [Dialect],
    aspect: Aspect,
    /// `None`: the same in other words.
    lost: Option<&'static str>,
    apply: fn(&mut Facts, &Recorded, Dialect),
}

static LIMITS: &[Limit] = &[];

/// Applies all limits of a client's dialect; notes those that took something away.
pub fn apply(to: Dialect, recorded: &Recorded, facts: &mut Facts, lost: &mut Vec<Lost>) {
    for limit in LIMITS.iter().filter(|limit| limit.clients.contains(&to)) {
        let before = facts.clone();
        (limit.apply)(facts, recorded, to);
        if *facts != before {
            lost.extend(limit.lost.map(|why| (limit.aspect, why)));
        }
    }
}

pub fn beside(to: Dialect, recorded: &Recorded) -> Vec<Lost> {
    Vec::new()
}
