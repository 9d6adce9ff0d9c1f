//! Members of a JSON object, taken out one by one; what is left over is `extra`. Errors are worded as OpenAI words them
//! and name the path (`messages[2].content`).

use serde_json::{Number, Value};
use weir_core::chat::Object;
use weir_core::error::{ApiError, Kind};

/// An object and where it stands. A member that is null counts as absent, as with OpenAI.
pub(super) struct Fields {
    object: Object,
    path: String,
}

// --- Fields ---

impl Fields {
    /// The body itself.
    pub(super) fn top(object: Object) -> Self {
        Self { object, path: String::new() }
    }

    pub(super) fn of(value: Value, path: impl Into<String>) -> Result<Self, ApiError> {
        let path = path.into();
        match value {
            Value::Object(object) => Ok(Self { object, path }),
            other => Err(wrong_type(&path, "an object", &other)),
        }
    }

    /// The path of a member.
    pub(super) fn path(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) }
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.object.get(name).is_some_and(|v| !v.is_null())
    }

    pub(super) fn peek(&self, name: &str) -> Option<&Value> {
        self.object.get(name)
    }

    pub(super) fn take(&mut self, name: &str) -> Option<Value> {
        self.object.shift_remove(name).filter(|v| !v.is_null())
    }

    pub(super) fn string(&mut self, name: &str) -> Result<Option<String>, ApiError> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(other) => Err(wrong_type(&self.path(name), "a string", &other)),
        }
    }

    pub(super) fn required(&mut self, name: &str) -> Result<String, ApiError> {
        self.string(name)?.ok_or_else(|| missing(&self.path(name)))
    }

    /// A string, or nothing where it is of another type: for members that only decorate.
    pub(super) fn text(&mut self, name: &str) -> Option<String> {
        if !self.object.get(name)?.is_string() {
            return None;
        }
        match self.take(name) {
            Some(Value::String(text)) => Some(text),
            _ => None,
        }
    }

    pub(super) fn boolean(&mut self, name: &str) -> Result<Option<bool>, ApiError> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::Bool(is)) => Ok(Some(is)),
            Some(other) => Err(wrong_type(&self.path(name), "a boolean", &other)),
        }
    }

    pub(super) fn number(&mut self, name: &str) -> Result<Option<Number>, ApiError> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::Number(number)) => Ok(Some(number)),
            Some(other) => Err(wrong_type(&self.path(name), "a decimal", &other)),
        }
    }

    pub(super) fn integer(&mut self, name: &str) -> Result<Option<i64>, ApiError> {
        let Some(value) = self.take(name) else { return Ok(None) };
        match value.as_i64().or_else(|| whole(&value)) {
            Some(number) => Ok(Some(number)),
            None => Err(wrong_type(&self.path(name), "an integer", &value)),
        }
    }

    pub(super) fn unsigned(&mut self, name: &str) -> Result<Option<u64>, ApiError> {
        let Some(number) = self.integer(name)? else { return Ok(None) };
        u64::try_from(number).map(Some).map_err(|_| {
            let path = self.path(name);
            let message = format!("Invalid '{path}': integer below minimum value. Expected a value >= 0");
            bad(&path, format!("{message}, but got {number} instead."))
        })
    }

    pub(super) fn list(&mut self, name: &str) -> Result<Option<Vec<Value>>, ApiError> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::Array(list)) => Ok(Some(list)),
            Some(other) => Err(wrong_type(&self.path(name), "an array", &other)),
        }
    }

    pub(super) fn object(&mut self, name: &str) -> Result<Option<Fields>, ApiError> {
        let path = self.path(name);
        self.take(name).map(|value| Fields::of(value, path)).transpose()
    }

    pub(super) fn required_object(&mut self, name: &str) -> Result<Fields, ApiError> {
        self.object(name)?.ok_or_else(|| missing(&self.path(name)))
    }

    /// What nobody took.
    pub(super) fn rest(mut self) -> Object {
        self.object.retain(|_, value| !value.is_null());
        self.object
    }
}

/// Some clients write whole numbers as `100.0`.
fn whole(value: &Value) -> Option<i64> {
    let number = value.as_f64().filter(|f| f.fract() == 0.0 && f.abs() < 9e15)?;
    Some(number as i64)
}

// --- errors ---

pub(super) fn bad(path: &str, message: impl Into<String>) -> ApiError {
    ApiError::new(Kind::BadRequest, message).with_param(path)
}

pub(super) fn missing(path: &str) -> ApiError {
    bad(path, format!("Missing required parameter: '{path}'."))
}

pub(super) fn wrong_type(path: &str, expected: &str, got: &Value) -> ApiError {
    let got = kind(got);
    bad(path, format!("Invalid type for '{path}': expected {expected}, but got {got} instead."))
}

pub(super) fn wrong_value(path: &str, got: &str, supported: &[&str]) -> ApiError {
    let list: Vec<String> = supported.iter().map(|word| format!("'{word}'")).collect();
    let got: String = got.chars().take(100).collect();
    bad(path, format!("Invalid value: '{got}'. Supported values are: {}.", list.join(", ")))
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(n) if n.is_f64() => "a decimal number",
        Value::Number(_) => "an integer",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}
