//! YAML text to `Node`. The parser underneath recurses and clones what an alias names, so size, nesting and
//! anchors are bounded before it sees the text.

use super::{Node, Value, json_number};
use saphyr::{LoadableYamlNode, MarkedYaml, Scalar, ScanError, YamlData};
use std::collections::HashSet;

/// Larger files are refused.
pub const MAX_BYTES: usize = 16 << 20;
/// Deeper values are refused; a real configuration stays below 15.
pub const MAX_DEPTH: usize = 64;
/// Where the first word of a line may begin. It bounds how deep block collections can nest, and with it how far
/// the parser recurses: flow collections it bounds itself, at 255.
const MAX_COLUMN: usize = 256;
/// Every anchored value is kept twice, so nested anchors cost anchors × bytes.
const MAX_ANCHORED: usize = 256 << 20;
/// Columns of a long line that is not ASCII are found by walking it; numbers there are taken as parsed.
const MAX_WALKED: usize = 4096;

/// Why a text is no configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    pub line: u32,
    pub message: String,
    pub cure: &'static str,
}

/// Reads one YAML document; JSON is YAML. An empty one is `Null`. `<<` merges, as YAML 1.1 has it and LiteLLM's
/// users write it.
pub fn parse(text: &str, file: u16) -> Result<Node, Fault> {
    check(text)?;
    let mut documents = MarkedYaml::load_from_str(text).map_err(|e| syntax(&e))?;
    if let Some(second) = documents.get(1) {
        return Err(fault(line(second), "a second document begins here", "keep one document per file"));
    }
    let Some(root) = documents.pop() else { return Ok(Node { file, ..Node::default() }) };
    Reader { file, lines: lines(text) }.node(&root, 0)
}

fn fault(line: u32, message: impl Into<String>, cure: &'static str) -> Fault {
    Fault { line, message: message.into(), cure }
}

fn syntax(error: &ScanError) -> Fault {
    let at = u32::try_from(error.marker().line()).unwrap_or(u32::MAX);
    match error.info() {
        "duplicated key in mapping" => fault(at, "this key is written twice", "remove one of them"),
        info => fault(at, format!("not valid YAML: {info}"), ""),
    }
}

fn line(node: &MarkedYaml<'_>) -> u32 {
    u32::try_from(node.span.start.line()).unwrap_or(u32::MAX)
}

// --- before parsing ---

fn check(text: &str) -> Result<(), Fault> {
    if text.len() > MAX_BYTES {
        return Err(fault(0, format!("larger than {} MiB", MAX_BYTES >> 20), "split it with include"));
    }
    for (at, line) in lines(text).into_iter().enumerate() {
        let number = u32::try_from(at + 1).unwrap_or(u32::MAX);
        if line.text.chars().any(|c| c.is_control() && c != '\t' && c != '\u{85}') {
            return Err(fault(number, "control character", "save the file as plain UTF-8 text"));
        }
        if first_word(line.text) > MAX_COLUMN {
            return Err(fault(number, format!("begins after column {MAX_COLUMN}"), "nest less deeply"));
        }
    }
    if anchors(text).saturating_mul(text.len()) > MAX_ANCHORED {
        return Err(fault(0, "too many anchors for a file of this size", "use include, or fewer anchors"));
    }
    Ok(())
}

/// Column after blanks and block indicators (`- - ? x` has three). A block collection begins at most there:
/// anything else on the line forbids another one.
fn first_word(line: &str) -> usize {
    let mut rest = line.as_bytes();
    loop {
        rest = match rest {
            [b' ' | b'\t', ..] | [b'-' | b'?' | b':'] => &rest[1..],
            [b'-' | b'?' | b':', b' ' | b'\t', ..] => &rest[2..],
            [b'-', b'-', b'-', b' ' | b'\t', ..] => &rest[4..],
            [0xEF, 0xBB, 0xBF, ..] => &rest[3..],
            _ => return line.len() - rest.len(),
        };
    }
}

fn anchors(text: &str) -> usize {
    let starts = |pair: &[u8]| {
        pair[1] == b'&'
            && (pair[0].is_ascii_whitespace() || matches!(pair[0], b'[' | b'{' | b',' | b':' | b'-'))
    };
    text.as_bytes().windows(2).filter(|pair| starts(pair)).count() + usize::from(text.starts_with('&'))
}

struct Line<'a> {
    text: &'a str,
    ascii: bool,
}

/// Lines as YAML counts them: CR, LF or both end one.
fn lines(text: &str) -> Vec<Line<'_>> {
    let mut lines = Vec::new();
    let mut rest = text;
    while let Some(end) = rest.find(['\n', '\r']) {
        lines.push(Line { text: &rest[..end], ascii: rest[..end].is_ascii() });
        let width = if rest[end..].starts_with("\r\n") { 2 } else { 1 };
        rest = &rest[end + width..];
    }
    lines.push(Line { text: rest, ascii: rest.is_ascii() });
    lines
}

// --- Reader ---

struct Reader<'a> {
    file: u16,
    lines: Vec<Line<'a>>,
}

impl Reader<'_> {
    fn node(&self, yaml: &MarkedYaml<'_>, depth: usize) -> Result<Node, Fault> {
        let line = line(yaml);
        if depth > MAX_DEPTH {
            return Err(fault(line, format!("nested deeper than {MAX_DEPTH} levels"), "nest less deeply"));
        }
        let value = match &yaml.data {
            YamlData::Value(scalar) => self.scalar(scalar, yaml),
            YamlData::Sequence(items) => {
                Value::List(items.iter().map(|item| self.node(item, depth + 1)).collect::<Result<_, _>>()?)
            }
            YamlData::Mapping(entries) => self.map(entries.iter(), entries.len(), depth)?,
            YamlData::Tagged(tag, _) => {
                return Err(fault(line, format!("unknown tag {tag}"), "remove the tag"));
            }
            YamlData::BadValue if depth == 0 => Value::Null,
            _ => return Err(fault(line, "this is not what its tag says", "remove the tag")),
        };
        Ok(Node { value, line, file: self.file, from_env: false })
    }

    fn map<'a, 'i: 'a>(
        &self,
        entries: impl Iterator<Item = (&'a MarkedYaml<'i>, &'a MarkedYaml<'i>)>,
        size: usize,
        depth: usize,
    ) -> Result<Value, Fault> {
        let mut map: Vec<(String, Node)> = Vec::with_capacity(size);
        let mut seen = HashSet::with_capacity(size);
        let mut merged = Vec::new();
        for (key, value) in entries {
            let name = self.key(key)?;
            let mut node = self.node(value, depth + 1)?;
            if name == "<<" {
                merged.push(node);
                continue;
            }
            node.line = line(key);
            if !seen.insert(name.clone()) {
                return Err(fault(node.line, "this key is written twice", "remove one of them"));
            }
            map.push((name, node));
        }
        for node in merged {
            merge(&mut map, &mut seen, node)?;
        }
        Ok(Value::Map(map))
    }

    fn key(&self, key: &MarkedYaml<'_>) -> Result<String, Fault> {
        match &key.data {
            YamlData::Value(scalar) => match self.scalar(scalar, key) {
                Value::Text(text) | Value::Number(text) => Ok(text),
                Value::Bool(b) => Ok(b.to_string()),
                _ => Ok("null".into()),
            },
            _ => Err(fault(line(key), "a key must be text", "quote it")),
        }
    }

    fn scalar(&self, scalar: &Scalar<'_>, yaml: &MarkedYaml<'_>) -> Value {
        match scalar {
            Scalar::Null => Value::Null,
            Scalar::Boolean(b) => Value::Bool(*b),
            Scalar::Integer(number) => Value::Number(number.to_string()),
            Scalar::String(text) => Value::Text(text.to_string()),
            Scalar::FloatingPoint(number) => {
                let number = number.into_inner();
                let written = self.written(yaml).filter(|text| text.parse() == Ok(number));
                // The shortest text that reads back as the same float: what was written, up to 15 digits.
                written.or_else(|| json_number(&number.to_string())).map_or_else(
                    || Value::Text(number.to_string()), // infinity and NaN are no numbers here
                    Value::Number,
                )
            }
        }
    }

    /// The number as it stands in the source. Nothing where the span is that of an alias.
    fn written(&self, yaml: &MarkedYaml<'_>) -> Option<String> {
        let (start, end) = (yaml.span.start, yaml.span.end);
        let line = self.lines.get(start.line().checked_sub(1)?)?;
        if start.line() != end.line() || start.col() >= end.col() {
            return None;
        }
        let text = if line.ascii {
            line.text.get(start.col()..end.col())?.to_owned()
        } else if end.col() <= MAX_WALKED {
            line.text.chars().skip(start.col()).take(end.col() - start.col()).collect()
        } else {
            return None;
        };
        json_number(text.trim())
    }
}

/// Adds what `node` has and `map` has not: one map, or several of which the first wins.
fn merge(map: &mut Vec<(String, Node)>, seen: &mut HashSet<String>, node: Node) -> Result<(), Fault> {
    match node.value {
        Value::Map(entries) => {
            map.extend(entries.into_iter().filter(|(name, _)| seen.insert(name.clone())));
            Ok(())
        }
        Value::List(items) if items.iter().all(|item| matches!(item.value, Value::Map(_))) => {
            items.into_iter().try_for_each(|item| merge(map, seen, item))
        }
        _ => Err(fault(node.line, "<< merges maps, and this is none", "name an anchor of a map")),
    }
}
