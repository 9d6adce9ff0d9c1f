//! Rules as automata: those that refuse and those that mask, each set in one pass over a text.

use super::super::check::Blocked;
use super::rules::{Action, Rule};
use regex_automata::Input;
use regex_automata::meta::{self, Regex};
use regex_automata::util::syntax;

/// What is looked for.
pub(super) struct Filter {
    refusing: Option<Set>,
    masking: Option<Set>,
    /// Bytes of the longest match.
    longest: usize,
}

struct Set {
    regex: Regex,
    rules: Vec<Rule>,
}

/// How long a match of a pattern without a bound may be to be found in a stream as in a whole text.
pub(super) const UNBOUNDED: usize = 4_096;

/// Memory of all patterns of one set: ten thousand words fit.
const LARGEST: usize = 64 << 20;

/// A character behind a match may decide whether it is one (`\b`).
pub(super) const BEHIND: usize = 4;

impl Filter {
    /// # Errors
    /// A pattern that is none, that matches the empty text, or too many of them.
    pub(super) fn new(rules: Vec<Rule>) -> Result<Self, String> {
        let mut longest = 0;
        for rule in &rules {
            longest = longest.max(rule.longest()?);
        }
        let of = |wanted: fn(&Action) -> bool| {
            let named =
                rules.iter().filter(|rule| matches!(rule.action, Action::Pass) || wanted(&rule.action));
            Set::new(named.cloned().collect())
        };
        let refusing = of(|action| matches!(action, Action::Block(_)))?;
        let masking = of(|action| matches!(action, Action::Mask(_)))?;
        Ok(Self { refusing, masking, longest })
    }

    /// A whole text, masked.
    ///
    /// # Errors
    /// Something in it is refused.
    pub(super) fn mask(&self, text: &str) -> Result<String, Blocked> {
        self.refuse(text, 0, text.len())?;
        let mut out = String::with_capacity(text.len());
        self.replace(text, 0, text.len(), &mut out);
        Ok(out)
    }

    /// Matches that begin before this byte of a text are whole, whatever follows.
    pub(super) fn settled(&self, text: &str) -> usize {
        text.floor_char_boundary(text.len().saturating_sub(self.longest + BEHIND))
    }

    /// Looks for what is refused, among the matches that begin in `from..until`; answers where it ended, which is behind
    /// `until` where an exception lies across it.
    pub(super) fn refuse(&self, text: &str, from: usize, until: usize) -> Result<usize, Blocked> {
        let Some(set) = &self.refusing else { return Ok(until) };
        let mut at = from;
        while let Some((start, end, rule)) = set.find(text, at).filter(|(start, ..)| *start < until) {
            if let Action::Block(blocked) = &rule.action {
                return Err(blocked.clone());
            }
            // No pattern matches the empty text; if one did, this would not end.
            at = end.max(start + 1);
        }
        Ok(at.max(until))
    }

    /// Writes `from..until` masked; answers where it ended, which is behind `until` where a match lies across it.
    pub(super) fn replace(&self, text: &str, from: usize, until: usize, out: &mut String) -> usize {
        let mut at = from;
        while let Some((start, end, rule)) = self.masking.as_ref().and_then(|set| set.find(text, at)) {
            // No pattern matches the empty text; if one did, this would not end.
            if start >= until || end == start {
                break;
            }
            out.push_str(&text[at..start]);
            match &rule.action {
                Action::Mask(tag) => out.push_str(tag),
                Action::Block(_) | Action::Pass => out.push_str(&text[start..end]),
            }
            at = end;
        }
        if at < until {
            out.push_str(&text[at..until]);
            at = until;
        }
        at
    }
}

impl Set {
    fn new(rules: Vec<Rule>) -> Result<Option<Self>, String> {
        if rules.is_empty() {
            return Ok(None);
        }
        let patterns: Vec<&str> = rules.iter().map(|rule| rule.pattern.as_str()).collect();
        let regex = Regex::builder()
            .configure(meta::Config::new().nfa_size_limit(Some(LARGEST)))
            .build_many(&patterns)
            .map_err(|e| e.to_string())?;
        Ok(Some(Self { regex, rules }))
    }

    /// The first match from there on, which may look at what stands before.
    fn find(&self, text: &str, from: usize) -> Option<(usize, usize, &Rule)> {
        let found = self.regex.find(Input::new(text).range(from..))?;
        let rule = self.rules.get(found.pattern().as_usize())?;
        Some((found.start(), found.end(), rule))
    }
}

impl Rule {
    /// Bytes of its longest match.
    ///
    /// # Errors
    /// It is no regular expression, or it matches the empty text.
    fn longest(&self) -> Result<usize, String> {
        let parsed = syntax::parse(&self.pattern).map_err(|e| {
            // The last line says what is wrong, those before it draw where.
            let text = e.to_string();
            format!("{}: {}", self.name, text.lines().last().unwrap_or_default())
        })?;
        let properties = parsed.properties();
        if properties.minimum_len().unwrap_or(0) == 0 {
            return Err(format!("{}: it matches the empty text", self.name));
        }
        Ok(properties.maximum_len().unwrap_or(UNBOUNDED).min(UNBOUNDED))
    }
}
