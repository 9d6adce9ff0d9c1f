//! Ids of responses that a provider keeps, as clients see them: `resp_` and the sealed [`Origin`].

use crate::seal::Sealer;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use weir_core::domain::ids::KeyHash;

/// Where a response is kept, and whose it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    pub deployment: String,
    /// The group that it belonged to. Deployments made from a pattern are found by it.
    pub group: String,
    pub owner: KeyHash,
    /// The id at the provider.
    pub upstream: String,
}

/// As it is sealed. Short names, since ids travel often.
#[derive(Serialize, Deserialize)]
struct Wire<'a>(Cow<'a, str>, Cow<'a, str>, Cow<'a, str>, Cow<'a, str>);

const PREFIX: &str = "resp_";
const PURPOSE: &[u8] = b"response id";

/// Longer ones are none of ours.
const LONGEST: usize = 4 * 1024;

impl Origin {
    /// The same origin always has the same id.
    pub fn seal(&self, sealer: &Sealer) -> Option<String> {
        let owner = URL_SAFE_NO_PAD.encode(self.owner.bytes());
        let wire =
            Wire((&self.deployment).into(), (&self.group).into(), owner.into(), (&self.upstream).into());
        let text = serde_json::to_vec(&wire).ok()?;
        let sealed = sealer.seal(PURPOSE, &text)?;
        Some(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(sealed)))
    }

    /// `None`: not an id that this installation sealed.
    pub fn open(sealer: &Sealer, id: &str) -> Option<Self> {
        let sealed = id.strip_prefix(PREFIX).filter(|rest| rest.len() <= LONGEST)?;
        let text = sealer.open(PURPOSE, &URL_SAFE_NO_PAD.decode(sealed).ok()?)?;
        let Wire(deployment, group, owner, upstream) = serde_json::from_slice(&text).ok()?;
        Some(Self {
            deployment: deployment.into_owned(),
            group: group.into_owned(),
            owner: KeyHash::from_hex(&hex(&URL_SAFE_NO_PAD.decode(owner.as_bytes()).ok()?))?,
            upstream: upstream.into_owned(),
        })
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
