//! Calls that a model writes as its text, `{"name": …, "arguments": {…}}`, because the prompt of `/api/generate` asks
//! it to.

use serde::Deserialize;
use serde_json::value::RawValue;

/// Holds a text back as long as it may be a call.
#[derive(Debug, Default)]
pub(super) struct Calls {
    state: State,
    held: String,
}

/// What was held back, at the end.
#[derive(Debug)]
pub(super) enum Held {
    Call { name: String, arguments: String },
    Text(String),
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Undecided,
    /// It begins like a call.
    Likely,
    Text,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Whole {
    name: String,
    arguments: Box<RawValue>,
}

/// How a call begins, white space left out.
static BEGINNINGS: &[&str] = &["{\"name\":", "{\"arguments\":"];
/// It must show within so many bytes, and end within so many.
const HEAD: usize = 64;
const LIMIT: usize = 256 * 1024;

// --- Calls ---

impl Calls {
    /// Gives back what is no call.
    pub(super) fn push(&mut self, text: &str) -> String {
        if self.state == State::Text {
            return text.to_owned();
        }
        self.held.push_str(text);
        if self.state == State::Undecided {
            self.state = beginning(&self.held);
        }
        if self.held.len() > LIMIT {
            self.state = State::Text;
        }
        if self.state == State::Text { std::mem::take(&mut self.held) } else { String::new() }
    }

    /// No more text comes.
    pub(super) fn close(&mut self) -> Held {
        let held = std::mem::take(&mut self.held);
        self.state = State::Text;
        match serde_json::from_str::<Whole>(&held) {
            Ok(call) if call.arguments.get().starts_with('{') => {
                Held::Call { name: call.name, arguments: call.arguments.get().to_owned() }
            }
            _ => Held::Text(held),
        }
    }
}

/// Looks at the first bytes only, so that the verdict does not depend on how the text was cut.
fn beginning(text: &str) -> State {
    let head = &text.as_bytes()[..text.len().min(HEAD)];
    let head: Vec<u8> = head.iter().copied().filter(|b| !b.is_ascii_whitespace()).collect();
    if BEGINNINGS.iter().any(|b| head.starts_with(b.as_bytes())) {
        return State::Likely;
    }
    let may_still = BEGINNINGS.iter().any(|b| b.as_bytes().starts_with(&head));
    if may_still && text.len() < HEAD { State::Undecided } else { State::Text }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The text that passes, then what was held.
    fn told(pieces: &[&str]) -> (String, Option<(String, String)>) {
        let mut calls = Calls::default();
        let mut text: String = pieces.iter().map(|p| calls.push(p)).collect();
        match calls.close() {
            Held::Text(rest) => {
                text.push_str(&rest);
                (text, None)
            }
            Held::Call { name, arguments } => (text, Some((name, arguments))),
        }
    }

    #[test]
    fn a_call_is_a_call_however_the_text_is_cut() {
        let spaces = " ".repeat(70);
        let far = format!("{spaces}{{\"name\":\"f\",\"arguments\":{{}}}}");
        for (whole, call) in [
            ("{\"name\": \"f\", \"arguments\": {\"a\": 1.50}}", Some(("f", "{\"a\": 1.50}"))),
            ("\n{ \"arguments\":{},\"name\":\"g\"}\n", Some(("g", "{}"))),
            ("{\"answer\":42}", None),
            ("{\"name\":\"Ann\",\"age\":3}", None),
            ("{\"name\":\"f\",\"arguments\":[]}", None),
            ("{\"name\":\"f\",\"arguments\":{}} and more", None),
            ("{\"na", None),
            ("Hello", None),
            (far.as_str(), None),
            ("", None),
        ] {
            let text = if call.is_some() { "" } else { whole };
            let wanted = (text.to_owned(), call.map(|(n, a)| (n.to_owned(), a.to_owned())));
            for cut in 0..=whole.len() {
                assert_eq!(told(&[&whole[..cut], &whole[cut..]]), wanted, "{whole:?} cut at {cut}");
            }
        }
    }

    #[test]
    fn a_text_that_never_ends_is_not_held_for_ever() {
        let mut calls = Calls::default();
        assert_eq!(calls.push("{\"name\":\""), "");
        let passed: usize = (0..LIMIT / 1000 + 1).map(|_| calls.push(&"x".repeat(1000)).len()).sum();
        assert!(passed > LIMIT);
        assert!(calls.held.is_empty());
    }
}
