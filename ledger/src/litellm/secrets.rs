//! What LiteLLM keeps encrypted: the output of NaCl's SecretBox (a nonce, then XSalsa20-Poly1305) as url-safe base64,
//! under the SHA-256 of its salt key, or of the master key where there is no salt key.

use super::row::{Refused, refused};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE;
use crypto_secretbox::aead::Aead;
use crypto_secretbox::{Key, KeyInit, Nonce, XSalsa20Poly1305};
use serde_json::Value;
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use weir_core::domain::records::RecordKind;
use weir_core::{ExposeSecret, SecretString};

/// Keeps secrets in Weir's way. Whoever holds this installation's secret implements it.
pub trait Sealer: Send + Sync {
    /// The text as the record of this kind and id holds it: parameters of a model, values of a credential, a section of
    /// the configuration. `None`: it cannot be sealed.
    fn seal(&self, kind: RecordKind, id: &str, text: &str) -> Option<String>;

    /// The hash of a password that LiteLLM kept as it was. `None`: it is left out, and its user sets a new one.
    fn password(&self, text: &str) -> Option<String>;
}

/// Opens LiteLLM's secrets and seals them again.
pub(super) struct Secrets<'a> {
    openers: Vec<XSalsa20Poly1305>,
    sealer: &'a dyn Sealer,
}

const NONCE: usize = 24;
const TAG: usize = 16;

impl<'a> Secrets<'a> {
    /// `keys`: those that may have been used, the likeliest first.
    pub(super) fn new(keys: &[SecretString], sealer: &'a dyn Sealer) -> Self {
        let opener = |key: &SecretString| {
            let hash: [u8; 32] = Sha256::digest(key.expose_secret().as_bytes()).into();
            XSalsa20Poly1305::new(&Key::from(hash))
        };
        Self { openers: keys.iter().map(opener).collect(), sealer }
    }

    /// The clear text. What was never encrypted is that already.
    ///
    /// # Errors
    /// It was encrypted under another key.
    pub(super) fn open(&self, text: &str) -> Result<String, Refused> {
        let Some((nonce, sealed)) = boxed(text) else { return Ok(text.to_owned()) };
        let opened = self.openers.iter().find_map(|opener| opener.decrypt(&nonce, sealed.as_slice()).ok());
        let text = opened.and_then(|opened| String::from_utf8(opened).ok());
        text.ok_or_else(|| {
            refused("encrypted under another key: set LITELLM_SALT_KEY, or the master key it was made with")
        })
    }

    /// A JSON object with all its texts opened. Numbers and whatever else is in it stay as they are written.
    pub(super) fn open_object(&self, text: &str) -> Result<BTreeMap<String, Box<RawValue>>, Refused> {
        let mut members: BTreeMap<String, Box<RawValue>> = serde_json::from_str(text).unwrap_or_default();
        for value in members.values_mut() {
            let Ok(sealed) = serde_json::from_str::<String>(value.get()) else { continue };
            *value = raw(&Value::from(self.open(&sealed)?))?;
        }
        Ok(members)
    }

    pub(super) fn seal(&self, kind: RecordKind, id: &str, text: &str) -> Result<String, Refused> {
        self.sealer.seal(kind, id, text).ok_or_else(|| refused("it could not be sealed"))
    }

    pub(super) fn password(&self, text: &str) -> Option<String> {
        self.sealer.password(text)
    }
}

fn raw(value: &Value) -> Result<Box<RawValue>, Refused> {
    serde_json::value::to_raw_value(value).map_err(|error| refused(error.to_string()))
}

/// A nonce and what follows it, of a text that looks like LiteLLM's.
fn boxed(text: &str) -> Option<(Nonce, Vec<u8>)> {
    let bytes = URL_SAFE.decode(text).ok()?;
    let (nonce, sealed) = bytes.split_first_chunk::<NONCE>().filter(|(_, sealed)| sealed.len() >= TAG)?;
    Some((Nonce::from(*nonce), sealed.to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Nobody;

    impl Sealer for Nobody {
        fn seal(&self, _: RecordKind, _: &str, text: &str) -> Option<String> {
            Some(text.to_owned())
        }

        fn password(&self, _: &str) -> Option<String> {
            None
        }
    }

    /// `sk-provider-ü` under the salt key `sk-salt`, made with NaCl.
    const SEALED: &str = "OTD44McFfQKF0I5UtaxhiFZXzNXLAwfTeDG4NOjonpZM6lsLGU8Df3Lqt1HozokyYYNEwhVL";

    #[test]
    fn what_nacl_sealed_is_opened_with_any_of_the_keys() {
        let keys = [SecretString::from("sk-master"), SecretString::from("sk-salt")];
        assert_eq!(Secrets::new(&keys, &Nobody).open(SEALED), Ok("sk-provider-ü".into()));
        assert!(Secrets::new(&keys[..1], &Nobody).open(SEALED).is_err());
    }

    #[test]
    fn what_was_never_sealed_stays() {
        let secrets = Secrets::new(&[], &Nobody);
        for text in
            ["", "openai/gpt-4o", "sk-0123456789012345678901234567890123456789012345678", "os.environ/KEY"]
        {
            assert_eq!(secrets.open(text), Ok(text.to_owned()));
        }
        let object = secrets.open_object(r#"{"rpm":1,"cost":2.50e-06,"model":"openai/gpt-4o"}"#).unwrap();
        assert_eq!(object["cost"].get(), "2.50e-06");
    }
}
