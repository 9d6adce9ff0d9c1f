//! Callers that present a token of an identity provider in place of a key. `jwt.rs` reads tokens that are signed,
//! `opaque.rs` asks the provider about others; `claims.rs` is what both say of somebody, `sync.rs` keeps what they say of
//! roles and teams, and here is whose caller that is. Nothing of it costs a request with a key.

mod claims;
mod jwt;
mod opaque;
mod sync;

use async_trait::async_trait;
use claims::Claimed;
use jwt::Keys;
use moka::future::Cache;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use weir_core::access::usable;
use weir_core::config::Config;
use weir_core::domain::ids::KeyHash;
use weir_core::domain::key::{Caller, KeyRecord, MASTER_USER, Principal};
use weir_core::domain::records::{Organization, Record, Role, Team, User};
use weir_core::error::{ApiError, Kind};
use weir_core::ports::identity::{Bearers, Fetch};
use weir_core::ports::{Directory, KeyLookup, LedgerError, records};
use weir_core::time::{self, Micros};

/// Tokens that are remembered, good and bad.
const REMEMBERED: u64 = 10_000;
/// A good one is looked at again after a while, so that who is blocked is out by then; a bad one sooner.
const GOOD: i64 = 60_000_000;
const BAD: i64 = 5_000_000;
/// Tokens that are looked at, at one time: identity providers are asked about some.
const AT_ONCE: usize = 16;
/// How long a token may wait for its turn.
const TURN: Duration = Duration::from_secs(5);
/// Of what providers say of users.
const TOLD: u64 = 1_000;
/// Teams of one token of which one is chosen for each request.
const OTHERS: usize = 16;
/// Longer texts are no token.
const LONGEST: usize = 16 * 1024;

/// Recognises callers by tokens, as the configuration says.
pub struct Identities {
    config: Arc<Config>,
    http: Arc<dyn Fetch>,
    keys: Arc<dyn KeyLookup>,
    directory: Arc<dyn Directory>,
    published: Keys,
    known: Cache<KeyHash, Known>,
    /// What providers said of users (`oidc_userinfo_endpoint`), by their tokens.
    told: Cache<KeyHash, Arc<Value>>,
    turns: Semaphore,
}

#[derive(Clone)]
struct Known {
    /// Else why not.
    caller: Result<Caller, String>,
    until: Micros,
}

/// Why a token lets nobody in.
pub(crate) enum Fault {
    /// It is no good. The words are for the caller.
    Refused(String),
    /// Nobody can say. The words are for the log.
    Unavailable(String),
}

impl From<LedgerError> for Fault {
    fn from(error: LedgerError) -> Self {
        Fault::Unavailable(error.to_string())
    }
}

fn refused(why: impl Into<String>) -> Fault {
    Fault::Refused(why.into())
}

impl Fault {
    fn told(self) -> ApiError {
        match self {
            Fault::Refused(why) => {
                let message = format!("Authentication Error, the token was not accepted: {why}");
                ApiError::new(Kind::MissingKey, message)
            }
            Fault::Unavailable(why) => {
                let message = "The token cannot be checked at the moment; try again.";
                ApiError::new(Kind::LedgerUnavailable, message).because(why)
            }
        }
    }
}

#[async_trait]
impl Bearers for Identities {
    async fn recognise(&self, token: &str) -> Option<Result<Caller, ApiError>> {
        let general = &self.config.general;
        let signed = general.enable_jwt_auth && token.split('.').count() == 3;
        let asked = general.enable_oauth2_auth || general.enable_jwt_auth && general.jwt.userinfo.is_some();
        if !signed && !asked || token.len() > LONGEST {
            return None;
        }
        Some(self.caller(token, signed).await.map_err(Fault::told))
    }
}

impl Identities {
    /// Settings are those of the start.
    pub fn new(
        config: Arc<Config>,
        http: Arc<dyn Fetch>,
        keys: Arc<dyn KeyLookup>,
        directory: Arc<dyn Directory>,
    ) -> Self {
        let known = Cache::builder().max_capacity(REMEMBERED).time_to_live(Duration::from_secs(60)).build();
        let told = Cache::builder().max_capacity(TOLD).time_to_live(config.general.jwt.userinfo_ttl).build();
        let (published, turns) = (Keys::default(), Semaphore::new(AT_ONCE));
        Self { config, http, keys, directory, published, known, told, turns }
    }

    async fn caller(&self, token: &str, signed: bool) -> Result<Caller, Fault> {
        let hash = KeyHash::of(token);
        if let Some(known) = self.remembered(&hash).await {
            return known;
        }
        let turn = tokio::time::timeout(TURN, self.turns.acquire()).await;
        let Ok(Ok(_turn)) = turn else { return Err(Fault::Unavailable(String::from("too many tokens"))) };
        if let Some(known) = self.remembered(&hash).await {
            return known;
        }
        let found = self.looked_at(token, signed).await;
        let now = time::now();
        let known = match &found {
            Ok((caller, until)) => {
                Known { caller: Ok(caller.clone()), until: Micros(until.0.min(now.0 + GOOD)) }
            }
            Err(Fault::Refused(why)) => Known { caller: Err(why.clone()), until: Micros(now.0 + BAD) },
            // Whoever could not say is asked again.
            Err(Fault::Unavailable(why)) => return Err(Fault::Unavailable(why.clone())),
        };
        self.known.insert(hash, known).await;
        found.map(|(caller, _)| caller)
    }

    async fn remembered(&self, hash: &KeyHash) -> Option<Result<Caller, Fault>> {
        let known = self.known.get(hash).await.filter(|known| time::now() < known.until)?;
        Some(known.caller.map_err(Fault::Refused))
    }

    /// Who it is, and until when the token is good.
    async fn looked_at(&self, token: &str, signed: bool) -> Result<(Caller, Micros), Fault> {
        let general = &self.config.general;
        let (claims, claimed) = if signed || !general.enable_oauth2_auth {
            let claims = self.claims(token, signed).await?;
            let claimed = claims::of_jwt(general, &claims)?;
            (claims, claimed)
        } else {
            let claims = opaque::asked(&self.config.env, self.http.as_ref(), token).await?;
            let claimed = claims::of_answer(&self.config.env, &claims)?;
            (claims, claimed)
        };
        let until = claims["exp"].as_i64().map_or(i64::MAX, |at| at.saturating_mul(1_000_000));
        let known = self.principal(claimed).await?;
        usable(&known, "", time::now()).map_err(|error| refused(error.message()))?;
        Ok((Caller::Key(Arc::new(known)), Micros(until)))
    }

    /// What a token says, and the provider of its user, where it is to be asked. Where no keys are published for us, only
    /// what the provider says counts.
    async fn claims(&self, token: &str, signed: bool) -> Result<Value, Fault> {
        let (config, http) = (&self.config, self.http.as_ref());
        let Some(address) = &config.general.jwt.userinfo else {
            return self.published.verified(config, http, token).await;
        };
        let readable = signed && config.env.filled("JWT_PUBLIC_KEY_URL").is_some();
        let own = if readable { self.published.verified(config, http, token).await? } else { json!({}) };
        let hash = KeyHash::of(token);
        let told = match self.told.get(&hash).await {
            Some(told) => told,
            None => {
                let told = Arc::new(opaque::of_user(&config.env, http, address, token).await?);
                self.told.insert(hash, Arc::clone(&told)).await;
                told
            }
        };
        claims::with_userinfo(own, &told)
    }

    /// The user and the team that the token names, as they are kept here. Whoever has neither, and no role that the
    /// operator gives to claims, is nobody.
    async fn principal(&self, claimed: Claimed) -> Result<Principal, Fault> {
        if claimed.user.as_deref() == Some(MASTER_USER) {
            return Err(refused("this identity is nobody's here"));
        }
        let mut teams = self.teams(&claimed).await?.into_iter();
        let team = match teams.next() {
            Some(team) => Some(team),
            None => self.made_team(&claimed).await?,
        };
        let is_admin = claimed.role == Some(Role::ProxyAdmin);
        if claimed.enforce_teams && team.is_none() && !is_admin {
            return Err(refused(
                "No teams found in token. `enforce_team_based_model_access` is set to True. Token must belong to a team.",
            ));
        }
        let subject = claimed.user.clone().or_else(|| team.clone()).unwrap_or_else(|| String::from("admin"));
        let hash = KeyHash::of(&format!("identity {subject}"));
        if claimed.sync {
            self.kept_up(&claimed, hash).await?;
        }
        let key = KeyRecord {
            user_id: claimed.user.clone(),
            team_id: team,
            organization_id: self.organization(&claimed).await?,
            models: claimed.models.clone(),
            allowed_routes: claimed.routes.clone(),
            ..KeyRecord::of_identity(hash)
        };
        let mut known = self.keys.behind(key).await?;
        if known.user.is_none() && claimed.user.is_some() && claimed.upsert {
            known.user = Some(self.made(&claimed).await?);
        }
        if let Some(role) = claimed.role {
            let named = || User { id: subject, ..User::default() };
            known.user.get_or_insert_with(named).role = Some(role);
        }
        known.token = claimed.limits;
        if claimed.enforce_teams && !is_admin {
            let others = self.in_other_teams(&known, teams).await?;
            known.token.get_or_insert_default().others = others;
        }
        let nobody = known.user.is_none() && known.team.is_none();
        if nobody { Err(refused("neither its user nor its team is known here")) } else { Ok(known) }
    }

    /// The named teams that there are, in the token's order.
    async fn teams(&self, claimed: &Claimed) -> Result<Vec<String>, Fault> {
        let there = records::get_all::<Team>(self.directory.as_ref(), &claimed.teams).await?;
        let known = |id: &&String| there.iter().any(|team| team.id == **id);
        Ok(claimed.teams.iter().filter(known).cloned().collect())
    }

    /// The same person in each of these teams that lets them in.
    async fn in_other_teams(
        &self,
        known: &Principal,
        teams: impl Iterator<Item = String>,
    ) -> Result<Vec<Arc<Principal>>, Fault> {
        let mut others = Vec::new();
        for team in teams.filter(|team| known.key.team_id.as_ref() != Some(team)).take(OTHERS) {
            let key = KeyRecord { team_id: Some(team), ..known.key.clone() };
            let mut other = self.keys.behind(key).await?;
            other.user.clone_from(&known.user);
            other.token.clone_from(&known.token);
            if usable(&other, "", time::now()).is_ok() {
                others.push(Arc::new(other));
            }
        }
        Ok(others)
    }

    /// Where none of the named teams is there, the first of them may be made.
    async fn made_team(&self, claimed: &Claimed) -> Result<Option<String>, Fault> {
        let Some(id) = claimed.teams.first().filter(|_| claimed.team_upsert) else { return Ok(None) };
        let settings = &self.config.litellm;
        let team = settings.default_team.team(id.clone(), time::now(), &settings.zone());
        self.inserted(&team).await?;
        Ok(Some(team.id))
    }

    /// As far as there is one.
    async fn organization(&self, claimed: &Claimed) -> Result<Option<String>, Fault> {
        let Some(id) = &claimed.organization else { return Ok(None) };
        let there = records::get::<Organization>(self.directory.as_ref(), id).await?;
        Ok(there.map(|found| found.record.id))
    }

    /// A user who comes for the first time.
    async fn made(&self, claimed: &Claimed) -> Result<User, Fault> {
        let user = User {
            id: claimed.user.clone().unwrap_or_default(),
            email: claimed.email.clone(),
            sso_id: claimed.user.clone(),
            // What a token says lasts as long as the token.
            role: Some(Role::InternalUserViewer),
            metadata: String::from("{}"),
            ..User::default()
        };
        self.inserted(&user).await?;
        Ok(user)
    }

    async fn inserted<T: Record>(&self, record: &T) -> Result<(), Fault> {
        let change = records::insert(record, time::now(), None)?;
        match self.directory.commit(&[change], &[]).await {
            // Another request was quicker.
            Ok(()) | Err(LedgerError::Conflict(_)) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}
