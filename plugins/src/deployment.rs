//! One way to serve a model group: provider, upstream model, credentials, prices. A built deployment is valid;
//! nothing is checked again per request.

use crate::dialects::cache_points::CachePoints;
use crate::dialects::openai_chat::Rules;
use crate::mock::MockAnswer;
use crate::own::Left;
use crate::providers::{self, Call, Fault, Quirk, Row, Wire};
use http::HeaderValue;
use std::any::Any;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use weir_core::chat::Dialect;
use weir_core::config::env::Env;
use weir_core::config::{Config, ModelEntry, RouterSettings, SslVerify, Strategy};
use weir_core::domain::markup::Markup;
use weir_core::domain::money::NanoUsd;
use weir_core::domain::operation::Operation;
use weir_core::domain::period::WindowBudget;
use weir_core::domain::rates::Rates;
use weir_core::domain::spend::SpendScope;
use weir_core::domain::usage::Usage;
use weir_core::error::{ApiError, Kind};
use weir_core::model::prices::{self, Catalogue, ModelPrice};

/// One way to serve a group, ready to be asked: whatever can be worked out beforehand is.
#[derive(Debug)]
pub struct Deployment {
    /// Stable across restarts and reloads; pools, cooldowns and counters are keyed by it.
    pub id: String,
    pub group: String,
    pub provider: &'static Row,
    /// `litellm_model_name` of metrics and `model` of entries: the upstream model without its prefix.
    pub model_label: String,
    pub wire: Wire,
    pub rules: Rules,
    /// Marks for the provider's cache that the configuration sets.
    pub cache_points: CachePoints,
    /// Completions are asked for as chats, because the provider refuses this model otherwise.
    pub completes_by_chat: bool,
    /// Thoughts are told inside the text.
    pub merges_thoughts: bool,
    pub timeouts: Timeouts,
    pub shares: Shares,
    /// Lower orders are preferred, any to none.
    pub order: Option<u64>,
    /// What it may be asked for in a minute and at once, as far as that is watched.
    pub limits: Rates,
    /// Which requests it is for, by their tags.
    pub tags: Vec<String>,
    /// Where it computes, if that is known.
    pub region: Option<String>,
    /// How long it is left alone after failing; `None`: as long as the router says.
    pub cooldown: Option<Duration>,
    /// How often a request is tried again after it failed here; `None`: as the request or the router says.
    pub retries: Option<u32>,
    /// Group that gets a copy of each request.
    pub silent: Option<String>,
    /// What its provider, and it itself, may cost in a period: the scope, whom it is about, the budget.
    pub budgets: Vec<(SpendScope, String, WindowBudget)>,
    pub price: Option<Priced>,
    /// What is charged beside that.
    pub markup: Option<Markup>,
    /// How its certificate is checked; `None`: as everybody's.
    pub verify: Option<SslVerify>,
    /// Bytes that a file may have which is sent to it.
    pub max_file: Option<u64>,
    /// Tokens that the model takes, and says, at most; `None`: nobody knows.
    pub max_input: Option<u64>,
    pub max_output: Option<u64>,
    /// Answers itself, without a provider.
    pub mock: Option<MockAnswer>,
    pub access_groups: Vec<String>,
    /// Only this team sees it.
    pub team: Option<String>,
    /// What clients may say in place of the operator.
    pub left: Left,
    /// It was built for one request, with a client's own credentials: what becomes of it says nothing of the operator's.
    pub of_client: bool,
    /// A client or a team has named its address, so it must not lead inside.
    pub public_only: bool,
    pub told: Told,
    /// What whoever sends has prepared for this deployment. Nobody else looks into it.
    pub prepared: OnceLock<Box<dyn Any + Send + Sync>>,
    unpriced_told: AtomicBool,
}

/// What every answer's head says of its deployment. What cannot stand in a header is left out.
#[derive(Debug)]
pub struct Told {
    pub id: HeaderValue,
    pub group: HeaderValue,
    pub api_base: HeaderValue,
}

/// Prices and which ones they are.
#[derive(Clone, Debug)]
pub struct Priced {
    pub price: ModelPrice,
    pub version: String,
}

/// Shares of the traffic of a group, relative to those of others: by weight, by requests or by tokens per minute. Which of
/// them counts is the strategy's business.
#[derive(Clone, Copy, Debug, Default)]
pub struct Shares {
    /// In thousandths, since weights may be fractions.
    pub weight: Option<u64>,
    pub rpm: Option<u64>,
    pub tpm: Option<u64>,
}

/// Limits of one attempt.
#[derive(Clone, Copy, Debug)]
pub struct Timeouts {
    pub connect: Duration,
    /// From sending until the first byte of the answer's body.
    pub first_token: Duration,
    /// Between two chunks of a stream.
    pub idle: Duration,
    /// Everything, from sending to the last byte.
    pub total: Duration,
    /// Silence after which another deployment is asked too; `None`: never.
    pub hedge: Option<Duration>,
}

impl Timeouts {
    /// The same, with nothing that takes longer than this.
    pub fn within(self, left: Duration) -> Self {
        Self {
            connect: self.connect.min(left),
            first_token: self.first_token.min(left),
            total: self.total.min(left),
            ..self
        }
    }
}

/// The catalogue's word for models that take nothing but OpenAI's Responses.
const RESPONDS: &str = "responses";

/// The catalogue's words for models that chat.
const CHAT_MODES: [&str; 2] = ["chat", RESPONDS];

impl Deployment {
    /// Builds from a config entry whose model holds no wildcard.
    pub fn build(
        entry: &ModelEntry,
        config: &Config,
        env: &Env,
        catalogue: &Catalogue,
    ) -> Result<Self, Fault> {
        let provider = providers::row(&entry.provider).ok_or_else(|| not_served(entry))?;
        let nothing = Env::default();
        let env = if entry.info.by_team { &nothing } else { env };
        let mock = MockAnswer::of(&entry.params);
        let mut wire = wire(provider, entry, env, mock.is_some())?;
        if entry.info.by_team && wire.signer.as_ref().is_some_and(|signer| !signer.is_own()) {
            return Err(borrowed());
        }
        let price = price(entry, catalogue)?;
        let cache_points = cache_points(entry)?;
        let all = config.general.requests.client_credentials;
        let left = Left::build(&entry.params.configurable_clientside_auth_params, all)?;
        let facts = catalogue.find(&entry.provider, &entry.upstream_model, entry.info.base_model.as_deref());
        let mode = entry.info.mode.as_deref().or(facts.as_ref().map(|f| f.mode));
        if mode == Some(RESPONDS) && wire.uri(Call::Chat(Dialect::OpenAiResponses), false).is_some() {
            wire.close(Call::Chat(Dialect::OpenAiChat));
        }
        let completes_by_chat = provider.has(Quirk::CompletionsApart)
            && facts.as_ref().is_some_and(|f| CHAT_MODES.contains(&f.mode));
        let (max_input, max_output) =
            facts.map_or((None, None), |f| (f.max_input_tokens, f.max_output_tokens));
        let max_input = entry.info.max_input_tokens.or(max_input);
        let built = Self::of(provider, entry, wire, config);
        Ok(Self { mock, price, max_input, max_output, cache_points, completes_by_chat, left, ..built })
    }

    /// Builds around a wire that is there, without a price.
    pub fn of(provider: &'static Row, entry: &ModelEntry, wire: Wire, config: &Config) -> Self {
        Self {
            told: Told {
                id: header(&entry.id),
                group: header(&entry.name),
                api_base: header(&wire.api_base),
            },
            id: entry.id.clone(),
            group: entry.name.clone(),
            provider,
            model_label: entry.upstream_model.clone(),
            wire,
            rules: Rules::build(provider, entry, &config.litellm),
            cache_points: CachePoints::default(),
            completes_by_chat: false,
            merges_thoughts: entry.params.merge_reasoning,
            timeouts: timeouts(entry, config),
            shares: shares(entry),
            order: entry.params.order,
            limits: limits(entry, &config.router),
            tags: entry.params.tags.clone(),
            region: region(entry),
            cooldown: entry.params.cooldown_time,
            retries: entry.params.num_retries,
            silent: entry.params.silent_model.clone(),
            budgets: budgets(provider, entry, &config.router),
            price: None,
            markup: config.litellm.costs.of(provider.prefix),
            verify: entry.params.ssl_verify.clone(),
            max_file: entry.params.max_file_size,
            max_input: None,
            max_output: None,
            mock: None,
            access_groups: entry.info.access_groups.clone(),
            team: entry.info.team.clone(),
            left: Left::default(),
            of_client: false,
            public_only: entry.info.by_team,
            prepared: OnceLock::new(),
            unpriced_told: AtomicBool::new(false),
        }
    }

    /// What an entry's model costs, as far as it is known.
    ///
    /// # Errors
    /// A price of the config is no number.
    pub fn priced(entry: &ModelEntry, catalogue: &Catalogue) -> Result<Option<Priced>, Fault> {
        price(entry, catalogue)
    }

    /// Another name for model and group.
    pub fn rename(&mut self, name: &str) {
        name.clone_into(&mut self.model_label);
        name.clone_into(&mut self.group);
        self.told.group = header(name);
    }

    /// Whether a request can be sent at all.
    pub fn ready(&self) -> Result<(), ApiError> {
        match self.wire.missing_key {
            Some(variable) if self.mock.is_none() => Err(no_key(self.provider, variable)),
            _ => Ok(()),
        }
    }

    /// The error for a call that the provider does not have.
    pub fn lacks(&self, operation: Operation) -> ApiError {
        let message = format!("{} does not serve {}.", self.provider.prefix, operation.row().route);
        ApiError::new(Kind::NotServed, message)
    }

    /// Whether the operator has said where it is: others are not shown who is calling.
    pub fn is_operators(&self) -> bool {
        !self.of_client && !self.public_only
    }

    /// What a usage costs here, at its tier; zero when no price is known.
    pub fn cost_of(&self, usage: &Usage) -> NanoUsd {
        let priced = self.price.as_ref();
        let listed = priced.map(|p| prices::total_cost(&p.price, usage));
        listed.map_or(NanoUsd::ZERO, |listed| self.charged(listed))
    }

    /// What is charged for what the price list makes of a request.
    pub fn charged(&self, listed: NanoUsd) -> NanoUsd {
        self.markup.map_or(listed, |markup| markup.charged(listed))
    }

    /// Whether what it serves can be charged. An answer of the config's own costs nothing.
    pub fn is_priced(&self) -> bool {
        self.price.is_some() || self.mock.is_some()
    }

    /// Says once that this model has no price, and what to do about it.
    pub fn warn_unpriced(&self) {
        if !self.unpriced_told.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                model = %self.model_label, group = %self.group,
                "no price is known for this model; its requests are booked as unpriced. \
                 Set model_info.input_cost_per_token and output_cost_per_token, or base_model"
            );
        }
    }
}

fn budgets(
    provider: &Row,
    entry: &ModelEntry,
    router: &RouterSettings,
) -> Vec<(SpendScope, String, WindowBudget)> {
    // What a team pays itself must not use up what the operator wants to spend there.
    let operators = |(name, _): &&(String, WindowBudget)| name == provider.prefix && !entry.info.by_team;
    let of_provider = router.provider_budgets.iter().filter(operators);
    let of_provider = of_provider.map(|(name, budget)| (SpendScope::ProviderPeriod, name.clone(), *budget));
    let own = entry.params.budget.map(|budget| (SpendScope::DeploymentPeriod, entry.id.clone(), budget));
    of_provider.chain(own).collect()
}

fn cache_points(entry: &ModelEntry) -> Result<CachePoints, Fault> {
    let Some(json) = &entry.params.cache_points else { return Ok(CachePoints::default()) };
    CachePoints::parse(json).map_err(|e| {
        let cure = "write a list like [{location: message, role: system}]";
        Fault::new("cache_control_injection_points", format!("not understood: {e}"), cure)
    })
}

/// What cannot stand in a header is left out.
fn header(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static(""))
}

fn no_key(provider: &Row, variable: &str) -> ApiError {
    let message = format!(
        "litellm.AuthenticationError: AuthenticationError: {}Exception - No API key for {}: set {variable} in the \
         environment of the gateway, or litellm_params.api_key",
        provider.name, provider.prefix
    );
    ApiError::new(Kind::Upstream, message).with_status(401).with_class("AuthenticationError")
}

/// Of a team's own.
fn borrowed() -> Fault {
    let message = "it would be asked with credentials of this machine, or with a file of it, or show its own to others than \
                   the cloud that they are for";
    Fault::new("api_key", message, "give it credentials of its own, as they are")
}

fn not_served(entry: &ModelEntry) -> Fault {
    let message = format!("provider {:?} is not served yet", entry.provider);
    Fault::new("model", message, "requests to it answer 400 until it is")
}

/// A mock needs no address.
fn wire(provider: &'static Row, entry: &ModelEntry, env: &Env, mocked: bool) -> Result<Wire, Fault> {
    match provider.wire(entry, env) {
        Err(_) if mocked => providers::WireBuilder::new("http://mock.invalid")?.finish(entry),
        other => other,
    }
}

fn timeouts(entry: &ModelEntry, config: &Config) -> Timeouts {
    let total = entry.params.timeout.unwrap_or(config.router.timeout);
    let first =
        entry.params.stream_timeout.or(config.router.stream_timeout).or(config.weir.first_token_timeout);
    Timeouts {
        connect: config.weir.connect_timeout.min(total),
        first_token: first.unwrap_or(total),
        idle: config.weir.stream_idle_timeout,
        total,
        hedge: entry.params.hedge_after.or(config.weir.hedge_after),
    }
}

fn shares(entry: &ModelEntry) -> Shares {
    const UNIT: f64 = 1_000.0;
    // What is beyond any sensible weight counts as the largest that can be added up.
    const MOST: u64 = 1 << 32;
    let params = &entry.params;
    let weight = params.weight.filter(|w| w.is_finite() && *w >= 0.0).map(|w| ((w * UNIT) as u64).min(MOST));
    let most = |limit: u64| limit.min(MOST);
    Shares { weight, rpm: params.rpm.map(most), tpm: params.tpm.map(most) }
}

/// With LiteLLM's default strategy, requests and tokens per minute are weights; limits they are where the operator wants
/// them looked at, or where a strategy goes by what is going on.
fn limits(entry: &ModelEntry, router: &RouterSettings) -> Rates {
    let params = &entry.params;
    let wanted = router.enable_pre_call_checks || router.checks.model_rate_limits;
    let watched = wanted || router.routing_strategy != Strategy::SimpleShuffle;
    let of_info = |name: &str| entry.info.rest.get(name).and_then(|json| json.parse::<u64>().ok());
    let limit = |own: Option<u64>, name: &str| {
        let limit = own.or_else(|| of_info(name)).filter(|_| watched)?;
        Some(i64::try_from(limit).unwrap_or(i64::MAX))
    };
    let parallel = params.max_parallel_requests.or(router.default_max_parallel_requests);
    Rates {
        requests: limit(params.rpm, "rpm"),
        tokens: limit(params.tpm, "tpm"),
        parallel: parallel.map(i64::from),
    }
}

/// As the operator says, else as the cloud is addressed.
fn region(entry: &ModelEntry) -> Option<String> {
    let params = &entry.params;
    let cloud = || params.aws.region.clone().or_else(|| params.vertex.location.clone());
    params.region_name.clone().or_else(cloud)
}

/// The catalogue's price, or the config's over it. A list without any price is none.
fn price(entry: &ModelEntry, catalogue: &Catalogue) -> Result<Option<Priced>, Fault> {
    let facts = catalogue.find(&entry.provider, &entry.upstream_model, entry.info.base_model.as_deref());
    let listed = facts.and_then(|f| f.price);
    let overrides: Vec<_> = entry.info.prices.iter().chain(&entry.params.prices).cloned().collect();
    if overrides.is_empty() {
        let version = catalogue.version().to_owned();
        return Ok(listed.filter(|p| p.listed().next().is_some()).map(|price| Priced { price, version }));
    }
    let price = ModelPrice::with_overrides(listed.as_ref(), &overrides).map_err(|(key, why)| {
        Fault::new("model", format!("{key}: {why}"), "write a decimal number of dollars")
    })?;
    Ok(Some(Priced { price, version: String::from("config") }))
}

#[cfg(test)]
mod tests;
