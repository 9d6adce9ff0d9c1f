//! What a kind of guardrail must do.

use super::masked::Masked;
use super::runs::Runs;
use async_trait::async_trait;
use serde_json::{Map, Value};
use std::fmt;
use std::sync::Arc;
use weir_core::body::JsonBody;

/// A kind of guardrail with its settings.
#[async_trait]
pub trait Check: Send + Sync {
    /// Looks at texts. Bounded in time.
    ///
    /// # Errors
    /// Nobody can say; what that leads to is decided elsewhere.
    async fn check(&self, asked: &Asked) -> Result<Verdict, Fault>;

    /// For a check that can be made while a text grows. Others see a text when it is whole.
    fn follow(&self) -> Option<Box<dyn Follow>> {
        None
    }

    /// Whether this side is looked at, where a mode asks for it.
    fn looks_at(&self, _side: Side) -> bool {
        true
    }

    /// Whether what it masks in a request is put back into the answer.
    fn restores(&self) -> bool {
        false
    }

    /// For a check of which tools a model may call, in place of what is said.
    fn tools(&self) -> Option<&dyn Tools> {
        None
    }
}

/// What judges calls of tools.
pub trait Tools: Send + Sync {
    /// A request's body without the tools that a model may not be offered; `None`: as it is.
    ///
    /// # Errors
    /// Such a tool is not let pass.
    fn offered(&self, body: &JsonBody) -> Result<Option<JsonBody>, Blocked>;

    /// A call that a model makes, when it is whole.
    fn called(&self, name: &str, arguments: &str) -> Judged;
}

/// What becomes of a call.
#[derive(Clone, Debug, PartialEq)]
pub enum Judged {
    Allowed,
    /// It is not made, and this is said in its place.
    Replaced(String),
    Blocked(Blocked),
}

/// A check of one text that comes in pieces. What comes out is the same however the text was cut.
pub trait Follow: Send + Sync {
    /// What of the text so far may go on now.
    ///
    /// # Errors
    /// The text is not let pass.
    fn take(&mut self, text: &str) -> Result<String, Blocked>;

    /// The text is over: what was kept back.
    ///
    /// # Errors
    /// The text is not let pass.
    fn rest(&mut self) -> Result<String, Blocked>;
}

/// Whose words they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Request,
    Answer,
}

/// What is to be looked at.
#[derive(Clone, Debug)]
pub struct Asked {
    pub side: Side,
    pub texts: Vec<String>,
    /// Addresses of pictures, `data:` ones included.
    pub images: Vec<String>,
    pub about: Arc<About>,
    /// What the request says to this guardrail alone (`extra_body`).
    pub extra: Map<String, Value>,
}

/// Who asks, for services that want to know.
#[derive(Debug, Default)]
pub struct About {
    pub call_id: String,
    pub trace_id: Option<String>,
    pub key_hash: Option<String>,
    pub key_alias: Option<String>,
    pub user_id: Option<String>,
    pub user_email: Option<String>,
    pub team_id: Option<String>,
    pub team_alias: Option<String>,
    pub end_user: Option<String>,
    pub organization: Option<String>,
    /// `guardrail_config.language` of the request.
    pub language: Option<String>,
    /// What a trial looks for, in the place of what is configured.
    pub entities: Vec<String>,
    /// Checks that were made of this request and its answer.
    pub runs: Runs,
    /// What was masked so far, to be put back into the answer.
    pub masked: Masked,
}

/// What a check says.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    Pass,
    /// These in place of the texts, in their order.
    Edit(Vec<String>),
    Block(Blocked),
}

/// Why something is not let pass.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Blocked {
    /// For the caller.
    pub message: String,
    /// What was violated, where it has a name.
    pub rule: String,
    /// For the caller's program. Holds nothing of the text.
    pub facts: Map<String, Value>,
}

/// A check could not be made. For the log: may name addresses, never credentials or texts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault(pub String);

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Asked {
    /// Nothing is said that could be looked at.
    pub fn is_empty(&self) -> bool {
        self.images.is_empty() && self.texts.iter().all(|text| text.trim().is_empty())
    }
}

impl Blocked {
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), ..Self::default() }
    }

    pub fn by(mut self, rule: impl Into<String>) -> Self {
        self.rule = rule.into();
        self
    }

    pub fn with(mut self, name: &str, fact: impl Into<Value>) -> Self {
        self.facts.insert(name.to_owned(), fact.into());
        self
    }
}
