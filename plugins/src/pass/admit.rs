//! May this caller pass this request through, and to whom does it go?

use super::{Pass, Prefix, Way};
use crate::deployment::Deployment;
use crate::exchange::Exchange;
use crate::filters::usable;
use crate::models::Group;
use serde_json::Value;
use std::sync::Arc;
use weir_core::access::not_of_key;
use weir_core::domain::key::{KeyRecord, Principal};
use weir_core::error::{ApiError, Kind};

/// Chooses the deployments, and refuses what the caller's key does not allow.
///
/// # Errors
/// 401 for a model that the key may not use, or for a request that does not say which one it uses; 501 where the
/// provider is not set up.
pub fn admit(x: &mut Exchange, mut pass: Box<Pass>) -> Result<(), ApiError> {
    if let Some(known) = x.caller.principal() {
        within(&pass, known)?;
        allowed(x, &pass, known)?;
    }
    let group = match &pass.way {
        Way::Configured(endpoint) => alone(&endpoint.deployment),
        Way::Provider(prefix) => {
            let known = configured(x, &pass, prefix);
            pass.routed = known.is_some();
            match known {
                Some(group) => group,
                None => alone(&environment(x, &pass, prefix)?),
            }
        }
    };
    x.target.requested = pass.meant.model.as_ref().map_or_else(|| group.name.clone(), |m| m.name.clone());
    x.target.group = Some(Arc::new(group));
    x.target.bound = true;
    x.request.pass = Some(pass);
    Ok(())
}

fn alone(deployment: &Arc<Deployment>) -> Group {
    Group { name: deployment.group.clone(), deployments: vec![Arc::clone(deployment)] }
}

fn environment(x: &Exchange, pass: &Pass, prefix: &'static Prefix) -> Result<Arc<Deployment>, ApiError> {
    let deployment = x.snapshot.pass.provider(prefix, pass)?;
    if x.snapshot.config.weir.block_unpriced && pass.meant.dialect.is_some() && deployment.price.is_none() {
        let message =
            "No price is known for this model, and weir_settings.block_unpriced refuses such models.";
        return Err(ApiError::new(Kind::BadRequest, message));
    }
    Ok(deployment)
}

/// The config's deployments of this provider for the model that is named.
fn configured(x: &Exchange, pass: &Pass, prefix: &Prefix) -> Option<Group> {
    let named = pass.meant.model.as_ref()?;
    let group = x.snapshot.models.find_for(&named.name, &x.caller)?;
    let here = |d: &&Arc<Deployment>| prefix.serves(d.provider.prefix) && d.mock.is_none();
    let deployments: Vec<_> = group.deployments.iter().filter(here).cloned().collect();
    (!deployments.is_empty()).then(|| Group { name: group.name.clone(), deployments })
}

impl Prefix {
    /// Whether a deployment of this provider has the API that stands below the prefix.
    pub(super) fn serves(&self, provider: &str) -> bool {
        provider == self.provider || (self.provider, provider) == ("cohere", "cohere_chat")
    }
}

/// A key and its team may be limited to some of what is passed through (`allowed_passthrough_routes`). A key's
/// `allowed_routes` count in their place.
fn within(pass: &Pass, known: &Principal) -> Result<(), ApiError> {
    if pass.is_public() || !known.key.allowed_routes.is_empty() {
        return Ok(());
    }
    let path = pass.route();
    let metadata = [Some(&known.key.metadata), known.team.as_ref().map(|team| &team.metadata)];
    let mut lists = metadata.into_iter().flatten().map(|metadata| routes_in(metadata));
    let outside = |routes: &Vec<String>| !routes.is_empty() && !routes.iter().any(|r| covers(r, &path));
    lists.find(outside).map_or(Ok(()), |routes| Err(not_of_key(&routes, &path)))
}

/// Empty: all.
fn routes_in(metadata: &str) -> Vec<String> {
    const NAME: &str = "allowed_passthrough_routes";
    if !metadata.contains(NAME) {
        return Vec::new();
    }
    let metadata: Value = serde_json::from_str(metadata).unwrap_or_default();
    let listed = metadata[NAME].as_array().into_iter().flatten();
    listed.filter_map(|route| route.as_str().map(str::to_owned)).collect()
}

/// `route`: an endpoint with what is below it, or a pattern that ends in `*`.
fn covers(route: &str, path: &str) -> bool {
    match route.strip_suffix('*') {
        Some(prefix) => path.starts_with(prefix),
        None => {
            let below = path.strip_prefix(route.trim_end_matches('/'));
            below.is_some_and(|below| below.is_empty() || below.starts_with('/'))
        }
    }
}

/// Whoever is restricted to models (the key, its team, its user) uses no other, however it is named, and nothing that
/// names none. An endpoint of the config is the operator's own and need not name a model.
fn allowed(x: &Exchange, pass: &Pass, known: &Principal) -> Result<(), ApiError> {
    let may = |name: &str| usable(known, name, &x.snapshot.models);
    match (&pass.meant.model, &pass.way) {
        (Some(named), Way::Provider(prefix)) => may(&named.name)
            .or_else(|denied| may(&format!("{}/{}", prefix.provider, named.name)).map_err(|_| denied)),
        (Some(named), Way::Configured(_)) => may(&named.name),
        (None, Way::Configured(_)) => Ok(()),
        // Only who may use all models may use a name that cannot be one.
        (None, Way::Provider(_)) => may("").map_err(|_| nameless(&known.key)),
    }
}

fn nameless(key: &KeyRecord) -> ApiError {
    let message = format!(
        "key not allowed to access model. This key can only access models=[{}], and this request names no model that \
         could be compared; use a key without a list of models",
        key.models.iter().map(|m| format!("'{m}'")).collect::<Vec<_>>().join(", ")
    );
    ApiError::new(Kind::ModelDenied, message)
}
