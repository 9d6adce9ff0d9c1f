//! Making keys.

use super::table::{self, FIRST, GENERATED, TABLE};
use super::{bounds, budget, lasting, makers, rights, rotate, show, text};
use crate::answer::{Object, Raw, raw};
use crate::budgets;
use crate::context::Context;
use crate::duration;
use crate::error::Refusal;
use crate::fields;
use crate::input::{Fields, Shape};
use crate::throughput;
use crate::work::Work;
use axum::Json;
use weir_core::domain::key::KeyRecord;
use weir_core::domain::money::NanoUsd;
use weir_core::domain::records::{Kept, Record};
use weir_core::ports::{Condition, SpendScope};
use weir_core::time;

const KEY_TYPES: Shape = Shape::OneOf(&["llm_api", "management", "read_only", "default"]);

/// What a key type allows.
static ROUTES_OF: &[(&str, &str)] =
    &[("llm_api", "llm_api_routes"), ("management", "management_routes"), ("read_only", "info_routes")];

/// The type of key that a request asks for, if any.
pub(super) struct KeyType(Option<String>);

impl KeyType {
    pub(super) fn sent(sent: &mut Fields) -> Self {
        Self(sent.take("key_type", KEY_TYPES).and_then(|text| serde_json::from_str(text.get()).ok()))
    }

    /// The routes of this type beside those that are allowed.
    fn add(&self, allowed: &mut Vec<String>) {
        let routes = ROUTES_OF.iter().find(|(name, _)| self.0.as_deref() == Some(*name));
        allowed.extend(routes.map(|(_, routes)| (*routes).to_owned()));
    }

    /// The same in the place of another type's.
    pub(super) fn change(&self, allowed: &mut Vec<String>) {
        if self.0.is_some() {
            allowed.retain(|route| ROUTES_OF.iter().all(|(_, routes)| *routes != route.as_str()));
            self.add(allowed);
        }
    }
}

pub(super) async fn generate(context: Context, sent: Fields) -> Result<Json<Object>, Refusal> {
    let mut wanted = Wanted::read(&context, sent)?;
    if !context.is_admin() && wanted.record.user_id.is_none() {
        wanted.record.user_id = context.by().map(str::to_owned);
    }
    make(context, wanted, "/key/generate").await
}

/// A key of a team, and of no user.
pub(super) async fn service_account(context: Context, sent: Fields) -> Result<Json<Object>, Refusal> {
    let mut wanted = Wanted::read(&context, sent)?;
    let alias = wanted.record.alias.clone().unwrap_or_default();
    wanted.record.user_id = None;
    fields::put_member(&mut wanted.record.metadata, "service_account_id", &alias);
    make(context, wanted, "/key/service-account/generate").await
}

async fn make(context: Context, mut wanted: Wanted, route: &str) -> Result<Json<Object>, Refusal> {
    // LiteLLM takes any text here, and scripts may rely on it.
    budgets::begin_kept(&context, &mut wanted.record.limits, time::now());
    rights::may_make(&context, None, &wanted.record, route).await?;
    makers::may(&context, &wanted.record).await?;
    throughput::of_key(&context, None, &wanted.record).await?;
    lasting::bound(&context, &mut wanted.record, time::now()).await?;
    let kept = keep(&context, &wanted).await?;
    let spend = match wanted.spend {
        Some(_) => show::spent(&context, &kept.hash).await?,
        None => NanoUsd::ZERO,
    };
    let budget = budget::told(&context, &kept.record).await?;
    let told = |name: &str| match name {
        "key" => Some(raw(&wanted.key)),
        budget::NAME => budget.clone(),
        name => table::beside_new(&kept, spend, name),
    };
    Ok(Json(fields::show(TABLE, GENERATED, &kept.record, told)))
}

/// A key that is not kept yet, with its text.
pub(crate) struct NewKey {
    pub(crate) text: String,
    pub(crate) record: KeyRecord,
}

/// The first key of a new user, by the fields of a key that the same request holds.
pub(crate) fn of_user(sent: &mut Fields, wanted: bool) -> Result<Option<NewKey>, Refusal> {
    if !wanted {
        return Ok(None);
    }
    let duration = sent.text("duration").filter(|duration| !duration.is_empty());
    let text = text::fresh()?;
    let mut record = KeyRecord::new(&text);
    fields::read(FIRST, sent, &mut record);
    if let Some(duration) = duration {
        record.expires_at = Some(duration::after(time::now(), &duration).map_err(Refusal::internal)?);
    }
    Ok(Some(NewKey { text, record }))
}

/// Whether the caller may give this key to a new user.
///
/// # Errors
/// 403 for permissions that only proxy admins give; 400 for an alias that is taken.
pub(crate) async fn may_give(context: &Context, key: &NewKey) -> Result<(), Refusal> {
    if !context.is_admin() && !key.record.permissions.is_empty() {
        return Err(rights::only_admins_permit());
    }
    match &key.record.alias {
        Some(alias) => free_alias(context, alias, &key.record).await,
        None => Ok(()),
    }
}

/// The answer to making a user: a key's fields, with what `told` knows better.
pub(crate) fn told_new(key: Option<&NewKey>, told: &dyn Fn(&str) -> Option<Raw>) -> Object {
    static OF_USERS: &[&str] = &["user_email", "user_role", "teams", "user_alias"];
    static UNTOLD: &[&str] = &["token", "token_id", "created_by", "updated_by"];
    let names: Vec<&'static str> = GENERATED.iter().chain(OF_USERS).copied().collect();
    let nobody = KeyRecord { masked: String::new(), ..KeyRecord::new("") };
    fields::show(TABLE, &names, key.map_or(&nobody, |key| &key.record), |name| match name {
        "spend" => told(name).or_else(|| Some(NanoUsd::ZERO.json())),
        "key" => key.map(|key| raw(&key.text)).or_else(|| told(name)),
        "key_name" if key.is_none() => Some(raw(&serde_json::Value::Null)),
        name if UNTOLD.contains(&name) => Some(raw(&serde_json::Value::Null)),
        name => told(name),
    })
}

/// A request that fits.
struct Wanted {
    key: String,
    record: KeyRecord,
    /// What is told as spent from the beginning: keys that move here from elsewhere bring it.
    spend: Option<NanoUsd>,
}

impl Wanted {
    fn read(context: &Context, mut sent: Fields) -> Result<Self, Refusal> {
        let config = (context.services.config)();
        makers::complete(&config.litellm.key_generation, &sent)?;
        bounds::of_new(&config.litellm, &mut sent)?;
        let (key, duration) = (sent.text("key"), sent.text("duration").filter(|d| !d.is_empty()));
        let key_type = KeyType::sent(&mut sent);
        let spend = sent.money("spend").filter(|spend| context.is_admin() && *spend > NanoUsd::ZERO);
        let key_text = key.map(text::chosen);
        let mut record = KeyRecord::new("");
        fields::read(TABLE, &mut sent, &mut record);
        sent.finish()?;
        let key = key_text.unwrap_or_else(text::fresh)?;
        let named = KeyRecord::new(&key);
        (record.hash, record.masked) = (named.hash, named.masked);
        checked(&record)?;
        let now = time::now();
        if let Some(text) = &duration {
            record.expires_at = Some(duration::after(now, text).map_err(Refusal::internal)?);
        }
        if record.rotation.auto {
            record.rotation.next_at = rotate::next_rotation(&record, now)?;
        }
        key_type.add(&mut record.allowed_routes);
        Ok(Self { key, record, spend })
    }
}

/// What no key may hold.
pub(super) fn checked(record: &KeyRecord) -> Result<(), Refusal> {
    let amounts = [("max_budget", record.limits.max_budget), ("soft_budget", record.limits.soft_budget)];
    for (name, amount) in amounts {
        if let Some(amount) = amount.filter(|amount| *amount < NanoUsd::ZERO) {
            return Err(Refusal::wrapped(400, &format!("{name} cannot be negative. Received: {amount}")));
        }
    }
    Ok(())
}

/// Stores a key. A chosen key that is there already stays as it is and is answered as it is stored, unless an alias was
/// asked for: then the alias is in the way. LiteLLM does the same.
async fn keep(context: &Context, wanted: &Wanted) -> Result<Kept<KeyRecord>, Refusal> {
    let record = &wanted.record;
    if let Some(alias) = &record.alias {
        free_alias(context, alias, record).await?;
    }
    if let Some(stored) = context.get::<KeyRecord>(&record.id()).await? {
        return stored_already(record, stored);
    }
    let mut work = Work::new(context);
    let now = work.now;
    work.insert(record)?;
    if let Some(spend) = wanted.spend {
        work.spent(SpendScope::Key, Some(record.id()), spend);
    }
    match work.commit().await {
        Ok(()) => Ok(Kept {
            record: record.clone(),
            version: 1,
            created_at: now,
            created_by: context.by().map(str::to_owned),
            updated_at: now,
            updated_by: context.by().map(str::to_owned),
        }),
        Err(error) => match context.get::<KeyRecord>(&record.id()).await? {
            Some(stored) => stored_already(record, stored),
            None => Err(error),
        },
    }
}

fn stored_already(record: &KeyRecord, stored: Kept<KeyRecord>) -> Result<Kept<KeyRecord>, Refusal> {
    if let Some(alias) = &record.alias {
        let message = "This key exists already under another alias.";
        let same = stored.alias.as_ref() == Some(alias);
        return Err(if same {
            taken(alias)
        } else {
            Refusal::told(400, "bad_request_error", "key", message)
        });
    }
    tracing::warn!(key = %stored.masked, "this key exists already; nothing of it was changed");
    Ok(stored)
}

/// # Errors
/// Another key has this alias.
pub(super) async fn free_alias(context: &Context, alias: &str, own: &KeyRecord) -> Result<(), Refusal> {
    let there = context.all::<KeyRecord>(vec![Condition::In("alias", vec![alias.to_owned()])]).await?;
    if there.iter().all(|key| key.hash == own.hash) {
        return Ok(());
    }
    Err(taken(alias))
}

fn taken(alias: &str) -> Refusal {
    let message =
        format!("Key with alias '{alias}' already exists. Unique key aliases across all keys are required.");
    Refusal::told(400, "bad_request_error", "key_alias", message)
}
