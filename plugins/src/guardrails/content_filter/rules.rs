//! What a content filter's settings say: `patterns`, `blocked_words`, `blocked_words_file`, `categories`.

use super::super::check::Blocked;
use super::categories;
use super::patterns::PREBUILT;
use weir_core::config::problems::{Place, Problems, did_you_mean};
use weir_core::config::section::Section;
use weir_core::config::tree::{self, Node};

/// One thing that is looked for.
#[derive(Clone)]
pub(super) struct Rule {
    /// For messages.
    pub(super) name: String,
    pub(super) pattern: String,
    pub(super) action: Action,
}

#[derive(Clone, Debug)]
pub(super) enum Action {
    /// What stands in its place.
    Mask(String),
    Block(Blocked),
    /// Nothing is found in it, whatever it holds.
    Pass,
}

/// More are a mistake.
const MOST: usize = 20_000;

const FORMAT: &str = "[{pattern_name}_REDACTED]";
const KEYWORD: &str = "[KEYWORD_REDACTED]";

impl Rule {
    pub(super) fn masking(name: &str, pattern: &str, tag: &str) -> Self {
        Self { name: name.to_owned(), pattern: pattern.to_owned(), action: Action::Mask(tag.to_owned()) }
    }

    /// LiteLLM's words for a word of `banned_keywords_list`.
    pub(super) fn banning(word: &str) -> Self {
        let blocked = Blocked::new(format!("Keyword banned. Keyword={word}")).by(word).with("keyword", word);
        Self {
            name: word.to_owned(),
            pattern: format!("(?i){}", escaped(word)),
            action: Action::Block(blocked),
        }
    }
}

/// All rules, patterns first. `None`: one of them cannot be used, which is reported.
pub(super) fn read(s: &Section, problems: &mut Problems) -> Option<Vec<Rule>> {
    let tag = s.text("keyword_redaction_tag").unwrap_or_else(|| KEYWORD.to_owned());
    let groups = categories::read(s, &tag, problems)?;
    let (mut rules, mut whole) = (Vec::new(), true);
    let mut add = |rule: Option<Rule>| match rule {
        Some(rule) => rules.push(rule),
        None => whole = false,
    };
    let format = s.text("pattern_redaction_format").unwrap_or_else(|| FORMAT.to_owned());
    let at = s.place("patterns");
    for node in s.node("patterns").map(Node::items).unwrap_or_default() {
        add(pattern(node, &format, &at, problems));
    }
    let at = s.place("blocked_words");
    for node in s.node("blocked_words").map(Node::items).unwrap_or_default() {
        add(word(node, &tag, &at, problems));
    }
    if let Some(path) = s.text("blocked_words_file") {
        let at = s.place("blocked_words_file");
        match in_file(&path) {
            Ok(file) => {
                for node in file.get("blocked_words").map(Node::items).unwrap_or_default() {
                    add(word(node, &tag, &at, problems));
                }
            }
            Err(why) => {
                problems.error(&at, why, "write a YAML file with a list blocked_words");
                add(None);
            }
        }
    }
    let rules = categories::joined(groups, rules, &s.place("categories"), problems);
    if rules.len() > MOST {
        problems.error(s.at(), format!("more than {MOST} patterns and words"), "");
        return None;
    }
    whole.then_some(rules)
}

fn in_file(path: &str) -> Result<Node, String> {
    let text = std::fs::read_to_string(path).map_err(|e| format!("cannot be read: {e}"))?;
    let file = tree::parse(&text, 0).map_err(|fault| format!("line {}: {}", fault.line, fault.message))?;
    if file.get("blocked_words").is_none() {
        return Err("there is no blocked_words in it".to_owned());
    }
    Ok(file)
}

pub(super) fn text<'n>(node: &'n Node, name: &str) -> Option<&'n str> {
    node.get(name).and_then(Node::as_text).filter(|text| !text.is_empty())
}

fn pattern(node: &Node, format: &str, at: &Place, problems: &mut Problems) -> Option<Rule> {
    let (name, pattern) = match text(node, "pattern_type") {
        Some("prebuilt") => prebuilt(node, at, problems)?,
        Some("regex") => {
            let Some(pattern) = text(node, "pattern") else {
                problems.error(at, "a pattern of the type regex has no pattern", "add pattern");
                return None;
            };
            (text(node, "name").unwrap_or("custom"), pattern)
        }
        _ => {
            problems.error(at, "a pattern has no pattern_type", "write prebuilt or regex");
            return None;
        }
    };
    let blocked =
        Blocked::new(format!("Content blocked: {name} pattern detected")).by(name).with("pattern", name);
    let tag = format.replace("{pattern_name}", &name.to_uppercase());
    let action = action(node, tag, blocked, at, problems)?;
    Some(Rule { name: name.to_owned(), pattern: pattern.to_owned(), action })
}

fn prebuilt<'n>(node: &'n Node, at: &Place, problems: &mut Problems) -> Option<(&'n str, &'n str)> {
    let name = text(node, "pattern_name").unwrap_or_default();
    let found = PREBUILT.iter().find(|(known, _)| *known == name);
    if found.is_none() {
        let cure = did_you_mean(name, PREBUILT.iter().map(|(known, _)| *known));
        problems.error(at, format!("there is no pattern named {name:?}"), cure);
    }
    found.copied()
}

/// Found in whatever case, also inside of words, as LiteLLM has it.
fn word(node: &Node, tag: &str, at: &Place, problems: &mut Problems) -> Option<Rule> {
    let Some(keyword) = text(node, "keyword") else {
        problems.error(at, "a blocked word has no keyword", "write {keyword: …, action: BLOCK}");
        return None;
    };
    let mut blocked = Blocked::new(format!("Content blocked: keyword '{keyword}' found"))
        .by(keyword)
        .with("keyword", keyword);
    if let Some(description) = text(node, "description") {
        blocked = blocked.with("description", description);
    }
    let action = action(node, tag.to_owned(), blocked, at, problems)?;
    Some(Rule { name: keyword.to_owned(), pattern: format!("(?i){}", escaped(keyword)), action })
}

fn action(node: &Node, tag: String, blocked: Blocked, at: &Place, problems: &mut Problems) -> Option<Action> {
    match text(node, "action").map(str::to_ascii_uppercase).as_deref() {
        Some("MASK") => Some(Action::Mask(tag)),
        Some("BLOCK") => Some(Action::Block(blocked)),
        _ => {
            problems.error(at, "a pattern or word has no action", "write action: BLOCK or action: MASK");
            None
        }
    }
}

/// The text itself as a pattern, where it stands for itself and is no part of a longer word.
pub(super) fn whole_word(text: &str) -> String {
    let edge = |c: Option<char>| if c.is_some_and(|c| c.is_ascii_alphanumeric()) { r"(?-u:\b)" } else { "" };
    format!("{}{}{}", edge(text.chars().next()), escaped(text), edge(text.chars().next_back()))
}

/// The text itself as a pattern.
pub(super) fn escaped(text: &str) -> String {
    const META: &str = r"\.+*?()|[]{}^$#&-~";
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if META.contains(c) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}
