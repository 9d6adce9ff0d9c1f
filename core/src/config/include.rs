//! Files to one tree: `include`, and the Helm form with everything under `proxy_config`.

use super::keys::TOP;
use super::problems::{Place, Problems};
use super::tree::{Fault, Node, Value, parse};
use std::path::Path;

/// Includes of includes; and files in all.
const MAX_NESTED: usize = 8;
const MAX_FILES: usize = 64;

/// Reads a file by its path; the text of the error is for the operator.
pub type ReadFile<'a> = &'a dyn Fn(&str) -> Result<String, String>;

pub(super) struct Files<'a> {
    read: ReadFile<'a>,
    /// The files being read, outermost first.
    open: Vec<String>,
    count: usize,
}

impl<'a> Files<'a> {
    pub(super) fn new(read: ReadFile<'a>) -> Self {
        Self { read, open: Vec::new(), count: 0 }
    }

    /// The tree of `path` with what it includes; a map. `from` is where it was named.
    pub(super) fn load(&mut self, path: &str, from: &Place, problems: &mut Problems) -> Option<Node> {
        if let Some(refusal) = self.refusal(path) {
            problems.error(from, refusal, "");
            return None;
        }
        self.count += 1;
        let file = problems.file(path);
        let root = self.tree(path, file, from, problems)?;
        self.open.push(path.to_owned());
        let root = self.included(root, path, problems);
        self.open.pop();
        Some(root)
    }

    fn refusal(&self, path: &str) -> Option<String> {
        if self.open.iter().any(|open| open == path) {
            return Some(format!("{path} includes itself"));
        }
        if self.open.len() > MAX_NESTED {
            return Some(format!("includes nested deeper than {MAX_NESTED}"));
        }
        (self.count >= MAX_FILES).then(|| format!("more than {MAX_FILES} files"))
    }

    fn tree(&self, path: &str, file: u16, from: &Place, problems: &mut Problems) -> Option<Node> {
        let text = match (self.read)(path) {
            Ok(text) => text,
            Err(why) => {
                let own = Place { file, ..Place::default() };
                let at = if from.line > 0 { from } else { &own };
                problems.error(at, format!("{path} cannot be read: {why}"), "");
                return None;
            }
        };
        match parse(&text, file) {
            Ok(node) => Some(sections(node, problems)),
            Err(Fault { line, message, cure }) => {
                problems.error(&Place { path: String::new(), file, line }, message, cure);
                None
            }
        }
    }

    fn included(&mut self, mut root: Node, path: &str, problems: &mut Problems) -> Node {
        let Some(node) = root.get("include") else { return root };
        let at = node.place("include");
        // A value that is no list of texts is reported with the other settings.
        for name in node.as_texts().unwrap_or_default() {
            let beside = Path::new(path).parent().map_or_else(|| name.clone().into(), |dir| dir.join(&name));
            if let Some(other) = self.load(&beside.to_string_lossy(), &at, problems) {
                extend(&mut root, other);
            }
        }
        root
    }
}

/// Lists are extended, other sections overwritten, as LiteLLM does.
fn extend(root: &mut Node, other: Node) {
    let (Value::Map(into), Value::Map(from)) = (&mut root.value, other.value) else { return };
    for (name, node) in from.into_iter().filter(|(name, _)| name != "include") {
        match (into.iter_mut().find(|(key, _)| *key == name), node.value) {
            (Some((_, Node { value: Value::List(old), .. })), Value::List(new)) => old.extend(new),
            (Some((_, old)), value) => *old = Node { value, ..node },
            (None, value) => into.push((name, Node { value, ..node })),
        }
    }
}

/// The map of sections: the root, or what stands under `proxy_config` in the values of the Helm chart.
fn sections(root: Node, problems: &mut Problems) -> Node {
    match root.value {
        Value::Map(entries) => {
            let helm = entries.iter().position(|(name, node)| name == "proxy_config" && !node.is_null());
            match helm {
                Some(at) => unwrapped(entries, at, problems),
                None => Node { value: Value::Map(entries), ..root },
            }
        }
        Value::Null => Node { value: Value::Map(Vec::new()), ..root },
        _ => {
            problems.error(&root.place(""), format!("expected a map of sections, found {}", root.what()), "");
            Node { value: Value::Map(Vec::new()), ..root }
        }
    }
}

/// Other values of the chart (image, ingress …) are not ours; sections beside `proxy_config` are a mistake.
fn unwrapped(mut entries: Vec<(String, Node)>, at: usize, problems: &mut Problems) -> Node {
    let (_, inner) = entries.swap_remove(at);
    for (name, node) in entries.iter().filter(|(name, _)| TOP.knows(name)) {
        problems.warn(
            &node.place(name),
            "stands outside proxy_config, ignored",
            "move it under proxy_config",
        );
    }
    if matches!(inner.value, Value::Map(_)) {
        return inner;
    }
    problems.error(&inner.place("proxy_config"), format!("expected a map, found {}", inner.what()), "");
    Node { value: Value::Map(Vec::new()), ..inner }
}
