//! Who answers raw requests: deployments that no `model_list` has, made of the environment or of a configured endpoint.

use super::{Family, Pass, Prefix};
use crate::deployment::Deployment;
use crate::models::unwritten;
use crate::providers::{self, Auth, Fault, Row, Wire, WireBuilder, bedrock};
use http::HeaderValue;
use std::sync::Arc;
use weir_core::ExposeSecret;
use weir_core::config::env::Env;
use weir_core::config::problems::{Place, Problems};
use weir_core::config::{Config, ModelEntry, Params, PassThrough};
use weir_core::error::{ApiError, Kind};
use weir_core::model::prices::Catalogue;

/// Of one snapshot.
pub struct PassTable {
    config: Arc<Config>,
    env: Arc<Env>,
    catalogue: Arc<Catalogue>,
    /// By provider, model and host, and whose credentials they are asked with.
    made: moka::sync::Cache<Made, Arc<Deployment>>,
    endpoints: Vec<Arc<Endpoint>>,
    /// Deployments of the config whose credentials are used below their provider's prefix (`use_in_pass_through`).
    lent: Vec<ModelEntry>,
}

type Made = (&'static str, String, String, String);

/// A configured endpoint, ready to be asked.
#[derive(Debug)]
pub struct Endpoint {
    pub settings: PassThrough,
    /// The target's.
    pub query: String,
    pub deployment: Arc<Deployment>,
}

/// Deployments that are kept made.
const MAX_MADE: u64 = 1_000;

/// A model of which no list knows. Not by its name: whoever has a key could make labels of metrics without end.
const UNKNOWN: &str = "unknown";

/// Who stands behind configured endpoints.
static ROW: Row = Row {
    prefix: "pass_through",
    name: "PassThrough",
    base: "",
    base_env: &[],
    key_env: &[],
    auth: Auth::OptionalBearer,
    quirks: &[],
    operations: &[],
    wire: |_, entry, _| WireBuilder::new(entry.params.api_base.as_deref().unwrap_or_default())?.finish(entry),
};

/// Paths of Bedrock that another host serves. Source: Agents for Amazon Bedrock Runtime API Reference.
static AGENTS: &[&str] = &[
    "agents",
    "knowledgebases",
    "flows",
    "retrieveAndGenerate",
    "retrieveAndGenerateStream",
    "rerank",
    "generateQuery",
    "optimize-prompt",
    "sessions",
];

impl PassTable {
    pub fn build(
        config: &Arc<Config>,
        env: &Arc<Env>,
        catalogue: &Arc<Catalogue>,
        problems: &mut Problems,
    ) -> Self {
        let mut table = Self {
            config: Arc::clone(config),
            env: Arc::clone(env),
            catalogue: Arc::clone(catalogue),
            made: moka::sync::Cache::new(MAX_MADE),
            endpoints: Vec::new(),
            lent: config.models.iter().filter(|entry| entry.params.use_in_pass_through).cloned().collect(),
        };
        for settings in &config.general.pass_through {
            match table.endpoint_of(settings) {
                Ok(endpoint) => table.endpoints.push(Arc::new(endpoint)),
                Err(fault) => {
                    let path = String::from("general_settings.pass_through_endpoints");
                    let message = format!("{} ({})", fault.message, settings.path);
                    problems.warn(&Place { path, ..Place::default() }, message, fault.cure);
                }
            }
        }
        table
    }

    // --- endpoints of the config ---

    /// The endpoint of a path, and what follows it; the longest path wins.
    pub fn endpoint(&self, path: &str) -> Option<(Arc<Endpoint>, String)> {
        let below = |endpoint: &Arc<Endpoint>| {
            let rest = path.strip_prefix(&endpoint.settings.path)?;
            let here = rest.is_empty() || rest.starts_with('/') && endpoint.settings.include_subpath;
            here.then(|| (Arc::clone(endpoint), rest.to_owned()))
        };
        self.endpoints.iter().filter_map(below).max_by_key(|(endpoint, _)| endpoint.settings.path.len())
    }

    pub fn endpoints(&self) -> &[Arc<Endpoint>] {
        &self.endpoints
    }

    fn endpoint_of(&self, settings: &PassThrough) -> Result<Endpoint, Fault> {
        let (base, query) = settings.target.split_once('?').unwrap_or((&settings.target, ""));
        let mut entry = entry(ROW.prefix, &settings.id);
        entry.params.api_base = Some(base.to_owned());
        entry.id = format!("pass-through{}", settings.path);
        let mut wire = WireBuilder::new(base)?;
        for (name, value) in &settings.headers {
            wire.secret_header(name, value.expose_secret())?;
        }
        let deployment = Deployment::of(&ROW, &entry, wire.finish(&entry)?, &self.config);
        Ok(Endpoint { settings: settings.clone(), query: query.to_owned(), deployment: Arc::new(deployment) })
    }

    // --- providers of the environment ---

    /// Whether the environment, or a deployment that lends its own, has a key for this provider.
    pub fn is_set_up(&self, prefix: &Prefix) -> bool {
        if self.lent.iter().any(|entry| prefix.serves(&entry.provider)) {
            return true;
        }
        let row = providers::row(prefix.provider);
        row.is_some_and(|row| row.key_env.iter().any(|name| self.env.filled(name).is_some()))
    }

    /// The provider as a deployment that lends its credentials has it, else as the environment has it, priced as the model
    /// that the request names.
    ///
    /// # Errors
    /// 501 where the provider is not served, or its address is not known.
    pub fn provider(&self, prefix: &'static Prefix, pass: &Pass) -> Result<Arc<Deployment>, ApiError> {
        let named = pass.meant.model.as_ref().map_or(UNKNOWN, |m| m.name.as_str());
        let price = self.catalogue.find(prefix.provider, named, None);
        // An id may say where it stands, and then it decides on the host.
        let bedrocks = prefix.family == Family::Bedrock && named.starts_with("arn:");
        let model = if price.is_some() || bedrocks { named } else { UNKNOWN };
        let host = host(prefix, &pass.path, &self.env);
        let lender = self.lender(prefix, &pass.path);
        let lent_by = lender.map(|entry| entry.id.clone()).unwrap_or_default();
        let key = (prefix.provider, model.to_owned(), host.clone().unwrap_or_default(), lent_by);
        if let Some(found) = self.made.get(&key) {
            return Ok(found);
        }
        let made = self.make(prefix, model, host, lender).map_err(|fault| not_set_up(prefix, &fault))?;
        let made = Arc::new(made);
        self.made.insert(key, Arc::clone(&made));
        Ok(made)
    }

    /// The deployment that lends its credentials: of several, the first, or the one of the path's project and location.
    fn lender(&self, prefix: &Prefix, path: &str) -> Option<&ModelEntry> {
        let mut all = self.lent.iter().filter(|entry| prefix.serves(&entry.provider));
        if prefix.family != Family::Vertex {
            return all.next();
        }
        let segment = |name: &str| path.split('/').skip_while(move |part| *part != name).nth(1);
        let (project, location) = (segment("projects"), segment("locations"));
        let other = |own: &Option<String>, asked: Option<&str>| asked.is_none() || own.as_deref() != asked;
        all.min_by_key(|entry| {
            let vertex = &entry.params.vertex;
            (other(&vertex.project, project), other(&vertex.location, location))
        })
    }

    /// A deployment as a `model_list` would have it that says `provider/model` and nothing else; `None` where that is
    /// none.
    pub fn imagined(&self, provider: &str, model: &str) -> Option<Deployment> {
        Deployment::build(&entry(provider, model), &self.config, &self.env, &self.catalogue).ok()
    }

    fn make(
        &self,
        prefix: &'static Prefix,
        model: &str,
        host: Option<String>,
        lender: Option<&ModelEntry>,
    ) -> Result<Deployment, Fault> {
        let row = providers::row(prefix.provider).ok_or_else(|| {
            let message = format!("{} is not served yet", prefix.provider);
            Fault::new("model", message, "")
        })?;
        let mut entry = entry(prefix.provider, model);
        if let Some(lender) = lender {
            entry.params = credentials(&lender.params);
        }
        let google = prefix.family == Family::Vertex;
        if google && lender.is_none() {
            entry.params.vertex = self.config.passed_vertex.clone();
        }
        if let Some(agents) = host.as_ref().filter(|_| !google) {
            entry.params.aws.bedrock_runtime_endpoint = Some(agents.clone());
        }
        let mut wire = row.wire(&entry, &self.env)?;
        if let Some(host) = host.filter(|_| google) {
            moved(&mut wire, &host);
        }
        let mut made = Deployment::of(row, &entry, wire, &self.config);
        made.price = Deployment::priced(&entry, &self.catalogue)?;
        if made.price.is_none() {
            made.rename(UNKNOWN);
        }
        Ok(made)
    }
}

fn entry(provider: &str, model: &str) -> ModelEntry {
    unwritten(format!("pass-through/{provider}"), provider, model)
}

/// Who asks and where, without what the deployment says of its model.
fn credentials(lent: &Params) -> Params {
    Params {
        api_base: lent.api_base.clone(),
        api_key: lent.api_key.clone(),
        api_version: lent.api_version.clone(),
        organization: lent.organization.clone(),
        project: lent.project.clone(),
        azure_ad_token: lent.azure_ad_token.clone(),
        tenant_id: lent.tenant_id.clone(),
        client_id: lent.client_id.clone(),
        client_secret: lent.client_secret.clone(),
        entra: lent.entra.clone(),
        vertex: lent.vertex.clone(),
        aws: lent.aws.clone(),
        ssl_verify: lent.ssl_verify.clone(),
        extra_headers: lent.extra_headers.clone(),
        timeout: lent.timeout,
        ..Params::default()
    }
}

fn not_set_up(prefix: &Prefix, fault: &Fault) -> ApiError {
    let cure = if fault.cure.is_empty() { String::new() } else { format!("; {}", fault.cure) };
    let message = format!("/{} cannot be passed through: {}{cure}", prefix.name, fault.message);
    ApiError::new(Kind::NotServed, message)
}

// --- hosts that follow from the path ---

/// Scheme and host where they follow from the path.
fn host(prefix: &Prefix, path: &str, env: &Env) -> Option<String> {
    match prefix.family {
        Family::Bedrock => {
            let first = path.trim_start_matches('/').split('/').next()?;
            AGENTS.contains(&first).then(|| bedrock::agents(env))
        }
        // Vertex is a host for each location.
        Family::Vertex => {
            let location = path.split_once("/locations/")?.1.split('/').next()?;
            let letters = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
            let valid = !location.is_empty() && location.len() < 40 && location.bytes().all(letters);
            let own = if location == "global" { String::new() } else { format!("{location}-") };
            valid.then(|| format!("{own}aiplatform.googleapis.com"))
        }
        _ => None,
    }
}

/// Another of Google's hosts in place of the one that was chosen without knowing the path. An address that the
/// operator gave stays.
fn moved(wire: &mut Wire, host: &str) {
    let googles = wire.host.ends_with("aiplatform.googleapis.com");
    if let Some(header) = HeaderValue::from_str(host).ok().filter(|_| googles) {
        wire.headers.insert(http::header::HOST, header);
        host.clone_into(&mut wire.host);
        wire.api_base = format!("https://{host}");
    }
}
