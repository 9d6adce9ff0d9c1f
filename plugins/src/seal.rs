//! Texts that only replicas with the same secret can read or make: authenticated encryption (XChaCha20-Poly1305) under
//! keys that are derived from `WEIR_SALT_KEY`, `LITELLM_SALT_KEY` or the master key, whichever is set first.

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use sha2::{Digest, Sha256};
use weir_core::config::Env;
use weir_core::{ExposeSecret, SecretString};

/// Seals and opens. One per configuration.
pub struct Sealer {
    cipher: XChaCha20Poly1305,
    /// What was sealed with these is opened, and nothing is sealed with them: secrets that are being changed.
    others: Vec<XChaCha20Poly1305>,
    /// What nonces are derived from.
    nonces: [u8; 32],
}

/// Variables that hold the secret, in order.
static SECRETS: &[&str] = &["WEIR_SALT_KEY", "LITELLM_SALT_KEY"];

/// The variable with the secret that was sealed with before, or will be after.
const PREVIOUS: &str = "WEIR_SALT_KEY_PREVIOUS";

const NONCE: usize = 24;

impl Sealer {
    /// The secret of this installation. Without any, what is sealed can be opened by whoever knows this program; that
    /// is no less than such a gateway lets everybody do anyway.
    pub fn of(env: &Env, master: Option<&SecretString>) -> Self {
        let salt = SECRETS.iter().find_map(|name| env.filled(name));
        let sealer = Self::new(salt.or(master.map(ExposeSecret::expose_secret)).unwrap_or_default());
        match env.filled(PREVIOUS) {
            Some(previous) => sealer.or_opened_by(&SecretString::from(previous)),
            None => sealer,
        }
    }

    /// Opens what was sealed with this secret, too.
    #[must_use]
    pub fn or_opened_by(mut self, secret: &SecretString) -> Self {
        self.others.push(Self::new(secret.expose_secret()).cipher);
        self
    }

    /// The variable that holds the secret; `None`: it is the master key.
    pub fn variable(env: &Env) -> Option<&'static str> {
        SECRETS.iter().copied().find(|name| env.filled(name).is_some())
    }

    pub fn new(secret: &str) -> Self {
        let key = derived(b"weir seal 1: key", &[secret.as_bytes()]);
        Self {
            cipher: XChaCha20Poly1305::new(&key.into()),
            others: Vec::new(),
            nonces: derived(b"weir seal 1: nonces", &[secret.as_bytes()]),
        }
    }

    /// `purpose` must be given again to open it. The same text is sealed to the same bytes: the nonce is derived from
    /// what is sealed, so that none is ever used for two texts.
    pub fn seal(&self, purpose: &[u8], text: &[u8]) -> Option<Vec<u8>> {
        let nonce = self.nonce(purpose, text);
        let sealed = self.cipher.encrypt(&XNonce::from(nonce), Payload { msg: text, aad: purpose }).ok()?;
        Some([nonce.as_slice(), &sealed].concat())
    }

    /// `None`: sealed by somebody else, for another purpose, or not sealed at all.
    pub fn open(&self, purpose: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
        let (nonce, text) = sealed.split_first_chunk::<NONCE>()?;
        let open = |cipher: &XChaCha20Poly1305| {
            cipher.decrypt(&XNonce::from(*nonce), Payload { msg: text, aad: purpose }).ok()
        };
        open(&self.cipher).or_else(|| self.others.iter().find_map(open))
    }

    fn nonce(&self, purpose: &[u8], text: &[u8]) -> [u8; NONCE] {
        let length = (purpose.len() as u64).to_be_bytes();
        let whole = derived(&self.nonces, &[&length, purpose, text]);
        let mut nonce = [0; NONCE];
        nonce.copy_from_slice(&whole[..NONCE]);
        nonce
    }
}

fn derived(label: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    let hash = Sha256::new().chain_update(label);
    parts.iter().fold(hash, |hash, part| hash.chain_update(part)).finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_secret_and_purpose_open_it() {
        let sealer = Sealer::new("sk-a");
        let sealed = sealer.seal(b"id", b"text").unwrap();
        assert_eq!(Sealer::new("sk-a").open(b"id", &sealed).unwrap(), b"text");
        assert_eq!(Sealer::new("sk-b").open(b"id", &sealed), None);
        assert_eq!(sealer.open(b"row", &sealed), None);
        assert!(!sealed.windows(4).any(|w| w == b"text"));
    }

    #[test]
    fn what_was_tampered_with_is_not_opened() {
        let sealer = Sealer::new("sk-a");
        let sealed = sealer.seal(b"id", b"text").unwrap();
        for at in 0..sealed.len() {
            let mut bad = sealed.clone();
            bad[at] ^= 1;
            assert_eq!(sealer.open(b"id", &bad), None, "{at}");
            assert_eq!(sealer.open(b"id", &sealed[..at]), None, "{at}");
        }
    }

    #[test]
    fn a_secret_that_is_being_changed_opens_and_does_not_seal() {
        let sealed = Sealer::new("old").seal(b"id", b"text").unwrap();
        let env = Env::of([("WEIR_SALT_KEY", "new"), ("WEIR_SALT_KEY_PREVIOUS", "old")]);
        let sealer = Sealer::of(&env, None);
        assert_eq!(sealer.open(b"id", &sealed).unwrap(), b"text");
        let anew = sealer.seal(b"id", b"text").unwrap();
        assert_eq!(Sealer::new("old").open(b"id", &anew), None);
        assert!(Sealer::new("new").open(b"id", &anew).is_some());
        let by_master = Sealer::new("x").or_opened_by(&SecretString::from("old"));
        assert!(by_master.open(b"id", &sealed).is_some());
    }

    #[test]
    fn salt_goes_before_the_master_key() {
        let master = SecretString::from("sk-master");
        let none = Env::of::<&str, &str>([]);
        let salted = Env::of([("LITELLM_SALT_KEY", "salt"), ("WEIR_SALT_KEY", "")]);
        let by_master = Sealer::of(&none, Some(&master)).seal(b"", b"x").unwrap();
        let by_salt = Sealer::of(&salted, Some(&master)).seal(b"", b"x").unwrap();
        assert!(Sealer::new("sk-master").open(b"", &by_master).is_some());
        assert!(Sealer::new("salt").open(b"", &by_salt).is_some());
    }
}
