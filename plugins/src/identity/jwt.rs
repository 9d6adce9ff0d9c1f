//! Tokens that an identity provider has signed. Its keys are fetched once for all and kept for a while; a signature with a
//! key that is not among them makes them be fetched anew, but not often.

use super::{Fault, refused};
use http::Request;
use jsonwebtoken::jwk::{Jwk, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey, Header, Validation, decode, decode_header};
use serde_json::Value;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Mutex;
use weir_core::config::Config;
use weir_core::ports::identity::Fetch;

/// Signatures that are taken: none of a shared secret.
static ALGORITHMS: &[Algorithm] = &[
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::PS512,
    Algorithm::ES256,
    Algorithm::ES384,
    Algorithm::EdDSA,
];

/// How soon keys may be fetched anew.
const SOONEST: Duration = Duration::from_secs(10);
/// Clocks differ, in seconds.
const LEEWAY: u64 = 30;
/// Keys that are looked at.
const MOST: usize = 100;

/// Keys of the providers, as last fetched.
#[derive(Default)]
pub(super) struct Keys {
    last: Mutex<Option<Fetched>>,
}

struct Fetched {
    at: Instant,
    keys: Arc<Vec<Jwk>>,
}

impl Keys {
    /// The claims of a token that is good: signed by a published key, for us, by the issuer, and in its time.
    pub(super) async fn verified(
        &self,
        config: &Config,
        http: &dyn Fetch,
        token: &str,
    ) -> Result<Value, Fault> {
        let header = decode_header(token).map_err(|_| refused("it cannot be read"))?;
        if !ALGORITHMS.contains(&header.alg) {
            return Err(refused("it is signed in a way that is not taken"));
        }
        let validation = validation(config, header.alg);
        for anew in [false, true] {
            let keys = self.keys(config, http, anew).await?;
            if let Some(read) = read_with(&keys, &header, token, &validation) {
                return read.map_err(refused);
            }
        }
        Err(refused("it is signed with a key that is not published"))
    }

    async fn keys(&self, config: &Config, http: &dyn Fetch, anew: bool) -> Result<Arc<Vec<Jwk>>, Fault> {
        let longest = if anew { SOONEST } else { config.general.jwt.public_key_ttl };
        // Held while fetching: who comes meanwhile waits for the same answer.
        let mut last = self.last.lock().await;
        if let Some(fetched) = last.as_ref().filter(|fetched| fetched.at.elapsed() < longest) {
            return Ok(Arc::clone(&fetched.keys));
        }
        match published(config, http).await {
            Ok(keys) => {
                let keys = Arc::new(keys);
                *last = Some(Fetched { at: Instant::now(), keys: Arc::clone(&keys) });
                Ok(keys)
            }
            // A provider that is away is believed for as long.
            Err(why) => match last.as_mut() {
                Some(fetched) => {
                    tracing::warn!("keys of the identity provider stay what they were: {why}");
                    fetched.at = Instant::now();
                    Ok(Arc::clone(&fetched.keys))
                }
                None => Err(Fault::Unavailable(why)),
            },
        }
    }
}

fn validation(config: &Config, algorithm: Algorithm) -> Validation {
    let mut validation = Validation::new(algorithm);
    validation.leeway = LEEWAY;
    validation.validate_nbf = true;
    let mut required = vec!["exp"];
    match config.env.filled("JWT_AUDIENCE") {
        Some(audience) => {
            validation.set_audience(&[audience]);
            required.push("aud");
        }
        // As with LiteLLM: where no audience is named, any is taken.
        None => validation.validate_aud = false,
    }
    if let Some(issuer) = config.env.filled("JWT_ISSUER") {
        validation.set_issuer(&[issuer]);
        required.push("iss");
    }
    validation.set_required_spec_claims(&required);
    validation
}

/// The claims, with whichever key fits; `None` where none does.
fn read_with(
    keys: &[Jwk],
    header: &Header,
    token: &str,
    validation: &Validation,
) -> Option<Result<Value, String>> {
    let mut last = None;
    for key in keys.iter().filter(|key| fits(key, header)) {
        let read = DecodingKey::from_jwk(key).and_then(|key| decode::<Value>(token, &key, validation));
        match read {
            Ok(read) => return Some(Ok(read.claims)),
            Err(error) => last = Some(Err(error.to_string())),
        }
    }
    last
}

/// By its id where there is one; never a key for encryption, or of another kind.
fn fits(key: &Jwk, header: &Header) -> bool {
    if key.common.public_key_use == Some(PublicKeyUse::Encryption) {
        return false;
    }
    let named = header.kid.is_none() || key.common.key_id == header.kid;
    let kind = key.common.key_algorithm.is_none_or(|kind| kind.to_string() == format!("{:?}", header.alg));
    named && kind
}

async fn published(config: &Config, http: &dyn Fetch) -> Result<Vec<Jwk>, String> {
    let addresses = config.env.filled("JWT_PUBLIC_KEY_URL").ok_or("JWT_PUBLIC_KEY_URL is not set")?;
    let mut keys = Vec::new();
    for address in addresses.split(',').map(str::trim).filter(|address| !address.is_empty()) {
        let request = Request::get(address).header("accept", "application/json").body(String::new());
        let answer = http.fetch(request.map_err(|e| format!("{address}: {e}"))?).await?;
        if answer.status != 200 {
            return Err(format!("{address} answered {}", answer.status));
        }
        let set: Value = serde_json::from_slice(&answer.body).map_err(|e| format!("{address}: {e}"))?;
        let all = set["keys"].as_array().cloned().unwrap_or_default();
        // Kinds of keys that are not known are others' business.
        keys.extend(all.into_iter().filter_map(|key| serde_json::from_value::<Jwk>(key).ok()).take(MOST));
    }
    Ok(keys)
}
