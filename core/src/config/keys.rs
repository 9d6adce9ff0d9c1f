//! Every setting by name: LiteLLM's reference and Weir's own. A row says what the value is and whether it is used
//! yet; loading and its messages follow from the rows alone.

mod cache;
mod callbacks;
mod env;
mod general;
mod guardrails;
mod info;
mod jwt;
mod litellm;
mod openai;
mod params;
mod prices;
mod router;
mod top;
mod weir;

pub use env::{EnvKey, env_key, env_keys};
pub use openai::is_openai_param;
pub use prices::is_price;

use super::tree::{Node, Value};
use crate::domain::money::FemtoUsd;

/// What a value must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Any,
    Bool,
    /// A whole number that is not negative.
    Int,
    /// A number that is not negative.
    Number,
    /// US dollars per unit.
    Price,
    /// Seconds, or text with a unit (`500ms`, `5m`).
    Seconds,
    /// Bytes, or text with a unit (`32MB`).
    Bytes,
    Text,
    /// Text that is never shown.
    Secret,
    /// A list of texts, or one text.
    Texts,
    List,
    Map,
    /// A map whose values are never shown.
    SecretMap,
    /// true, false, or a path.
    BoolOrText,
    Choice(&'static [&'static str]),
}

/// Whether Weir does something with a setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Used,
    /// Known by name; nothing depends on it.
    Moot,
}

#[derive(Clone, Copy, Debug)]
pub struct Key {
    pub name: &'static str,
    pub kind: Kind,
    pub state: State,
    /// What it does, for Weir's own settings; the others are LiteLLM's and mean what they mean there. Of a moot one:
    /// why, and what to do instead.
    pub doc: &'static str,
}

/// Names that no table can list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Open {
    /// A parameter of OpenAI's API: a default, merged under the request.
    OpenAi,
    /// `input_cost_per_token_above_200k_tokens` and its like.
    Price,
    /// `supports_vision` and its like: shown, not acted on.
    Fact,
}

/// The settings of one section.
#[derive(Debug)]
pub struct Table {
    /// As the section is written.
    pub name: &'static str,
    pub keys: &'static [Key],
    /// Names that are known by their shape.
    pub open: fn(&str) -> Option<Open>,
    /// Examples of such names; a misspelling is compared with these too.
    pub open_names: &'static [&'static str],
    /// Whether any other name may stand here and is kept without a warning.
    pub free: bool,
}

pub static TOP: Table = closed("", top::KEYS);
pub static MODEL: Table = closed("model_list[]", top::MODEL);
pub static CREDENTIAL: Table = closed("credential_list[]", top::CREDENTIAL);
pub static ALIAS: Table = closed("router_settings.model_group_alias", top::ALIAS);
pub static LITELLM: Table = closed("litellm_settings", litellm::KEYS);
pub static CACHE: Table = closed("litellm_settings.cache_params", cache::KEYS);
pub static CALLBACK: Table = Table { free: true, ..closed("callback_settings", callbacks::KEYS) };
pub static ROUTER: Table = closed("router_settings", router::KEYS);
pub static GENERAL: Table = closed("general_settings", general::KEYS);
pub static JWT: Table = closed("general_settings.litellm_jwtauth", jwt::KEYS);
pub static PASS_THROUGH: Table = closed("general_settings.pass_through_endpoints[]", general::PASS_THROUGH);
pub static GUARDRAIL: Table = closed("guardrails[]", guardrails::ENTRY);
pub static GUARDRAIL_PARAMS: Table = closed("guardrails[].litellm_params", guardrails::PARAMS);
pub static PARAMS: Table = Table {
    open: params::open,
    open_names: &[openai::PARAMS, prices::PRICES],
    ..closed("litellm_params", params::KEYS)
};
pub static INFO: Table = Table {
    open: info::open,
    open_names: &[info::FACTS, prices::PRICES],
    free: true,
    ..closed("model_info", info::KEYS)
};
pub static WEIR: Table = closed("weir_settings", weir::KEYS);

/// All tables, for the tests and for documentation.
pub static TABLES: &[&Table] = &[
    &TOP,
    &MODEL,
    &CREDENTIAL,
    &ALIAS,
    &LITELLM,
    &CACHE,
    &CALLBACK,
    &ROUTER,
    &GENERAL,
    &JWT,
    &PASS_THROUGH,
    &GUARDRAIL,
    &GUARDRAIL_PARAMS,
    &PARAMS,
    &INFO,
    &WEIR,
];

const fn used(name: &'static str, kind: Kind) -> Key {
    Key { name, kind, state: State::Used, doc: "" }
}

/// Known by name, and nothing depends on it: `why` says so to whoever sets it, and what serves instead.
const fn moot(name: &'static str, kind: Kind, why: &'static str) -> Key {
    Key { name, kind, state: State::Moot, doc: why }
}

const fn own(name: &'static str, kind: Kind, doc: &'static str) -> Key {
    Key { name, kind, state: State::Used, doc }
}

const fn closed(name: &'static str, keys: &'static [Key]) -> Table {
    Table { name, keys, open: nothing, open_names: &[], free: false }
}

fn nothing(_: &str) -> Option<Open> {
    None
}

/// What is said to whoever sets a moot one, with why, and what serves instead.
pub const NO_EFFECT: &str = "known, not used yet";

// --- Table ---

impl Table {
    pub fn find(&self, name: &str) -> Option<&'static Key> {
        self.keys.iter().find(|key| key.name == name)
    }

    pub fn knows(&self, name: &str) -> bool {
        self.find(name).is_some() || (self.open)(name).is_some()
    }

    /// Every name that a misspelling may have meant.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        let open = self.open_names.iter().flat_map(|names| names.split_ascii_whitespace());
        self.keys.iter().map(|key| key.name).chain(open)
    }
}

/// The section that a name belongs to, when it was written in another one.
pub fn section_of(name: &str) -> Option<&'static Table> {
    let sections = [&GENERAL, &ROUTER, &LITELLM, &WEIR, &PARAMS, &INFO, &TOP];
    sections.into_iter().find(|table| table.find(name).is_some())
}

// --- Kind ---

impl Kind {
    /// Whether values are never shown.
    pub fn is_secret(self) -> bool {
        matches!(self, Kind::Secret | Kind::SecretMap)
    }

    pub fn accepts(self, node: &Node) -> bool {
        match self {
            Kind::Any => true,
            Kind::Bool => node.as_bool().is_some(),
            Kind::Int => node.as_u64().is_some(),
            Kind::Number => node.as_f64().is_some(),
            Kind::Price => node.as_decimal().is_some_and(|text| is_amount(&text)),
            Kind::Seconds => node.as_duration().is_some(),
            Kind::Bytes => node.as_bytes().is_some(),
            Kind::Text | Kind::Secret => node.as_text().is_some(),
            Kind::Texts => node.as_texts().is_some(),
            Kind::List => matches!(node.value, Value::List(_)),
            Kind::Map | Kind::SecretMap => matches!(node.value, Value::Map(_)),
            Kind::BoolOrText => node.as_bool().is_some() || node.as_text().is_some(),
            Kind::Choice(choices) => node.as_text().is_some_and(|text| choices.contains(&text)),
        }
    }

    /// Ends the sentence "expected …".
    pub fn expected(self) -> String {
        match self {
            Kind::Any => "any value".into(),
            Kind::Bool => "true or false".into(),
            Kind::Int => "a whole number, 0 or more".into(),
            Kind::Number => "a number, 0 or more".into(),
            Kind::Price => "US dollars per unit, a decimal number".into(),
            Kind::Seconds => "seconds, such as 30 or 500ms".into(),
            Kind::Bytes => "bytes, such as 1048576 or 32MB".into(),
            Kind::Text | Kind::Secret => "text".into(),
            Kind::Texts => "a list of texts".into(),
            Kind::List => "a list".into(),
            Kind::Map | Kind::SecretMap => "a map".into(),
            Kind::BoolOrText => "true, false or a path".into(),
            Kind::Choice(choices) => format!("one of {}", choices.join(", ")),
        }
    }
}

fn is_amount(text: &str) -> bool {
    FemtoUsd::parse(text).is_ok_and(|price| price.0 >= 0)
}
