//! Members of a JSON object, taken out one by one; what is left over is `extra`. Errors are worded as OpenAI words them
//! and name the path (`messages[2].content`).

use serde_json::Number;
use smallvec::SmallVec;
use std::borrow::Cow;
use std::fmt;
use weir_core::body::{Members, Node};
use weir_core::chat::Object;
use weir_core::error::{ApiError, Kind};

/// An object and where it stands. A member that is null counts as absent, as with OpenAI.
pub(super) struct Fields<'a> {
    members: Members<'a>,
    path: Path,
}

/// Where a value stands in the body. Nearly all of them are never told, so they are put into words when they are.
#[derive(Clone, Debug, Default)]
pub(super) struct Path(SmallVec<[Step; 6]>);

#[derive(Clone, Copy, Debug)]
enum Step {
    Name(&'static str),
    Item(usize),
}

// --- Fields ---

impl<'a> Fields<'a> {
    /// The body itself.
    pub(super) fn top(members: Members<'a>) -> Self {
        Self { members, path: Path::default() }
    }

    pub(super) fn of(node: Node<'a>, path: Path) -> Result<Self, ApiError> {
        match node {
            Node::Object(members) => Ok(Self { members, path }),
            other => Err(wrong_type(&path, "an object", &other)),
        }
    }

    /// The path of a member.
    pub(super) fn path(&self, name: &'static str) -> Path {
        self.path.name(name)
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.members.get(name).is_some_and(|node| !node.is_null())
    }

    pub(super) fn peek(&self, name: &str) -> Option<&Node<'a>> {
        self.members.get(name)
    }

    pub(super) fn take(&mut self, name: &str) -> Option<Node<'a>> {
        self.members.take(name).filter(|node| !node.is_null())
    }

    pub(super) fn string(&mut self, name: &'static str) -> Result<Option<String>, ApiError> {
        Ok(self.optional_word(name)?.map(Cow::into_owned))
    }

    pub(super) fn required(&mut self, name: &'static str) -> Result<String, ApiError> {
        self.word(name).map(Cow::into_owned)
    }

    /// A string that must be there and is only looked at.
    pub(super) fn word(&mut self, name: &'static str) -> Result<Cow<'a, str>, ApiError> {
        self.optional_word(name)?.ok_or_else(|| missing(&self.path(name)))
    }

    fn optional_word(&mut self, name: &'static str) -> Result<Option<Cow<'a, str>>, ApiError> {
        match self.take(name) {
            None => Ok(None),
            Some(Node::Text(text)) => Ok(Some(text)),
            Some(other) => Err(wrong_type(&self.path(name), "a string", &other)),
        }
    }

    /// A string, or nothing where it is of another type: for members that only decorate.
    pub(super) fn text(&mut self, name: &str) -> Option<String> {
        self.members.get(name)?.as_str()?;
        match self.take(name) {
            Some(Node::Text(text)) => Some(text.into_owned()),
            _ => None,
        }
    }

    pub(super) fn boolean(&mut self, name: &'static str) -> Result<Option<bool>, ApiError> {
        match self.take(name) {
            None => Ok(None),
            Some(Node::Bool(is)) => Ok(Some(is)),
            Some(other) => Err(wrong_type(&self.path(name), "a boolean", &other)),
        }
    }

    pub(super) fn number(&mut self, name: &'static str) -> Result<Option<Number>, ApiError> {
        match self.take(name) {
            None => Ok(None),
            Some(Node::Number(number)) => Ok(Some(number)),
            Some(other) => Err(wrong_type(&self.path(name), "a decimal", &other)),
        }
    }

    pub(super) fn integer(&mut self, name: &'static str) -> Result<Option<i64>, ApiError> {
        let Some(node) = self.take(name) else { return Ok(None) };
        match whole(&node) {
            Some(number) => Ok(Some(number)),
            None => Err(wrong_type(&self.path(name), "an integer", &node)),
        }
    }

    pub(super) fn unsigned(&mut self, name: &'static str) -> Result<Option<u64>, ApiError> {
        let Some(number) = self.integer(name)? else { return Ok(None) };
        u64::try_from(number).map(Some).map_err(|_| {
            let path = self.path(name);
            let message = format!("Invalid '{path}': integer below minimum value. Expected a value >= 0");
            bad(&path, format!("{message}, but got {number} instead."))
        })
    }

    pub(super) fn list(&mut self, name: &'static str) -> Result<Option<Vec<Node<'a>>>, ApiError> {
        match self.take(name) {
            None => Ok(None),
            Some(Node::List(list)) => Ok(Some(list)),
            Some(other) => Err(wrong_type(&self.path(name), "an array", &other)),
        }
    }

    pub(super) fn object(&mut self, name: &'static str) -> Result<Option<Fields<'a>>, ApiError> {
        let Some(node) = self.take(name) else { return Ok(None) };
        Fields::of(node, self.path(name)).map(Some)
    }

    pub(super) fn required_object(&mut self, name: &'static str) -> Result<Fields<'a>, ApiError> {
        self.object(name)?.ok_or_else(|| missing(&self.path(name)))
    }

    /// What nobody took.
    pub(super) fn rest(self) -> Object {
        let mut rest = self.members.into_object();
        rest.retain(|_, value| !value.is_null());
        rest
    }
}

/// Some clients write whole numbers as `100.0`.
fn whole(node: &Node<'_>) -> Option<i64> {
    let Node::Number(number) = node else { return None };
    let rounded = || number.as_f64().filter(|f| f.fract() == 0.0 && f.abs() < 9e15);
    number.as_i64().or_else(|| Some(rounded()? as i64))
}

// --- Path ---

impl Path {
    pub(super) fn of(name: &'static str) -> Self {
        Self::default().name(name)
    }

    pub(super) fn name(&self, name: &'static str) -> Self {
        self.with(Step::Name(name))
    }

    pub(super) fn item(&self, index: usize) -> Self {
        self.with(Step::Item(index))
    }

    fn with(&self, step: Step) -> Self {
        let mut path = self.clone();
        path.0.push(step);
        path
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, step) in self.0.iter().enumerate() {
            match step {
                Step::Name(name) if at == 0 => f.write_str(name)?,
                Step::Name(name) => write!(f, ".{name}")?,
                Step::Item(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}

// --- errors ---

pub(super) fn bad(path: &Path, message: impl Into<String>) -> ApiError {
    ApiError::new(Kind::BadRequest, message).with_param(path.to_string())
}

pub(super) fn missing(path: &Path) -> ApiError {
    bad(path, format!("Missing required parameter: '{path}'."))
}

pub(super) fn wrong_type(path: &Path, expected: &str, got: &Node<'_>) -> ApiError {
    let got = kind(got);
    bad(path, format!("Invalid type for '{path}': expected {expected}, but got {got} instead."))
}

pub(super) fn wrong_value(path: &Path, got: &str, supported: &[&str]) -> ApiError {
    let list: Vec<String> = supported.iter().map(|word| format!("'{word}'")).collect();
    let got: String = got.chars().take(100).collect();
    bad(path, format!("Invalid value: '{got}'. Supported values are: {}.", list.join(", ")))
}

fn kind(node: &Node<'_>) -> &'static str {
    match node {
        Node::Null => "null",
        Node::Bool(_) => "a boolean",
        Node::Number(n) if n.is_f64() => "a decimal number",
        Node::Number(_) => "an integer",
        Node::Text(_) => "a string",
        Node::List(_) => "an array",
        Node::Object(_) => "an object",
    }
}
