//! `guardrails`: what looks at requests and answers, when, and for whom. What a kind makes of its own parameters is the
//! kind's to say; here is what all have in common.

use super::json::JsonMap;
use super::keys::{GUARDRAIL, GUARDRAIL_PARAMS};
use super::models;
use super::problems::{Place, Problems, did_you_mean};
use super::section::{Section, join};
use super::tree::{Node, Value};
use std::collections::HashSet;

/// More are a mistake of a generator.
const MOST: usize = 1_000;

/// One entry of `guardrails`.
#[derive(Clone, Debug)]
pub struct GuardrailEntry {
    /// `guardrail_id`, else the name.
    pub id: String,
    /// What requests, keys and teams call it. Unique.
    pub name: String,
    /// `litellm_params.guardrail`; whether it is known is not checked here.
    pub kind: String,
    pub modes: Modes,
    /// It runs for every request, whatever else the request names.
    pub default_on: bool,
    /// A check that cannot be made refuses the request. True unless it is said otherwise.
    pub fail_on_error: bool,
    /// `litellm_params`, checked against `keys::GUARDRAIL_PARAMS`.
    pub params: Section,
    /// `litellm_params` as far as they may be shown.
    pub shown: JsonMap,
    /// `guardrail_info`, to be shown.
    pub info: JsonMap,
}

/// When a guardrail runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// On the request, before anybody is asked. May change it.
    PreCall,
    /// On the request, beside the call. Nothing is answered before it is done.
    DuringCall,
    /// On the answer.
    PostCall,
    /// On what is kept of both; never on what passes.
    LoggingOnly,
}

/// The modes of a guardrail, which may depend on a request's tags.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Modes {
    always: Vec<When>,
    by_tag: Vec<(String, Vec<When>)>,
}

static WORDS: &[(&str, When)] = &[
    ("pre_call", When::PreCall),
    ("during_call", When::DuringCall),
    ("post_call", When::PostCall),
    ("logging_only", When::LoggingOnly),
];

impl When {
    /// LiteLLM's word, also the `hook_type` of metrics.
    pub fn word(self) -> &'static str {
        WORDS.iter().find(|(_, when)| *when == self).map_or("", |(word, _)| word)
    }
}

impl From<When> for Modes {
    fn from(when: When) -> Self {
        Self { always: vec![when], by_tag: Vec::new() }
    }
}

impl Modes {
    pub fn depend_on_tags(&self) -> bool {
        !self.by_tag.is_empty()
    }

    /// Those of the first of a request's tags that has some, else the default's.
    pub fn of(&self, tags: &[String]) -> &[When] {
        let tagged = self.by_tag.iter().find(|(tag, _)| tags.contains(tag));
        tagged.map_or(&self.always, |(_, modes)| modes)
    }
}

// --- reading ---

/// An entry as it was written, names and types checked.
#[derive(Clone, Debug)]
pub struct GuardrailFile {
    pub entry: Section,
    pub params: Section,
}

/// Those of the top level, then the router's (`guardrail_list`).
pub(super) fn written(top: &Section, router: &Section, problems: &mut Problems) -> Vec<GuardrailFile> {
    let mut written = list(top, "guardrails", problems);
    written.extend(list(router, "guardrail_list", problems));
    written
}

fn list(section: &Section, name: &str, problems: &mut Problems) -> Vec<GuardrailFile> {
    let items = section.node(name).map_or(&[][..], Node::items);
    let place = section.place(name);
    if items.len() > MOST {
        problems.error(&place, format!("more than {MOST} entries"), "");
        return Vec::new();
    }
    let read = |(at, node): (usize, &Node)| {
        let path = format!("{}[{at}]", place.path);
        let entry = Section::read(node, &GUARDRAIL, &path, problems);
        let params = entry.node("litellm_params").cloned().unwrap_or_default();
        let params = Section::read(&params, &GUARDRAIL_PARAMS, &join(&path, "litellm_params"), problems);
        GuardrailFile { entry, params }
    };
    items.iter().enumerate().map(read).collect()
}

/// All that are usable. One that is not is an error: a guardrail that does not run must not go unnoticed.
pub(super) fn read(files: &[GuardrailFile], problems: &mut Problems) -> Vec<GuardrailEntry> {
    let mut names = HashSet::new();
    let mut entries = Vec::with_capacity(files.len());
    for file in files {
        let Some(entry) = GuardrailEntry::read(file, problems) else { continue };
        if !names.insert(entry.name.clone()) {
            let message = format!("another guardrail is called {:?}", entry.name);
            problems.error(&file.entry.place("guardrail_name"), message, "give each a name of its own");
            continue;
        }
        entries.push(entry);
    }
    entries
}

impl GuardrailEntry {
    fn read(file: &GuardrailFile, problems: &mut Problems) -> Option<Self> {
        let GuardrailFile { entry, params } = file;
        let filled = |s: &Section, name: &str| s.text(name).filter(|text| !text.is_empty());
        let name = filled(entry, "guardrail_name");
        if name.is_none() {
            problems.error(
                entry.at(),
                "guardrail_name is missing",
                "add the name that requests and keys use",
            );
        }
        let kind = filled(params, "guardrail");
        if kind.is_none() {
            let cure = "name a kind, such as litellm_content_filter";
            problems.error(params.at(), "litellm_params.guardrail is missing", cure);
        }
        let modes = modes(params, problems);
        let (name, kind, modes) = (name?, kind?, modes?);
        let info = entry.node("guardrail_info").map(Node::entries).unwrap_or_default();
        Some(Self {
            id: filled(entry, "guardrail_id").unwrap_or_else(|| name.clone()),
            name,
            kind,
            modes,
            default_on: params.bool("default_on").unwrap_or(false),
            fail_on_error: params.bool("fail_on_error").unwrap_or(true),
            params: params.clone(),
            shown: models::shown(params),
            info: info.iter().collect(),
        })
    }
}

/// One word, a list of words, or `{tags: {TAG: words}, default: words}`.
fn modes(s: &Section, problems: &mut Problems) -> Option<Modes> {
    let Some(node) = s.node("mode") else {
        let cure = "add one or more of pre_call, during_call, post_call, logging_only";
        problems.error(s.at(), "litellm_params.mode is missing", cure);
        return None;
    };
    let at = s.place("mode");
    if !matches!(node.value, Value::Map(_)) {
        return Some(Modes { always: words(node, &at, problems)?, by_tag: Vec::new() });
    }
    let always = match node.get("default") {
        Some(node) => words(node, &at, problems)?,
        None => Vec::new(),
    };
    let tags = node.get("tags").map(Node::entries).unwrap_or_default();
    let by_tag = tags.iter().map(|(tag, node)| Some((tag.clone(), words(node, &at, problems)?)));
    let by_tag: Vec<_> = by_tag.collect::<Option<_>>()?;
    if always.is_empty() && by_tag.is_empty() {
        problems.error(&at, "no mode is named", "write {tags: {TAG: mode}, default: mode}");
        return None;
    }
    Some(Modes { always, by_tag })
}

fn words(node: &Node, at: &Place, problems: &mut Problems) -> Option<Vec<When>> {
    let written = node.as_texts().unwrap_or_default();
    if written.is_empty() {
        problems.error(at, format!("expected a mode or a list of modes, found {}", node.what()), "");
        return None;
    }
    let mut found = Vec::with_capacity(written.len());
    for word in &written {
        match WORDS.iter().find(|(known, _)| known == word) {
            Some((_, when)) => found.push(*when),
            None => {
                let shown = if node.from_env { "what the variable holds" } else { word.as_str() };
                let cure = did_you_mean(word, WORDS.iter().map(|(known, _)| *known));
                problems.error(at, format!("no mode {shown:?}"), cure);
            }
        }
    }
    (found.len() == written.len()).then_some(found)
}
