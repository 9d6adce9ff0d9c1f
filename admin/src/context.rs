//! What every handler has: who is calling, and what may be used.

use crate::error::Refusal;
use crate::service::Services;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use std::sync::Arc;
use weir_core::domain::key::Caller;
use weir_core::domain::records::{Kept, Record, Role};
use weir_core::model::prices::Catalogue;
use weir_core::ports::records;
use weir_core::ports::{Condition, Directory, LedgerResult, RecordQuery, Sort};

/// Records in one answer of the ledger, which gives no more.
const AT_ONCE: u32 = 10_000;

pub(crate) struct Context {
    pub(crate) services: Arc<Services>,
    pub(crate) caller: Caller,
    /// What models cost, as it was known when the request came.
    pub(crate) catalogue: Arc<Catalogue>,
    /// Whom changes are put down to where nobody called.
    by: Option<&'static str>,
}

/// Nobody's request: the clock's.
const GATEWAY: &str = "weir";

impl FromRequestParts<Arc<Services>> for Context {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, services: &Arc<Services>) -> Result<Self, Refusal> {
        // The guard put it there; without it nothing is allowed.
        let caller = parts.extensions.get::<Caller>().cloned().unwrap_or_default();
        let catalogue = (services.catalogue)();
        Ok(Self { services: Arc::clone(services), caller, catalogue, by: None })
    }
}

impl Context {
    /// For what is done without anybody asking.
    pub(crate) fn of_the_gateway(services: Arc<Services>) -> Self {
        let catalogue = (services.catalogue)();
        Self { services, caller: Caller::Anonymous, catalogue, by: Some(GATEWAY) }
    }

    pub(crate) fn directory(&self) -> &dyn Directory {
        self.services.directory.as_ref()
    }

    /// Whom a change is put down to.
    pub(crate) fn by(&self) -> Option<&str> {
        self.by.or_else(|| self.caller.user_id())
    }

    pub(crate) fn is_admin(&self) -> bool {
        self.caller.is_admin()
    }

    /// May look at everything.
    pub(crate) fn sees_all(&self) -> bool {
        matches!(self.caller.role(), Some(Role::ProxyAdmin | Role::ProxyAdminViewer))
    }

    /// Has the role of an admin in this organisation.
    pub(crate) fn administers(&self, organization: Option<&str>) -> bool {
        let Some((known, id)) = self.caller.principal().zip(organization) else { return false };
        known.memberships.iter().any(|m| m.organization_id == id && m.role == Role::OrgAdmin)
    }

    pub(crate) async fn get<T: Record>(&self, id: &str) -> LedgerResult<Option<Kept<T>>> {
        records::get(self.directory(), id).await
    }

    /// All records that meet the conditions, as far as one answer holds them.
    pub(crate) async fn all<T: Record>(&self, conditions: Vec<Condition>) -> LedgerResult<Vec<Kept<T>>> {
        let query = RecordQuery { conditions, limit: AT_ONCE, ..RecordQuery::default() };
        Ok(records::list(self.directory(), &query).await?.records)
    }

    /// All of them, however many: for changes that must leave none out.
    pub(crate) async fn every<T: Record>(&self, conditions: Vec<Condition>) -> LedgerResult<Vec<Kept<T>>> {
        let mut query = RecordQuery { conditions, sort: Sort::Id, limit: AT_ONCE, ..RecordQuery::default() };
        let mut all = Vec::new();
        loop {
            let found = records::list::<T>(self.directory(), &query).await?.records;
            let is_last = found.len() < AT_ONCE as usize;
            all.extend(found);
            if is_last {
                return Ok(all);
            }
            query.offset += AT_ONCE;
        }
    }
}
