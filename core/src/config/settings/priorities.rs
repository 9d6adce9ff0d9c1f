//! `priority_reservation` and `priority_reservation_settings`, which count with the callback `dynamic_rate_limiter_v3`:
//! what part of a group's requests and tokens per minute callers of a priority have, once the group is nearly full.

use super::super::problems::Problems;
use super::super::section::Section;
use super::super::tree::Node;
use crate::domain::rates::Rates;

/// LiteLLM's, for callers that have no priority of the list, all together.
const OTHERS: f64 = 0.25;
/// LiteLLM's: from this part of a group's limits on, nobody uses what is reserved for others.
const THRESHOLD: f64 = 0.5;
/// Both of LiteLLM's callbacks do this here.
const CALLBACKS: [&str; 2] = ["dynamic_rate_limiter_v3", "dynamic_rate_limiter"];

#[derive(Clone, Debug, PartialEq)]
pub struct Priorities {
    shares: Vec<(String, Share)>,
    others: f64,
    /// From this part of a group's limits on, priorities count.
    pub threshold: f64,
}

/// What is reserved: a part of what a group may do, or so many requests or tokens of it.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Share {
    Part(f64),
    Requests(f64),
    Tokens(f64),
}

impl Priorities {
    /// `None`: no callback asks for it, or nothing is reserved.
    pub(super) fn read(s: &Section, problems: &mut Problems) -> Option<Self> {
        const NAME: &str = "priority_reservation";
        const SETTINGS: &str = "priority_reservation_settings";
        let written = s.node(NAME).map(Node::entries).unwrap_or_default();
        let named = s.texts("callbacks").unwrap_or_default();
        if !named.iter().any(|name| CALLBACKS.contains(&name.as_str())) {
            if !written.is_empty() {
                let cure = "add dynamic_rate_limiter_v3 to callbacks";
                problems.warn(&s.place(NAME), "has no effect by itself", cure);
            }
            return None;
        }
        let mut shares = Vec::with_capacity(written.len());
        for (priority, node) in written {
            match Share::read(node) {
                Some(share) => shares.push((priority.clone(), share)),
                None => {
                    let place = node.place(format!("{}.{priority}", s.place(NAME).path));
                    let cure = "write 0.75, or {type: rpm, value: 900}";
                    problems.error(&place, "is no share", cure);
                }
            }
        }
        let settings = s.node(SETTINGS);
        let part = |name: &str, usual: f64| {
            settings.and_then(|node| node.get(name)).and_then(Node::as_f64).unwrap_or(usual)
        };
        let (others, threshold) = (part("default_priority", OTHERS), part("saturation_threshold", THRESHOLD));
        (!shares.is_empty()).then_some(Self { shares, others, threshold })
    }

    /// Whether callers of this priority have a share of their own.
    pub fn has(&self, priority: &str) -> bool {
        self.shares.iter().any(|(name, _)| name == priority)
    }

    /// What callers of a priority have of what a group may do; `None`: of one that the list does not have. Shares that
    /// together are more than all are made smaller, all alike.
    pub fn reserved(&self, priority: Option<&str>, group: Rates) -> Rates {
        let parts = self.shares.iter().map(|(name, share)| (name.as_str(), share.of(group)));
        let all: f64 = parts.clone().map(|(_, part)| part).sum();
        let own = priority.and_then(|priority| parts.clone().find(|(name, _)| *name == priority));
        let part = own.map_or(self.others, |(_, part)| if all > 1.0 { part / all } else { part });
        let of = |limit: Option<i64>| limit.map(|limit| (limit as f64 * part) as i64);
        Rates { requests: of(group.requests), tokens: of(group.tokens), parallel: None }
    }
}

impl Share {
    fn read(node: &Node) -> Option<Self> {
        if let Some(part) = node.as_f64() {
            return Some(Self::Part(part));
        }
        let value = node.get("value").and_then(Node::as_f64)?;
        match node.get("type").map_or(Some("percent"), Node::as_text)? {
            "percent" => Some(Self::Part(value)),
            "rpm" => Some(Self::Requests(value)),
            "tpm" => Some(Self::Tokens(value)),
            _ => None,
        }
    }

    /// As a part of what the group may do. Where it has no such limit, LiteLLM takes the number as it is.
    fn of(self, group: Rates) -> f64 {
        let of = |amount: f64, limit: Option<i64>| match limit {
            Some(limit) if limit > 0 => amount / limit as f64,
            _ => amount,
        };
        match self {
            Self::Part(part) => part,
            Self::Requests(amount) => of(amount, group.requests),
            Self::Tokens(amount) => of(amount, group.tokens),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::env::Env;
    use super::super::super::load::Config;
    use super::*;

    fn read(text: &str) -> Option<Priorities> {
        let text = format!("litellm_settings: {{callbacks: [dynamic_rate_limiter_v3], {text}}}");
        let (config, problems) = Config::from_text(&text, &Env::default(), &[]);
        config.unwrap_or_else(|| panic!("{problems}")).litellm.priorities
    }

    fn requests(priorities: &Priorities, priority: Option<&str>, rpm: i64) -> Option<i64> {
        priorities.reserved(priority, Rates { requests: Some(rpm), ..Rates::default() }).requests
    }

    #[test]
    fn shares_are_parts_or_amounts_and_together_never_more_than_all() {
        let plain = read("priority_reservation: {prod: 0.75, dev: {type: rpm, value: 10}}").unwrap();
        assert_eq!(requests(&plain, Some("prod"), 100), Some(75));
        assert_eq!(requests(&plain, Some("dev"), 100), Some(10));
        assert_eq!(requests(&plain, None, 100), Some(25), "LiteLLM's default");
        let over = read("priority_reservation: {a: 0.6, b: {type: percent, value: 0.9}}").unwrap();
        assert_eq!((requests(&over, Some("a"), 100), requests(&over, Some("b"), 100)), (Some(40), Some(60)));
        let settings = "priority_reservation: {a: 1}, \
                        priority_reservation_settings: {default_priority: 0.1, saturation_threshold: 0.9}";
        let set = read(settings).unwrap();
        assert_eq!((requests(&set, None, 100), set.threshold), (Some(10), 0.9));
        assert!(set.has("a") && !set.has("b") && read("").is_none());
    }

    #[test]
    fn what_counts_only_with_a_callback_says_so() {
        let text = "litellm_settings: {priority_reservation: {a: 0.5}}";
        let (config, problems) = Config::from_text(text, &Env::default(), &[]);
        assert!(config.unwrap().litellm.priorities.is_none());
        assert!(problems.to_string().contains("add dynamic_rate_limiter_v3 to callbacks"), "{problems}");
        let odd = "litellm_settings: {callbacks: [dynamic_rate_limiter_v3], priority_reservation: {a: much}}";
        assert!(Config::from_text(odd, &Env::default(), &[]).0.is_none());
    }
}
