//! Users, organisations, their members, customers and invitations.

use super::keys::PERMISSION;
use super::row::{Refused, Row};
use super::source::{Table, beside};
use super::take::{Context, Part, Taken, extra, limits};
use weir_core::domain::records::{Customer, Invitation, Organization, OrganizationMember, Role, User};
use weir_core::ports::SpendScope;

pub(super) static USERS: Part = Part {
    table: Table {
        name: "LiteLLM_UserTable",
        key: &[("user_id", "TEXT")],
        #[rustfmt::skip]
        columns: &[
            "user_id", "user_alias", "sso_user_id", "password", "user_role", "max_budget", "spend", "user_email",
            "models", "metadata", "max_parallel_requests", "tpm_limit", "rpm_limit", "budget_duration",
            "budget_reset_at", "allowed_cache_controls", "model_max_budget", "created_at", "updated_at",
        ],
        beside: &[beside("object_permission", PERMISSION)],
    },
    convert: user,
    notes: &[
        "teams and team_id come from the teams' own lists of members, organization_id from the organisations'",
        "model_spend has no counterpart",
    ],
};

pub(super) static ORGANIZATIONS: Part = Part {
    table: Table {
        name: "LiteLLM_OrganizationTable",
        key: &[("organization_id", "TEXT")],
        #[rustfmt::skip]
        columns: &[
            "organization_id", "organization_alias", "budget_id", "metadata", "models", "spend", "created_at",
            "created_by", "updated_at", "updated_by",
        ],
        beside: &[beside("object_permission", PERMISSION)],
    },
    convert: organization,
    notes: &["model_spend has no counterpart"],
};

pub(super) static ORGANIZATION_MEMBERS: Part = Part {
    table: Table {
        name: "LiteLLM_OrganizationMembership",
        key: &[("user_id", "TEXT"), ("organization_id", "TEXT")],
        columns: &["user_id", "organization_id", "user_role", "budget_id", "created_at", "updated_at"],
        beside: &[],
    },
    convert: organization_member,
    notes: &["spend of members is counted for their organisation only"],
};

pub(super) static CUSTOMERS: Part = Part {
    table: Table {
        name: "LiteLLM_EndUserTable",
        key: &[("user_id", "TEXT")],
        #[rustfmt::skip]
        columns: &["user_id", "alias", "spend", "allowed_model_region", "default_model", "budget_id", "blocked"],
        beside: &[],
    },
    convert: customer,
    notes: &[],
};

pub(super) static INVITATIONS: Part = Part {
    table: Table {
        name: "LiteLLM_InvitationLink",
        key: &[("id", "TEXT")],
        #[rustfmt::skip]
        columns: &["id", "user_id", "accepted_at", "expires_at", "created_at", "created_by", "updated_at", "updated_by"],
        beside: &[],
    },
    convert: invitation,
    notes: &[],
};

fn user(context: &Context<'_>, row: &Row) -> Result<Vec<Taken>, Refused> {
    let named = row.text("user_role");
    let role = named.as_deref().and_then(Role::parse);
    let unknown = named
        .filter(|_| role.is_none())
        .map(|role| format!("the role {role} is none here: such users have none"));
    let password = row.text("password");
    let password_hash = password.as_deref().and_then(|password| context.secrets.password(password));
    let lost = password.is_some() && password_hash.is_none();
    // Whom a provisioning system has switched off there.
    let inactive = row.object("metadata").get("scim_active") == Some(&false.into());
    let user = User {
        id: row.required("user_id")?,
        alias: row.text("user_alias"),
        email: row.text("user_email"),
        sso_id: row.text("sso_user_id"),
        user_name: None,
        external_id: None,
        role,
        models: row.texts("models"),
        limits: limits(row)?,
        blocked: inactive,
        metadata: row.object_text("metadata"),
        password_hash,
        extra: extra(row, &["allowed_cache_controls", "model_max_budget", "object_permission"]),
    };
    let taken = Taken::new(context, row, &user)?.spending(SpendScope::User, row)?;
    Ok(vec![
        taken.noting(unknown).noting(lost.then(|| "passwords were left out: users set new ones".to_owned())),
    ])
}

fn organization(context: &Context<'_>, row: &Row) -> Result<Vec<Taken>, Refused> {
    let organization = Organization {
        id: row.required("organization_id")?,
        alias: row.text("organization_alias"),
        budget_id: row.text("budget_id"),
        models: row.texts("models"),
        metadata: row.object_text("metadata"),
        extra: extra(row, &["object_permission"]),
    };
    Ok(vec![Taken::new(context, row, &organization)?.spending(SpendScope::Organization, row)?])
}

fn organization_member(context: &Context<'_>, row: &Row) -> Result<Vec<Taken>, Refused> {
    let member = OrganizationMember {
        organization_id: row.required("organization_id")?,
        user_id: row.required("user_id")?,
        role: row.text("user_role").as_deref().and_then(Role::parse).unwrap_or(Role::InternalUserViewer),
        budget_id: row.text("budget_id"),
    };
    Ok(vec![Taken::new(context, row, &member)?])
}

fn customer(context: &Context<'_>, row: &Row) -> Result<Vec<Taken>, Refused> {
    let customer = Customer {
        id: row.required("user_id")?,
        alias: row.text("alias"),
        blocked: row.flag("blocked"),
        budget_id: row.text("budget_id"),
        default_model: row.text("default_model"),
        allowed_model_region: row.text("allowed_model_region"),
        ..Customer::default()
    };
    Ok(vec![Taken::new(context, row, &customer)?.spending(SpendScope::Customer, row)?])
}

fn invitation(context: &Context<'_>, row: &Row) -> Result<Vec<Taken>, Refused> {
    let invitation = Invitation {
        id: row.required("id")?,
        user_id: row.required("user_id")?,
        expires_at: row.moment("expires_at")?.unwrap_or(context.now),
        accepted_at: row.moment("accepted_at")?,
    };
    Ok(vec![Taken::new(context, row, &invitation)?])
}
