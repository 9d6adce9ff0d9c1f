//! `categories`: words and phrases that belong together, each as severe as it is. A few are known here by name; any other
//! comes from a file, in LiteLLM's form.

use super::super::check::Blocked;
use super::rules::{Action, Rule, escaped, text, whole_word};
use regex_automata::meta::Regex;
use weir_core::config::problems::{Place, Problems, did_you_mean};
use weir_core::config::section::Section;
use weir_core::config::tree::{self, Node};

/// How severe a word is; what is less severe than the threshold is not looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Severity {
    Low,
    Medium,
    High,
}

use Severity::{High, Low, Medium};

static SEVERITIES: [(&str, Severity); 3] = [("low", Low), ("medium", Medium), ("high", High)];

/// LiteLLM's, where nothing is said.
const THRESHOLD: Severity = Medium;

/// A category that is known by its name: what is looked for, and what is none of it.
struct Known {
    name: &'static str,
    words: &'static [(&'static str, Severity)],
    exceptions: &'static [&'static str],
}

static KNOWN: &[Known] = &[
    Known {
        name: "harmful_self_harm",
        words: &[
            ("kill myself", High),
            ("end my life", High),
            ("ways to commit suicide", High),
            ("how to hang myself", High),
            ("lethal dose", Medium),
            ("hurt myself", Medium),
            ("cut myself", Medium),
            ("suicidal", Low),
        ],
        exceptions: &["cut myself off", "cut myself some slack", "lethal dose of sarcasm"],
    },
    Known {
        name: "harmful_violence",
        words: &[
            ("how to murder", High),
            ("how to kill someone", High),
            ("hire a hitman", High),
            ("mass shooting plan", High),
            ("torture someone", High),
            ("beat someone up", Medium),
            ("stab someone", Medium),
            ("assassinate", Medium),
            ("massacre", Low),
        ],
        exceptions: &["stab someone in the back at work"],
    },
    Known {
        name: "harmful_illegal_weapons",
        words: &[
            ("build a bomb", High),
            ("make a bomb", High),
            ("pipe bomb", High),
            ("homemade explosive", High),
            ("untraceable firearm", High),
            ("nerve agent synthesis", High),
            ("convert to full auto", Medium),
            ("ghost gun", Medium),
            ("grenade", Low),
        ],
        exceptions: &["make a bomb disposal", "pipe bomb defusal"],
    },
    Known {
        name: "denied_financial_advice",
        words: &[
            ("which stock should i buy", High),
            ("should i invest", High),
            ("investment advice", Medium),
            ("guaranteed returns", Medium),
            ("pick stocks for me", Medium),
            ("portfolio allocation", Low),
        ],
        exceptions: &["not investment advice"],
    },
    Known {
        name: "denied_legal_advice",
        words: &[
            ("should i sue", High),
            ("will i win in court", High),
            ("legal advice", Medium),
            ("draft my lawsuit", Medium),
            ("statute of limitations", Low),
        ],
        exceptions: &["not legal advice"],
    },
    Known {
        name: "denied_medical_advice",
        words: &[
            ("diagnose me", High),
            ("what dose should i take", High),
            ("should i stop taking", High),
            ("medical advice", Medium),
            ("prescribe me", Medium),
            ("side effects of", Low),
        ],
        exceptions: &["not medical advice"],
    },
];

/// Characters between two words that belong together.
const NEAR: usize = 200;

/// What one category looks for, and the phrases that it lets be.
pub(super) struct Group {
    exceptions: Vec<Rule>,
    rules: Vec<Rule>,
}

/// All categories that are on. `None`: one of them cannot be used, which is reported.
pub(super) fn read(s: &Section, tag: &str, problems: &mut Problems) -> Option<Vec<Group>> {
    let at = s.place("categories");
    let usual = match s.text("severity_threshold") {
        Some(word) => severity(&word, &s.place("severity_threshold"), problems)?,
        None => THRESHOLD,
    };
    let items = s.node("categories").map(Node::items).unwrap_or_default();
    let on = items.iter().filter(|node| node.get("enabled").and_then(Node::as_bool) != Some(false));
    on.map(|node| Category::read(node, usual, tag, &at, problems).map(|category| category.group)).collect()
}

/// All rules in one list: exceptions before what they are exceptions of. A phrase in which something else is looked for is
/// no exception.
pub(super) fn joined(
    groups: Vec<Group>,
    others: Vec<Rule>,
    at: &Place,
    problems: &mut Problems,
) -> Vec<Rule> {
    let mut all = Vec::new();
    for (index, group) in groups.iter().enumerate() {
        if group.exceptions.is_empty() {
            continue;
        }
        let beside = groups.iter().enumerate().filter(|(other, _)| *other != index);
        let strange = beside.flat_map(|(_, group)| &group.rules).chain(&others);
        let patterns: Vec<&str> = strange.map(|rule| rule.pattern.as_str()).collect();
        // Patterns that are none are told where they are used.
        let strange = Regex::builder().build_many(&patterns).ok().filter(|_| !patterns.is_empty());
        for rule in &group.exceptions {
            if strange.as_ref().is_some_and(|strange| strange.is_match(rule.name.as_str())) {
                let message = format!("{:?} is no exception: something else is looked for in it", rule.name);
                problems.warn(at, message, "");
            } else {
                all.push(rule.clone());
            }
        }
    }
    all.extend(groups.into_iter().flat_map(|group| group.rules));
    all.extend(others);
    all
}

fn severity(word: &str, at: &Place, problems: &mut Problems) -> Option<Severity> {
    let found = SEVERITIES.iter().find(|(name, _)| name.eq_ignore_ascii_case(word));
    if found.is_none() {
        problems.error(at, format!("there is no severity {word:?}"), "write low, medium or high");
    }
    found.map(|(_, severity)| *severity)
}

/// One category as it is made into rules.
struct Category<'a> {
    name: &'a str,
    /// `MASK` or `BLOCK`.
    blocks: bool,
    threshold: Severity,
    tag: &'a str,
    group: Group,
}

impl<'a> Category<'a> {
    fn read(
        node: &'a Node,
        usual: Severity,
        tag: &'a str,
        at: &Place,
        problems: &mut Problems,
    ) -> Option<Self> {
        let Some(name) = text(node, "category") else {
            problems.error(at, "a category has no name", "write {category: harmful_violence, action: BLOCK}");
            return None;
        };
        let threshold = match text(node, "severity_threshold") {
            Some(word) => severity(word, at, problems)?,
            None => usual,
        };
        let file = match text(node, "category_file").map(in_file).transpose() {
            Ok(file) => file,
            Err(why) => {
                problems.error(at, format!("{name}: {why}"), "");
                return None;
            }
        };
        let said = text(node, "action").or_else(|| text(file.as_ref()?, "default_action"));
        let blocks = match said.unwrap_or("BLOCK").to_ascii_uppercase().as_str() {
            "BLOCK" => true,
            "MASK" => false,
            _ => {
                problems.error(at, format!("{name}: expected the action BLOCK or MASK"), "");
                return None;
            }
        };
        let group = Group { exceptions: Vec::new(), rules: Vec::new() };
        let mut category = Self { name, blocks, threshold, tag, group };
        match (&file, KNOWN.iter().find(|known| known.name == name)) {
            (Some(file), _) => category.of_file(file, at, problems)?,
            (None, Some(known)) => category.of(known),
            (None, None) => {
                let near = did_you_mean(name, KNOWN.iter().map(|known| known.name));
                let cure =
                    if near.is_empty() { "name its words in a category_file".to_owned() } else { near };
                problems.error(at, format!("there is no category named {name:?}"), cure);
                return None;
            }
        }
        Some(category)
    }

    fn of(&mut self, known: &Known) {
        known.words.iter().for_each(|(word, severity)| self.add(word, whole_word(word), *severity));
        known.exceptions.iter().for_each(|phrase| self.except(phrase));
    }

    fn of_file(&mut self, file: &Node, at: &Place, problems: &mut Problems) -> Option<()> {
        let items = |name: &str| file.get(name).map(Node::items).unwrap_or_default();
        for (list, member) in [("keywords", "keyword"), ("phrases", "phrase")] {
            for node in items(list) {
                let Some(word) = text(node, member) else {
                    problems.error(at, format!("{}: one of {list} has no {member}", self.name), "");
                    return None;
                };
                let severity = text(node, "severity").map_or(Some(Medium), |w| severity(w, at, problems))?;
                self.add(word, pattern(node, word), severity);
            }
        }
        let words =
            |name: &str| items(name).iter().filter_map(Node::as_text).map(whole_word).collect::<Vec<_>>();
        let (subjects, acts) = (words("identifier_words"), words("additional_block_words"));
        if !subjects.is_empty() && !acts.is_empty() {
            let (one, other) = (format!("(?:{})", subjects.join("|")), format!("(?:{})", acts.join("|")));
            let pattern = format!(r"{one}[^.!?\n]{{0,{NEAR}}}{other}|{other}[^.!?\n]{{0,{NEAR}}}{one}");
            self.add("what belongs to it in one sentence", pattern, High);
        }
        items("exceptions").iter().filter_map(Node::as_text).for_each(|phrase| self.except(phrase));
        Some(())
    }

    fn add(&mut self, word: &str, pattern: String, severity: Severity) {
        if severity < self.threshold {
            return;
        }
        let told = SEVERITIES.iter().find(|(_, known)| *known == severity).map_or("", |(name, _)| name);
        let message =
            format!("Content blocked: {} category keyword '{word}' detected (severity: {told})", self.name);
        let blocked = Blocked::new(message).by(self.name).with("category", self.name).with("severity", told);
        let action = if self.blocks { Action::Block(blocked) } else { Action::Mask(self.tag.to_owned()) };
        self.group.rules.push(Rule { name: word.to_owned(), pattern: format!("(?i){pattern}"), action });
    }

    /// A phrase that holds such a word and means no harm.
    fn except(&mut self, phrase: &str) {
        let pattern = format!("(?i){}", whole_word(phrase));
        self.group.exceptions.push(Rule { name: phrase.to_owned(), pattern, action: Action::Pass });
    }
}

/// LiteLLM's ways to find a phrase: as it stands, its words in this order with others between, or near each other.
fn pattern(node: &Node, phrase: &str) -> String {
    let words: Vec<String> = phrase.split_whitespace().map(escaped).collect();
    let between = match text(node, "match_type") {
        Some("fuzzy") => 2,
        Some("proximity") => node.get("max_distance").and_then(Node::as_u64).unwrap_or(5).min(20),
        _ => return whole_word(phrase),
    };
    let gap = format!(r"\W{{1,4}}(?:\w{{1,24}}\W{{1,4}}){{0,{between}}}");
    let forward = words.join(&gap);
    let either = text(node, "match_type") == Some("proximity") && words.len() == 2;
    if !either {
        return forward;
    }
    format!("{forward}|{}", words.into_iter().rev().collect::<Vec<_>>().join(&gap))
}

fn in_file(path: &str) -> Result<Node, String> {
    let text = std::fs::read_to_string(path).map_err(|e| format!("{path} cannot be read: {e}"))?;
    tree::parse(&text, 0).map_err(|fault| format!("{path}, line {}: {}", fault.line, fault.message))
}

#[cfg(test)]
mod tests {
    use super::super::super::check::Verdict;
    use super::super::super::testing::{asked, build as load, verdict};

    fn entry(params: &str) -> String {
        format!(
            "{{guardrail_name: g, litellm_params: {{guardrail: litellm_content_filter, mode: pre_call, {params}}}}}"
        )
    }

    async fn says(params: &str, text: &str) -> Verdict {
        verdict(&entry(params), &asked(&[text])).await
    }

    const WEAPONS: &str = "categories: [{category: harmful_illegal_weapons, action: BLOCK}]";

    #[tokio::test]
    async fn what_is_severe_enough_is_refused() {
        let Verdict::Block(blocked) = says(WEAPONS, "How do I Make a Bomb?").await else {
            panic!("let pass")
        };
        assert!(
            blocked.message.contains("harmful_illegal_weapons category keyword 'make a bomb'"),
            "{}",
            blocked.message
        );
        assert_eq!(
            (&blocked.facts["category"], &blocked.facts["severity"]),
            (&"harmful_illegal_weapons".into(), &"high".into())
        );
        assert_eq!(says(WEAPONS, "a grenade in a game").await, Verdict::Pass, "low is below the threshold");
        let all = format!("{WEAPONS}, severity_threshold: low");
        assert!(matches!(says(&all, "a grenade in a game").await, Verdict::Block(_)));
        let high =
            "categories: [{category: harmful_illegal_weapons, severity_threshold: high, action: BLOCK}]";
        assert_eq!(says(high, "a ghost gun").await, Verdict::Pass);
        assert_eq!(says(WEAPONS, "They make a bomb disposal robot.").await, Verdict::Pass, "an exception");
        let both = says(WEAPONS, "make a bomb disposal robot, then make a bomb").await;
        assert!(matches!(both, Verdict::Block(_)), "an exception excuses only itself");
        let beside = format!("{WEAPONS}, blocked_words: [{{keyword: disposal, action: BLOCK}}]");
        assert!(matches!(says(&beside, "make a bomb disposal robot").await, Verdict::Block(_)));
        let off = "patterns: [{pattern_type: prebuilt, pattern_name: email, action: MASK}], \
                   categories: [{category: harmful_illegal_weapons, enabled: false}]";
        assert_eq!(says(off, "make a bomb").await, Verdict::Pass);
    }

    #[tokio::test]
    async fn a_file_has_words_phrases_and_what_belongs_together() {
        let file = std::env::temp_dir().join(format!("weir-category-{}.yaml", weir_core::time::now().0));
        let text = "category_name: rivals\ndefault_action: MASK\nkeywords:\n  - {keyword: Acme, severity: high}\n\
                    phrases:\n  - {phrase: buy elsewhere, severity: high, match_type: proximity, max_distance: 3}\n\
                    identifier_words: [rival]\nadditional_block_words: [better]\nexceptions: [Acme Street]\n";
        std::fs::write(&file, text).unwrap();
        let params =
            format!("categories: [{{category: rivals, category_file: {:?}}}]", file.display().to_string());
        for (text, masked) in [
            ("Is ACME cheaper?", "Is [KEYWORD_REDACTED] cheaper?"),
            ("We live in Acme Street.", "We live in Acme Street."),
            ("Elsewhere you can buy it.", "[KEYWORD_REDACTED] it."),
            ("The rival is much better now", "The [KEYWORD_REDACTED] now"),
            ("The rival left. It is better now", "The rival left. It is better now"),
        ] {
            let found = match says(&params, text).await {
                Verdict::Edit(mut texts) => texts.remove(0),
                Verdict::Pass => text.to_owned(),
                other => panic!("{text}: {other:?}"),
            };
            assert_eq!(found, masked);
        }
        std::fs::remove_file(&file).unwrap();
    }

    #[test]
    fn settings_say_what_is_wrong_with_them() {
        for (params, says) in [
            ("categories: [{category: harmful_violens}]", "did you mean \"harmful_violence\"?"),
            ("categories: [{category: bias_gender}]", "category_file"),
            ("categories: [{action: BLOCK}]", "has no name"),
            ("categories: [{category: harmful_violence, severity_threshold: grave}]", "no severity"),
            ("categories: [{category: harmful_violence, action: WARN}]", "BLOCK or MASK"),
            ("categories: [{category: x, category_file: /nowhere.yaml}]", "cannot be read"),
        ] {
            let (_, problems) = load(&entry(params));
            assert!(problems.has_errors() && problems.to_string().contains(says), "{params}: {problems}");
        }
    }
}
