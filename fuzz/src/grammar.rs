//! The grammar of events, as `weir_core::chat::Event` says it.

use weir_core::chat::{Begun, Delta, Event};

#[derive(Default)]
struct Checker {
    /// By index; `None` once it has stopped.
    blocks: Vec<Option<Begun>>,
    ended: bool,
}

/// Panics where the grammar is broken. `whole`: the stream came to its end without an error.
pub fn check(events: &[Event], whole: bool) {
    let mut checker = Checker::default();
    for (at, event) in events.iter().enumerate() {
        assert!(!checker.ended, "{event:?} follows the end");
        checker.event(at, event);
    }
    assert!(!whole || checker.ended, "no end");
}

impl Checker {
    fn event(&mut self, at: usize, event: &Event) {
        match event {
            Event::Start { .. } => assert_eq!(at, 0, "a start in the middle"),
            Event::BlockStart { index, block } => {
                assert_eq!(*index, self.blocks.len(), "indices are dense");
                self.blocks.push(Some(block.clone()));
            }
            Event::BlockDelta { index, delta } => self.delta(*index, delta),
            Event::BlockStop { index } => {
                let open = self.blocks.get_mut(*index).and_then(Option::take);
                assert!(open.is_some(), "block {index} stops and is not open");
            }
            Event::Usage(_) | Event::Logprobs(_) | Event::Beside { .. } => {}
            Event::Finish(_) => {
                assert!(self.blocks.iter().all(Option::is_none), "a block is open at the finish");
                self.ended = true;
            }
            Event::Fault(_) => self.ended = true,
        }
    }

    fn delta(&self, index: usize, delta: &Delta) {
        let Some(block) = self.blocks.get(index).and_then(Option::as_ref) else {
            panic!("a delta for block {index}, which is not open");
        };
        let fits = match delta {
            Delta::Text(_) => matches!(block, Begun::Text | Begun::Thinking { .. } | Begun::Refusal),
            Delta::Arguments(_) => matches!(block, Begun::ToolCall { .. }),
            Delta::Citation(_) => matches!(block, Begun::Text),
            Delta::Signature(_) => true,
        };
        assert!(fits, "{delta:?} in {block:?}");
    }
}
