//! Identifiers. Ours are UUIDv7, so they sort by time; a client's ids are data, never keys.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fmt;

/// The id of one exchange and of its one ledger entry. Minted at intake, never taken from a client.
pub type EntryId = uuid::Uuid;

/// A fresh, time-ordered entry id.
pub fn new_entry_id() -> EntryId {
    uuid::Uuid::now_v7()
}

/// An id that nobody can guess: 122 random bits.
pub fn unguessable_id() -> String {
    uuid::Uuid::new_v4().to_string()
}

/// SHA-256 of a virtual key, as LiteLLM stores it (lower-case hex in text form). It is not a credential: presenting the
/// hash itself as a key is hashed again and found nowhere.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct KeyHash([u8; 32]);

impl KeyHash {
    /// Hash of the key text as presented, prefix `sk-` included.
    pub fn of(key: &str) -> Self {
        Self(Sha256::digest(key.as_bytes()).into())
    }

    /// Reads the 64 hex digits of a stored hash. `None` for anything else.
    pub fn from_hex(text: &str) -> Option<Self> {
        let mut out = [0; 32];
        hex::decode_to_slice(text, &mut out).ok().map(|()| Self(out))
    }

    /// What an admin may pass to name a key: the `sk-` form or the hash (LiteLLM accepts both everywhere).
    pub fn from_key_or_hash(text: &str) -> Self {
        Self::from_hex(text).filter(|_| !text.starts_with("sk-")).unwrap_or_else(|| Self::of(text))
    }

    /// 64 lower-case hex digits.
    pub fn hex(&self) -> String {
        let mut digits = [0; 64];
        // Never too short. In one piece it takes a tenth of what `encode` does, and every entry names its key.
        let _ = hex::encode_to_slice(self.0, &mut digits);
        String::from_utf8_lossy(&digits).into_owned()
    }

    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// A number to find it by: all digits of a hash are as good as others, and the rest tells two apart that share these.
    pub fn short(&self) -> u64 {
        self.0.first_chunk().copied().map_or(0, u64::from_le_bytes)
    }
}

impl fmt::Debug for KeyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.hex())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hash_is_litellms() {
        // The value LiteLLM prints for `sk-wrong-key-000`.
        let hash = KeyHash::of("sk-wrong-key-000");
        assert_eq!(hash.hex(), "250fde4203a9f7eeb9d7ebc4953dcb64d9ad7bd2a18775b38ef6e037aed22a09");
        assert_eq!(KeyHash::from_key_or_hash(&hash.hex()), hash);
        assert_eq!(KeyHash::from_key_or_hash("sk-wrong-key-000"), hash);
    }

    #[test]
    fn p37_a_stored_hash_is_not_a_credential() {
        let hash = KeyHash::of("sk-a");
        assert_ne!(KeyHash::of(&hash.hex()), hash);
    }
}
