//! A client's own key and address, as far as the operator leaves them to clients: `configurable_clientside_auth_params` of
//! every deployment of the model.

use crate::models::Group;
use crate::providers::Fault;
use regex_automata::meta::Regex;
use weir_core::body::{Edits, JsonBody};
use weir_core::config::{Aws, ClientParam, Entra, ModelEntry, Vertex};
use weir_core::error::{ApiError, Kind};
use weir_core::{ExposeSecret, SecretString};

const KEY: &str = "api_key";
/// Two names for one thing.
static BASES: [&str; 2] = ["api_base", "base_url"];

/// What a deployment leaves to clients: fields, with what they may say.
#[derive(Debug, Default)]
pub struct Left(Vec<(String, Option<Regex>)>);

/// What one request brings along. It is used for that request alone.
#[derive(Debug)]
pub struct Own {
    key: SecretString,
    /// The field, and the address in it.
    base: Option<(&'static str, String)>,
}

// --- Left ---

impl Left {
    /// `all`: whatever a deployment says, clients may bring anything (`allow_client_side_credentials`).
    ///
    /// # Errors
    /// A pattern that is none.
    pub fn build(params: &[ClientParam], all: bool) -> Result<Self, Fault> {
        let mut fields: Vec<_> = params.iter().map(left).collect::<Result<_, _>>()?;
        if all {
            fields.extend([KEY].into_iter().chain(BASES).map(|name| (name.to_owned(), None)));
        }
        Ok(Self(fields))
    }

    /// Whether a field may say this; `Some(true)`: because a pattern lists it.
    fn fits(&self, field: &str, said: &str) -> Option<bool> {
        let mut of_field = self.0.iter().filter(|(name, _)| name == field);
        of_field.find_map(|(_, pattern)| match pattern {
            Some(pattern) => pattern.is_match(said).then_some(true),
            None => Some(false),
        })
    }
}

/// A pattern has to match the whole of what is said.
fn left(param: &ClientParam) -> Result<(String, Option<Regex>), Fault> {
    let Some(text) = &param.pattern else { return Ok((param.name.clone(), None)) };
    let pattern = Regex::new(&format!("^(?:{text})$")).map_err(|e| {
        let message = format!("the pattern of {} cannot be read: {e}", param.name);
        Fault::new("configurable_clientside_auth_params", message, "write a regular expression")
    })?;
    Ok((param.name.clone(), Some(pattern)))
}

// --- Own ---

impl Own {
    /// What a request brings; `None`: no key, or something that is not left to clients.
    pub fn of(body: &JsonBody, group: &Group) -> Option<Self> {
        let key = body.string(KEY).filter(|key| !key.is_empty())?;
        let base = BASES.into_iter().find_map(|name| Some((name, body.string(name)?.into_owned())));
        let own = Self { key: SecretString::from(key.into_owned()), base };
        own.is_left_by(group).then_some(own)
    }

    /// The fields that say it.
    pub fn fields(&self) -> Vec<&'static str> {
        [KEY].into_iter().chain(self.base.as_ref().map(|(name, _)| *name)).collect()
    }

    /// Whether every deployment of a group leaves it to clients.
    pub fn is_left_by(&self, group: &Group) -> bool {
        let key = |left: &Left| left.fits(KEY, self.key.expose_secret()).is_some();
        let base =
            |left: &Left| self.base.as_ref().is_none_or(|(name, base)| left.fits(name, base).is_some());
        group.deployments.iter().all(|d| key(&d.left) && base(&d.left))
    }

    /// Whether it names an address.
    pub fn has_base(&self) -> bool {
        self.base.is_some()
    }

    /// Whether it names an address that no pattern of the operator's lists: such must not lead inside.
    pub fn is_unlisted(&self, left: &Left) -> bool {
        self.base.as_ref().is_some_and(|(name, base)| left.fits(name, base) != Some(true))
    }

    /// The body without it: neither a provider nor a log shall see it.
    ///
    /// # Errors
    /// 400, if what is left could not be read.
    pub fn taken_out(&self, body: &JsonBody) -> Result<JsonBody, ApiError> {
        let mut edits = Edits::default();
        self.fields().into_iter().for_each(|name| edits.remove(name));
        edits.rewrite(body).map_err(|e| ApiError::new(Kind::BadJson, e.to_string()))
    }

    /// Takes the place of the operator's credentials. With an address nothing of the operator's goes there.
    pub fn put_into(&self, entry: &mut ModelEntry) {
        let params = &mut entry.params;
        params.api_key = Some(self.key.clone());
        params.azure_ad_token = None;
        params.organization = None;
        params.project = None;
        if let Some((_, base)) = &self.base {
            params.api_base = Some(base.clone());
            params.extra_headers.clear();
            params.client_secret = None;
            params.entra = Entra::default();
            params.vertex = Vertex::default();
            params.aws = Aws::default();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn left(params: &[(&str, Option<&str>)]) -> Left {
        let param = |(name, pattern): &(&str, Option<&str>)| ClientParam {
            name: (*name).to_owned(),
            pattern: pattern.map(str::to_owned),
        };
        Left::build(&params.iter().map(param).collect::<Vec<_>>(), false).unwrap()
    }

    #[test]
    fn p36_a_pattern_has_to_match_all_of_an_address() {
        let left = left(&[("api_key", None), ("api_base", Some(r"https://[a-z]+\.openai\.azure\.com"))]);
        assert_eq!(left.fits("api_key", "sk-x"), Some(false));
        assert_eq!(left.fits("api_base", "https://mine.openai.azure.com"), Some(true));
        for elsewhere in [
            "https://mine.openai.azure.com.evil.test",
            "https://evil.test/?https://mine.openai.azure.com",
            "http://mine.openai.azure.com",
            "https://mine.openai.azure.com\nx",
        ] {
            assert_eq!(left.fits("api_base", elsewhere), None, "{elsewhere}");
        }
        assert_eq!(
            left.fits("base_url", "https://mine.openai.azure.com"),
            None,
            "the other name was not left"
        );
    }

    #[test]
    fn a_bad_pattern_is_told() {
        let bad = ClientParam { name: "api_base".to_owned(), pattern: Some("(".to_owned()) };
        assert!(Left::build(&[bad], false).is_err());
    }

    #[test]
    fn p36_what_is_left_for_all_models_is_a_key_and_an_address_and_a_pattern_still_lists() {
        let listed =
            ClientParam { name: "api_base".to_owned(), pattern: Some("https://in\\.test".to_owned()) };
        let left = Left::build(&[listed], true).unwrap();
        assert_eq!(left.fits("api_key", "sk-x"), Some(false));
        assert_eq!(left.fits("api_base", "https://in.test"), Some(true), "it may lead inside");
        assert_eq!(left.fits("api_base", "https://out.test"), Some(false));
        assert_eq!(left.fits("aws_access_key_id", "x"), None);
    }

    #[test]
    fn p35_what_was_brought_is_gone_from_the_body() {
        let body = r#"{"model":"m","api_key":"sk-x","messages":[],"base_url":"https://x.test"}"#;
        let body = JsonBody::parse(bytes::Bytes::from_static(body.as_bytes())).unwrap();
        let base = Some(("base_url", String::from("https://x.test")));
        let own = Own { key: SecretString::from("sk-x"), base };
        let rest = own.taken_out(&body).unwrap();
        assert_eq!(rest.bytes(), br#"{"model":"m","messages":[]}"#.as_slice());
        assert!(!format!("{own:?}").contains("sk-x"));
    }
}
