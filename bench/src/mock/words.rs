//! Control words: plain text anywhere in the raw body that tells the mock how to behave.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// More keys than any test uses; beyond them a new key never fails.
const MAX_FLAKY_KEYS: usize = 10_000;
const MAX_SLEEP_SECS: f64 = 3600.0;

/// A request body, read as text.
pub(super) struct Words<'a> {
    text: Cow<'a, str>,
}

/// How often each `__flaky` key has been seen.
#[derive(Debug, Default)]
pub(super) struct Flaky {
    counts: Mutex<HashMap<String, u64>>,
}

// --- impl Words ---

impl<'a> Words<'a> {
    pub(super) fn of(body: &'a [u8]) -> Words<'a> {
        Words { text: String::from_utf8_lossy(body) }
    }

    pub(super) fn has(&self, word: &str) -> bool {
        self.text.contains(word)
    }

    /// `__sleep=SECS`
    pub(super) fn sleep(&self) -> Duration {
        Duration::from_secs_f64(self.number("__sleep=").min(MAX_SLEEP_SECS))
    }

    /// `__chunks=N`; none when absent or 0.
    pub(super) fn chunks(&self) -> Option<usize> {
        let count = self.number("__chunks=") as usize;
        (count > 0).then_some(count)
    }

    /// `__pace=SECS`
    pub(super) fn pace(&self) -> Duration {
        Duration::from_secs_f64(self.number("__pace=").min(MAX_SLEEP_SECS))
    }

    /// The word that follows `word`; the last one when there are several.
    pub(super) fn name(&self, word: &str) -> Option<&str> {
        let names =
            self.after(word).map(|text| leading(text, |c| c.is_ascii_alphanumeric() || "_-".contains(c)));
        names.filter(|name| !name.is_empty()).last()
    }

    /// `__errif=MODEL:CODE` for this model, else `__err=CODE`.
    pub(super) fn error_for(&self, model: Option<&str>) -> Option<u16> {
        let by_model = model.and_then(|model| self.error_if(model));
        by_model.or_else(|| Some(self.number("__err=") as u16)).filter(|code| *code > 0)
    }

    fn error_if(&self, model: &str) -> Option<u16> {
        let named = self.after("__errif=").filter_map(split_errif);
        named.filter(|(name, _)| *name == model).last().map(|(_, code)| code as u16)
    }

    /// `__flaky=KEY:N`
    fn flaky(&self) -> Option<(&str, u64)> {
        self.after("__flaky=").find_map(|text| {
            let (key, rest) = text.split_once(':')?;
            let word = !key.is_empty() && key.chars().all(|c| c.is_alphanumeric() || c == '_');
            let times: u64 = leading(rest, |c| c.is_ascii_digit()).parse().ok()?;
            word.then_some((key, times))
        })
    }

    /// The last number that follows `word`; 0 when there is none.
    fn number(&self, word: &str) -> f64 {
        self.after(word).filter_map(leading_number).last().unwrap_or(0.0)
    }

    fn after<'s>(&'s self, word: &str) -> impl Iterator<Item = &'s str> {
        let length = word.len();
        self.text.match_indices(word).map(move |(at, _)| &self.text[at + length..])
    }
}

/// `gpt-4:0613:429 and more` is model `gpt-4:0613`, code 429: names may contain colons, so the last counts.
fn split_errif(text: &str) -> Option<(&str, f64)> {
    let run = leading(text, |c| c.is_ascii_alphanumeric() || "_.:-".contains(c));
    run.rmatch_indices(':').find_map(|(at, _)| {
        let code = leading_number(&run[at + 1..])?;
        (at > 0).then_some((&run[..at], code))
    })
}

fn leading_number(text: &str) -> Option<f64> {
    let digits = leading(text, |c| c.is_ascii_digit() || c == '.');
    (!digits.is_empty()).then(|| digits.parse().unwrap_or(0.0))
}

fn leading(text: &str, wanted: impl Fn(char) -> bool) -> &str {
    let end = text.find(|c| !wanted(c)).unwrap_or(text.len());
    &text[..end]
}

// --- impl Flaky ---

impl Flaky {
    /// Counts this request under its key; true for the first N of them.
    pub(super) fn fails(&self, words: &Words<'_>) -> bool {
        let Some((key, times)) = words.flaky() else { return false };
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if counts.len() >= MAX_FLAKY_KEYS && !counts.contains_key(key) {
            return false;
        }
        let count = counts.entry(key.to_owned()).or_default();
        *count += 1;
        *count <= times
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_number_wins_and_zero_is_absent() {
        for (text, code) in [
            ("", None),
            ("x __err=429 y", Some(429)),
            ("__err=400 __err=503", Some(503)),
            ("__err=400 __err=0", None),
            ("__err=429. And", Some(429)),
            ("__err=x", None),
            ("__err=1.2.3", None),
            ("__errmid", None),
        ] {
            assert_eq!(Words::of(text.as_bytes()).error_for(Some("m")), code, "{text}");
        }
    }

    #[test]
    fn errif_names_a_model_and_wins_over_err() {
        for (text, model, code) in [
            ("__errif=gpt-4o:429", "gpt-4o", Some(429)),
            ("__errif=gpt-4o:429", "gpt-4", None),
            ("__errif=gpt-4o:429\\n", "gpt-4o", Some(429)),
            ("__errif=a:500 __errif=b:400", "b", Some(400)),
            ("__errif=a:500 __err=400", "a", Some(500)),
            ("__errif=a:500 __err=400", "b", Some(400)),
            ("__errif=qwen2.5:7b:503", "qwen2.5:7b", Some(503)),
            ("__errif=:503", "", None),
        ] {
            assert_eq!(Words::of(text.as_bytes()).error_for(Some(model)), code, "{text} for {model}");
        }
    }

    #[test]
    fn flaky_fails_the_first_n_of_its_own_key() {
        let flaky = Flaky::default();
        let fails = |text: &str| flaky.fails(&Words::of(text.as_bytes()));
        assert_eq!(["a __flaky=k_1:2"; 4].map(fails), [true, true, false, false]);
        assert!(fails("__flaky=k_2:1 __flaky=k_1:9"), "the first occurrence counts");
        assert!(!fails("__flaky=-:1"));
        assert!(!fails("__flaky=k_3"));
    }

    #[test]
    fn sleep_has_fractions_and_a_bound() {
        assert_eq!(Words::of(b"__sleep=0.25").sleep(), Duration::from_millis(250));
        assert_eq!(Words::of(b"__sleep=99999999999999999999").sleep(), Duration::from_secs(3600));
        assert_eq!(Words::of(b"\xff\xfe").sleep(), Duration::ZERO);
    }
}
