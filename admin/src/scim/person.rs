//! What of a user is provisioned, as it is read and as it is told.

use super::answer::Fault;
use super::enterprise::{self, Enterprise};
use super::etag;
use super::filter::member;
use super::view::{View, texts};
use super::{USER_SCHEMA, fit, unfit};
use crate::fields;
use crate::input::{Fields, Shape};
use serde_json::{Map, Value, json};
use weir_core::domain::records::{Kept, User};

/// A user as an identity provider describes one.
#[derive(Debug)]
pub(super) struct Person {
    pub(super) user_name: String,
    external_id: Option<String>,
    /// `None`: nothing is said of them.
    pub(super) email: Option<Option<String>>,
    display: Option<String>,
    given: Option<String>,
    family: Option<String>,
    /// `None`: nothing is said of it.
    active: Option<bool>,
    /// Ids of teams, to be in from the beginning.
    pub(super) groups: Vec<String>,
    enterprise: Enterprise,
}

/// Where LiteLLM keeps the parts of a name, and whether somebody is active.
const NAME: &str = "scim_metadata";
const ACTIVE: &str = "scim_active";

impl Person {
    /// # Errors
    /// 400 for what does not fit.
    pub(super) fn read(mut sent: Fields) -> Result<Self, Fault> {
        sent.texts("schemas");
        let user_name = sent.required_text("userName");
        let external_id = sent.text("externalId").filter(|id| !id.is_empty());
        let display = sent.text("displayName").filter(|name| !name.is_empty());
        let active = sent.flag("active");
        let name: Map<String, Value> = taken(&mut sent, "name", Shape::Object).unwrap_or_default();
        let emails: Option<Vec<Value>> = taken(&mut sent, "emails", Shape::List);
        let groups: Vec<Value> = taken(&mut sent, "groups", Shape::List).unwrap_or_default();
        let enterprise: Map<String, Value> =
            taken(&mut sent, enterprise::SCHEMA, Shape::Object).unwrap_or_default();
        sent.finish()?;
        let [given, family, formatted] =
            ["givenName", "familyName", "formatted"].map(|part| text(&name, part));
        let both: Vec<&str> = [&given, &family].into_iter().flatten().map(String::as_str).collect();
        let full = Some(both.join(" ")).filter(|full| !full.is_empty());
        let person = Self {
            user_name: user_name.trim().to_owned(),
            external_id,
            email: emails.as_deref().map(address),
            display: display.or(formatted).or(full),
            given,
            family,
            active,
            groups: texts(&groups, "value"),
            enterprise: Enterprise::read(&enterprise)?,
        };
        person.checked()
    }

    fn checked(self) -> Result<Self, Fault> {
        if self.user_name.is_empty() {
            return Err(Fault::value("userName: it is empty"));
        }
        let named =
            [Some(&self.user_name), self.external_id.as_ref(), self.display.as_ref()].into_iter().flatten();
        if !fit(named.chain(self.email.iter().flatten()).chain(&self.groups).chain(self.enterprise.texts())) {
            return Err(unfit());
        }
        Ok(self)
    }

    /// Makes the user what is said of it.
    pub(super) fn onto(self, user: &mut User) {
        fields::put_member(
            &mut user.metadata,
            NAME,
            &json!({ "givenName": self.given, "familyName": self.family }),
        );
        self.enterprise.onto(&mut user.metadata);
        user.user_name = Some(self.user_name);
        user.external_id = self.external_id;
        user.alias = self.display;
        if let Some(email) = self.email {
            user.email = email;
        }
        if let Some(active) = self.active {
            user.blocked = !active;
        }
        fields::put_member(&mut user.metadata, ACTIVE, &!user.blocked);
    }
}

fn taken<T: serde::de::DeserializeOwned>(sent: &mut Fields, name: &'static str, shape: Shape) -> Option<T> {
    serde_json::from_str(sent.take(name, shape)?.get()).ok()
}

fn text(object: &Map<String, Value>, name: &str) -> Option<String> {
    member(object, name)?.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

/// The primary address, else the one at work, else any.
fn address(emails: &[Value]) -> Option<String> {
    let filled = |email: &&Value| email["value"].as_str().is_some_and(|value| !value.is_empty());
    let primary = |email: &&Value| email["primary"] == true || email["primary"] == "true";
    let work = |email: &&Value| email["type"] == "work";
    let all = || emails.iter().filter(filled);
    let chosen = all().find(primary).or_else(|| all().find(work)).or_else(|| all().next());
    chosen.and_then(|email| email["value"].as_str()).map(str::to_owned)
}

// --- telling ---

/// The name that the user is provisioned under; of others the one that they sign in with.
pub(super) fn user_name(user: &User) -> &str {
    user.user_name.as_deref().or(user.email.as_deref()).unwrap_or(&user.id)
}

/// `groups`: as SCIM tells them.
pub(super) fn version(user: &Kept<User>, groups: &[Value]) -> String {
    let parts =
        groups.iter().map(|group| ["value", "display"].map(|part| group[part].as_str().unwrap_or_default()));
    etag::version(user, parts)
}

/// `groups`: as SCIM tells them; `None`: they were not looked for.
pub(super) fn told(view: &View, user: &Kept<User>, groups: Option<Vec<Value>>) -> Value {
    let metadata: Value = serde_json::from_str(&user.metadata).unwrap_or_default();
    let (given, family) = (&metadata[NAME]["givenName"], &metadata[NAME]["familyName"]);
    let emails: Vec<Value> =
        user.email.iter().map(|email| json!({ "value": email, "type": "work", "primary": true })).collect();
    let version = groups.as_ref().map(|groups| version(user, groups));
    let mut told = json!({
        "schemas": [USER_SCHEMA],
        "id": user.id,
        "externalId": user.external_id,
        "userName": user_name(user),
        "displayName": user.alias,
        "name": { "givenName": given, "familyName": family, "formatted": user.alias },
        "emails": emails,
        "active": !user.blocked,
        "groups": groups,
        "meta": view.meta("User", &user.id, user, version),
    });
    if let Some(enterprise) = Enterprise::of(&metadata) {
        told["schemas"] = json!([USER_SCHEMA, enterprise::SCHEMA]);
        told[enterprise::SCHEMA] = enterprise.told(view);
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: Value) -> Result<Person, Fault> {
        Person::read(Fields::parse(body.to_string().as_bytes())?)
    }

    #[test]
    fn a_person_is_read_with_whatever_providers_send() {
        let person = read(json!({ "userName": " alice ", "active": "False", "externalId": "00u1",
            "name": { "GivenName": "Alice", "familyName": "Ash" }, "title": "ignored",
            "emails": [{ "value": "home@x", "type": "home" }, { "type": "work" }, { "value": "work@x", "primary": true }] }));
        let person = person.unwrap();
        let mut user = User { metadata: r#"{"kept":1}"#.into(), ..User::default() };
        person.onto(&mut user);
        assert_eq!((user.user_name.as_deref(), user.blocked), (Some("alice"), true));
        assert_eq!((user.email.as_deref(), user.alias.as_deref()), (Some("work@x"), Some("Alice Ash")));
        let metadata: Value = serde_json::from_str(&user.metadata).unwrap();
        assert_eq!((&metadata["kept"], &metadata["scim_metadata"]["familyName"]), (&json!(1), &json!("Ash")));
    }

    #[test]
    fn what_is_not_said_stays_and_what_does_not_fit_is_refused() {
        let mut user = User { blocked: true, email: Some("a@x".into()), ..User::default() };
        read(json!({ "userName": "a" })).unwrap().onto(&mut user);
        assert!(user.blocked && user.email.is_some());
        read(json!({ "userName": "a", "emails": [], "active": true })).unwrap().onto(&mut user);
        assert!(!user.blocked && user.email.is_none());
        for body in [
            json!({}),
            json!({ "userName": " " }),
            json!({ "userName": "x".repeat(300) }),
            json!({ "userName": "a", "active": "maybe" }),
            json!({ "userName": "a", "emails": "a@x" }),
            json!({ "userName": "a", "emails": [{ "value": "a\u{0}@x" }] }),
            json!({ "userName": ["a"] }),
        ] {
            assert!(read(body.clone()).is_err(), "{body}");
        }
    }
}
