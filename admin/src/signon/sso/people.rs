//! Which user somebody is who comes from the identity provider. Nobody is turned away for being one too many.

use super::claims::{Group, Person};
use crate::context::Context;
use crate::error::Refusal;
use crate::teams;
use crate::users;
use crate::work::Work;
use serde_json::json;
use std::collections::HashSet;
use weir_core::config::env::Env;
use weir_core::domain::key::MASTER_USER;
use weir_core::domain::records::{Kept, Member, Moves, Role, Team, User};
use weir_core::error::{ApiError, Kind};
use weir_core::ports::Condition;
use weir_core::ports::records::get_all;

/// Longer ids are none.
const LONGEST: usize = 256;
/// Groups of one person that may be teams.
const GROUPS: usize = 500;

/// The user, made or brought up to date.
///
/// # Errors
/// 403 for who is not let in.
pub(in crate::signon) async fn user(context: &Context, person: &Person) -> Result<User, Refusal> {
    let config = (context.services.config)();
    allowed(&config.env, person)?;
    let kept = find(context, person).await?;
    let (mut user, teams) = match &kept {
        Some(kept) => (kept.record.clone(), Vec::new()),
        None => users::with_defaults(context, fresh(person))?,
    };
    user.sso_id = Some(person.id.clone());
    user.email = person.email.clone().or(user.email);
    user.alias = user.alias.or_else(|| person.name.clone());
    user.role = Some(role(&config.env, person, &user));
    let mut work = Work::new(context);
    match &kept {
        Some(kept) if kept.record == user => {}
        Some(kept) => work.update(kept, &user, "updated")?,
        None => work.insert(&user)?,
    }
    teams::place(context, &mut work, &user, teams.clone()).await?;
    let founded = founded(context, &mut work, &person.assigned).await?;
    if let Some(groups) = &person.groups {
        follow(context, &mut work, &user, groups, &teams, founded).await?;
    }
    work.commit().await?;
    Ok(user)
}

fn fresh(person: &Person) -> User {
    let metadata = match &person.vouched_by {
        Some(name) => json!({ "auth_provider": name }).to_string(),
        None => String::from("{}"),
    };
    User { id: person.id.clone(), metadata, ..User::default() }
}

/// Who may come at all.
fn allowed(env: &Env, person: &Person) -> Result<(), Refusal> {
    let id = &person.id;
    // The master's user is nobody's to become.
    if id.len() > LONGEST || id.contains('\0') || id == MASTER_USER {
        return Err(not_admitted("This identity cannot be a user here."));
    }
    let Some(domains) = env.filled("ALLOWED_EMAIL_DOMAINS") else { return Ok(()) };
    let domain = person.email.as_deref().and_then(|email| email.rsplit_once('@')).map(|(_, domain)| domain);
    let mut known = domains.split(',').map(|known| known.trim().trim_start_matches('@'));
    if domain.is_some_and(|domain| known.any(|known| known.eq_ignore_ascii_case(domain))) {
        return Ok(());
    }
    Err(not_admitted("This e-mail address is of none of the domains that may sign in here."))
}

fn not_admitted(message: &str) -> Refusal {
    ApiError::new(Kind::RouteDenied, message).with_status(403).into()
}

/// By the provider's id, also as it was provisioned, by our own, or by an e-mail address that the provider vouches for. A
/// user who belongs to another identity is found by the first only.
async fn find(context: &Context, person: &Person) -> Result<Option<Kept<User>>, Refusal> {
    let by_identity = context.all::<User>(vec![Condition::In("sso_id", vec![person.id.clone()])]).await?;
    if let Some(found) = by_identity.into_iter().next() {
        return Ok(Some(found));
    }
    let mut provisioned =
        context.all::<User>(vec![Condition::In("external_id", vec![person.id.clone()])]).await?;
    provisioned.retain(|user| user.sso_id.is_none());
    if let (Some(found), true) = (provisioned.pop(), provisioned.is_empty()) {
        return Ok(Some(found));
    }
    if let Some(found) = context.get::<User>(&person.id).await? {
        return if found.sso_id.is_none() { Ok(Some(found)) } else { Err(taken()) };
    }
    let Some(email) = person.email.clone().filter(|_| person.email_verified) else { return Ok(None) };
    let mut by_email = context.all::<User>(vec![Condition::In("email", vec![email])]).await?;
    by_email.retain(|user| user.sso_id.is_none());
    Ok(if by_email.len() == 1 { by_email.pop() } else { None })
}

fn taken() -> Refusal {
    not_admitted("A user of this name belongs to another identity. Ask an admin.")
}

/// The operator's word, the provider's, what the user was, the least.
fn role(env: &Env, person: &Person, user: &User) -> Role {
    if env.filled("PROXY_ADMIN_ID").is_some_and(|id| id == person.id || id == user.id) {
        return Role::ProxyAdmin;
    }
    person.role.or(user.role).unwrap_or(Role::InternalUserViewer)
}

/// Makes teams of groups that are none yet.
async fn founded(context: &Context, work: &mut Work<'_>, assigned: &[Group]) -> Result<Vec<Team>, Refusal> {
    let assigned = &assigned[..assigned.len().min(GROUPS)];
    if assigned.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<String> = assigned.iter().map(|group| group.id.clone()).collect();
    let there = get_all::<Team>(context.directory(), &ids).await?;
    let mut teams: Vec<Team> = Vec::new();
    for group in assigned {
        if there.iter().any(|team| team.id == group.id) || teams.iter().any(|team| team.id == group.id) {
            continue;
        }
        let (id, alias, metadata) = (group.id.clone(), group.name.clone(), String::from("{}"));
        let team = Team { id, alias, metadata, ..Team::default() };
        work.insert(&team)?;
        teams.push(team);
    }
    Ok(teams)
}

/// Into the teams, by id, that the groups are, and out of those that no group is any more. Whom an admin has put into a
/// team stays there. `joined`: already, in the same work. `founded`: in the same work, so that the ledger has not got them.
async fn follow(
    context: &Context,
    work: &mut Work<'_>,
    user: &User,
    groups: &[String],
    joined: &[String],
    founded: Vec<Team>,
) -> Result<(), Refusal> {
    let wanted: HashSet<&String> =
        groups.iter().filter(|id| !id.contains('\0') && !joined.contains(id)).collect();
    let wanted: Vec<String> = wanted.into_iter().take(GROUPS).cloned().collect();
    let named = get_all::<Team>(context.directory(), &wanted).await?;
    let mut named: Vec<Team> = named.into_iter().map(|kept| kept.record).collect();
    named.extend(founded.into_iter().filter(|team| wanted.contains(&team.id)));
    let theirs = vec![Condition::In("user_id", vec![user.id.clone()])];
    let there = context.all::<Member>(theirs).await?.into_iter().map(|kept| kept.record).collect();
    let mut moves = Moves::of(user, &named, there, false);
    if groups.len() > GROUPS {
        // It is not known which ones are missing.
        moves.leaves.clear();
    }
    for member in &moves.joins {
        work.insert(member)?;
    }
    let leaves: Vec<&Member> = moves.leaves.iter().collect();
    teams::leave(context, work, &leaves).await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person(id: &str, email: &str) -> Person {
        Person { id: id.to_owned(), email: Some(email.to_owned()), ..Person::default() }
    }

    #[test]
    fn p37_only_allowed_domains_come_in() {
        let env = Env::of([("ALLOWED_EMAIL_DOMAINS", "work.example, @lab.example")]);
        for (email, ok) in [
            ("a@work.example", true),
            ("a@LAB.example", true),
            ("a@evil.example", false),
            ("a@work.example@evil.example", false),
            ("a@sub.work.example", false),
            ("work.example", false),
        ] {
            assert_eq!(allowed(&env, &person("a", email)).is_ok(), ok, "{email}");
        }
        assert!(allowed(&Env::default(), &person("a", "a@any.example")).is_ok());
        assert!(allowed(&Env::default(), &person(MASTER_USER, "a@any.example")).is_err());
    }

    #[test]
    fn a_role_is_the_operators_the_providers_or_the_least() {
        let env = Env::of([("PROXY_ADMIN_ID", "root")]);
        let was = User { role: Some(Role::InternalUser), ..User::default() };
        assert_eq!(role(&env, &person("root", "a@b"), &was), Role::ProxyAdmin);
        let told = Person { role: Some(Role::ProxyAdminViewer), ..person("a", "a@b") };
        assert_eq!(role(&env, &told, &was), Role::ProxyAdminViewer);
        assert_eq!(role(&env, &person("a", "a@b"), &was), Role::InternalUser);
        assert_eq!(role(&env, &person("a", "a@b"), &User::default()), Role::InternalUserViewer);
    }
}
