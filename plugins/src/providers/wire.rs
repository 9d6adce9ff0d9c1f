//! Address and headers of a deployment, prepared once.

use super::Row;
use crate::auth::Signer;
use crate::dialects::cohere::Vendor;
use crate::dialects::embeddings::Embeddings;
use http::{HeaderMap, HeaderName, HeaderValue, Uri};
use weir_core::ExposeSecret;
use weir_core::chat::Dialect;
use weir_core::config::ModelEntry;
use weir_core::config::env::Env;
use weir_core::domain::operation::Operation;

/// What a provider can be asked for; each has an address of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// A chat in this dialect.
    Chat(Dialect),
    /// Anything that is not a chat.
    Plain(Operation),
}

/// Where a call goes.
#[derive(Clone, Debug)]
struct Door {
    call: Call,
    plain: Uri,
    stream: Uri,
}

/// Where requests of a deployment go, and what they carry.
#[derive(Clone, Debug)]
pub struct Wire {
    pub tls: bool,
    pub host: String,
    pub port: u16,
    /// As LiteLLM reports it, without a trailing slash.
    pub api_base: String,
    /// What every request carries, `host` included. Secrets are marked sensitive, so that Debug does not show them.
    pub headers: HeaderMap,
    /// The variable that should hold a key and does not.
    pub missing_key: Option<&'static str>,
    /// How requests are signed, where a key in a header is not enough.
    pub signer: Option<Signer>,
    /// How embeddings are spoken, where it is not OpenAI's way.
    pub embeddings: Option<Embeddings>,
    /// How rerankings are spoken, where it is not Cohere's first way.
    pub rerank: Option<Vendor>,
    /// In order of preference.
    doors: Vec<Door>,
}

/// What is wrong with a deployment's settings: the setting below `litellm_params`, the message, the cure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    pub setting: &'static str,
    pub message: String,
    pub cure: String,
}

impl Fault {
    pub fn new(setting: &'static str, message: impl Into<String>, cure: impl Into<String>) -> Self {
        Self { setting, message: message.into(), cure: cure.into() }
    }
}

impl Wire {
    /// Scheme and authority, as the `host` header names it.
    pub fn origin(&self) -> String {
        let host = self.headers.get(http::header::HOST).and_then(|h| h.to_str().ok()).unwrap_or_default();
        format!("{}://{host}", if self.tls { "https" } else { "http" })
    }

    /// Path and query of a call; `None` where the provider does not have it.
    pub fn uri(&self, call: Call, stream: bool) -> Option<&Uri> {
        let door = self.doors.iter().find(|door| door.call == call)?;
        Some(if stream { &door.stream } else { &door.plain })
    }

    /// Without the door of a call that this model does not take.
    pub fn close(&mut self, call: Call) {
        self.doors.retain(|door| door.call != call);
    }

    /// The dialect in which a client's chat goes out: the client's own where the provider has it, else the provider's
    /// preferred one. `None`: the provider does not chat.
    pub fn speaks(&self, client: Dialect) -> Option<Dialect> {
        let spoken = || self.doors.iter().filter_map(Door::chat);
        let own = spoken().find(|dialect| *dialect == client);
        // Claude on Bedrock keeps everything that Anthropic's clients say only in Anthropic's own format.
        let near = || {
            spoken()
                .find(|dialect| (client, *dialect) == (Dialect::AnthropicMessages, Dialect::BedrockInvoke))
        };
        own.or_else(near).or_else(|| spoken().next())
    }
}

impl Door {
    fn chat(&self) -> Option<Dialect> {
        match self.call {
            Call::Chat(dialect) => Some(dialect),
            Call::Plain(_) => None,
        }
    }
}

/// Makes a [`Wire`], and says which setting is wrong with it.
pub struct WireBuilder {
    wire: Wire,
    prefix: String,
}

// --- WireBuilder ---

impl WireBuilder {
    /// `base`: an http or https URL.
    pub fn new(base: &str) -> Result<Self, Fault> {
        let bad = |why: &str| {
            Fault::new("api_base", format!("{base:?} {why}"), "write it like https://host[:port]/path")
        };
        let uri: Uri = base.parse().map_err(|_| bad("is not a URL"))?;
        let tls = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => return Err(bad("must start with http:// or https://")),
        };
        let authority =
            uri.authority().filter(|a| !a.as_str().contains('@')).ok_or_else(|| bad("has no host"))?;
        let host = authority.host().trim_matches(['[', ']']).to_owned();
        let header =
            HeaderValue::from_str(authority.as_str()).map_err(|_| bad("has a host that is no text"))?;
        let wire = Wire {
            tls,
            host,
            port: authority.port_u16().unwrap_or(if tls { 443 } else { 80 }),
            api_base: base.trim_end_matches('/').to_owned(),
            headers: HeaderMap::from_iter([
                (http::header::HOST, header),
                (http::header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
                // Compressed streams could be neither scanned nor flushed event by event.
                (http::header::ACCEPT_ENCODING, HeaderValue::from_static("identity")),
            ]),
            missing_key: None,
            signer: None,
            embeddings: None,
            rerank: None,
            doors: Vec::new(),
        };
        Ok(Self { wire, prefix: uri.path().trim_end_matches('/').to_owned() })
    }

    /// `path` is appended to the path of the base URL.
    pub fn door(&mut self, call: Call, path: &str) -> Result<(), Fault> {
        self.doors(call, path, path)
    }

    /// Streams have a path of their own.
    pub fn doors(&mut self, call: Call, plain: &str, stream: &str) -> Result<(), Fault> {
        let door = Door { call, plain: self.uri(plain)?, stream: self.uri(stream)? };
        self.wire.doors.push(door);
        Ok(())
    }

    /// OpenAI's paths for these operations, as the provider spells them.
    pub fn openai(
        &mut self,
        operations: &[Operation],
        spell: impl Fn(&'static str) -> String,
    ) -> Result<(), Fault> {
        for operation in operations {
            let row = operation.row();
            let call = row.chat.map_or(Call::Plain(*operation), Call::Chat);
            self.door(call, &spell(row.openai_path))?;
        }
        Ok(())
    }

    pub fn signed(&mut self, signer: Signer) {
        self.wire.signer = Some(signer);
    }

    pub fn embeddings(&mut self, way: Embeddings, path: &str) -> Result<(), Fault> {
        self.wire.embeddings = Some(way);
        self.door(Call::Plain(Operation::Embeddings), path)
    }

    pub fn rerank(&mut self, vendor: Vendor, path: &str) -> Result<(), Fault> {
        self.wire.rerank = Some(vendor);
        self.door(Call::Plain(Operation::Rerank), path)
    }

    fn uri(&self, path: &str) -> Result<Uri, Fault> {
        let whole = format!("{}{path}", self.prefix);
        let whole = if whole.is_empty() { "/".to_owned() } else { whole };
        whole.parse().map_err(|_| {
            Fault::new("api_base", format!("{whole:?} is no path"), "escape what is not plain ASCII")
        })
    }

    pub fn header(&mut self, name: &str, value: &str) -> Result<(), Fault> {
        self.put(name, value, false)
    }

    pub fn secret_header(&mut self, name: &str, value: &str) -> Result<(), Fault> {
        self.put(name, value, true)
    }

    fn put(&mut self, name: &str, value: &str, secret: bool) -> Result<(), Fault> {
        let bad =
            || Fault::new("extra_headers", format!("{name:?} cannot be sent as a header"), "use plain ASCII");
        let name: HeaderName = name.parse().map_err(|_| bad())?;
        let mut value: HeaderValue = value.parse().map_err(|_| bad())?;
        value.set_sensitive(secret);
        self.wire.headers.insert(name, value);
        Ok(())
    }

    /// Notes that no credential was found for a provider that wants one.
    pub fn lacks_key(&mut self, row: &'static Row) {
        self.wire.missing_key = row.key_env.first().copied();
    }

    /// Adds the deployment's `extra_headers`, which win over ours.
    pub fn finish(mut self, entry: &ModelEntry) -> Result<Wire, Fault> {
        for (name, value) in &entry.params.extra_headers {
            self.put(name, value.expose_secret(), true)?;
            if name.eq_ignore_ascii_case("authorization") || name.eq_ignore_ascii_case("api-key") {
                self.wire.missing_key = None;
            }
        }
        Ok(self.wire)
    }
}

// --- what the config and the environment say ---

/// The base URL: the deployment's, the environment's, the provider's own.
pub(super) fn base(row: &'static Row, entry: &ModelEntry, env: &Env) -> Result<String, Fault> {
    let from_env = || row.base_env.iter().find_map(|name| set(env, name));
    let found = entry.params.api_base.clone().filter(|b| !b.is_empty()).or_else(from_env);
    let base = found.unwrap_or_else(|| row.base.to_owned());
    if base.is_empty() {
        let cure = format!("set api_base, or {} in the environment", row.base_env.join(" or "));
        return Err(Fault::new(
            "api_base",
            format!("provider {:?} has no default address", row.prefix),
            cure,
        ));
    }
    Ok(base.trim_end_matches('/').to_owned())
}

/// The key: the deployment's, else the environment's.
pub(super) fn key(row: &'static Row, entry: &ModelEntry, env: &Env) -> Option<String> {
    let own = entry.params.api_key.as_ref().map(|k| k.expose_secret().to_owned());
    own.filter(|k| !k.is_empty()).or_else(|| row.key_env.iter().find_map(|name| set(env, name)))
}

pub(super) fn set(env: &Env, name: &str) -> Option<String> {
    env.get(name).filter(|v| !v.is_empty()).map(str::to_owned)
}

/// The key as a bearer token; a missing one is noted where the provider wants one.
pub(super) fn bearer(
    wire: &mut WireBuilder,
    row: &'static Row,
    entry: &ModelEntry,
    env: &Env,
) -> Result<(), Fault> {
    match key(row, entry, env) {
        Some(key) => wire.secret_header("authorization", &format!("Bearer {key}")),
        None => {
            if row.auth == super::Auth::Bearer {
                wire.lacks_key(row);
            }
            Ok(())
        }
    }
}

/// As in LiteLLM, a base may already end with the path or its first parts.
pub(super) fn without<'a>(base: &'a str, path: &str) -> &'a str {
    let ends = path.match_indices('/').map(|(at, _)| at).skip(1).chain([path.len()]);
    let there = ends.filter(|end| base.ends_with(&path[..*end])).max().unwrap_or_default();
    &base[..base.len() - there]
}
