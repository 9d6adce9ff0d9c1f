//! What the service says of itself (RFC 7643, sections 5 to 7).

use super::answer::{Answer, Fault, Told};
use super::enterprise;
use super::view::{PAGE, View};
use crate::input::MAX_BODY;
use axum::extract::Path;
use serde_json::{Value, json};

const RESOURCE_TYPE: &str = "urn:ietf:params:scim:schemas:core:2.0:ResourceType";
const SCHEMA: &str = "urn:ietf:params:scim:schemas:core:2.0:Schema";
const SERVICE: &str = "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig";

struct Kind {
    endpoint: &'static str,
    schema: &'static Schema,
    extensions: &'static [&'static Schema],
}

struct Schema {
    id: &'static str,
    name: &'static str,
    attributes: &'static [Attribute],
}

struct Attribute {
    name: &'static str,
    /// SCIM's name of what it holds; `complex` where there are parts.
    holds: &'static str,
    many: bool,
    required: bool,
    writable: bool,
    unique: bool,
    parts: &'static [&'static str],
}

const fn text(name: &'static str) -> Attribute {
    Attribute {
        name,
        holds: "string",
        many: false,
        required: false,
        writable: true,
        unique: false,
        parts: &[],
    }
}

const fn complex(name: &'static str, parts: &'static [&'static str]) -> Attribute {
    Attribute { holds: "complex", parts, ..text(name) }
}

static USER: Schema = Schema {
    id: super::USER_SCHEMA,
    name: "User",
    attributes: &[
        Attribute { required: true, unique: true, ..text("userName") },
        text("displayName"),
        complex("name", &["givenName", "familyName", "formatted"]),
        Attribute { many: true, ..complex("emails", &["value", "type", "primary"]) },
        Attribute { holds: "boolean", ..text("active") },
        Attribute { many: true, writable: false, ..complex("groups", &["value", "display", "$ref", "type"]) },
    ],
};

static GROUP: Schema = Schema {
    id: super::GROUP_SCHEMA,
    name: "Group",
    attributes: &[
        Attribute { required: true, ..text("displayName") },
        Attribute { many: true, ..complex("members", &["value", "display", "$ref", "type"]) },
    ],
};

static ENTERPRISE: Schema = Schema {
    id: enterprise::SCHEMA,
    name: "EnterpriseUser",
    attributes: &[
        text(enterprise::TEXTS[0]),
        text(enterprise::TEXTS[1]),
        text(enterprise::TEXTS[2]),
        text(enterprise::TEXTS[3]),
        text(enterprise::TEXTS[4]),
        complex(enterprise::MANAGER, &["value", "$ref", enterprise::NAME]),
    ],
};

static SCHEMAS: &[&Schema] = &[&USER, &GROUP, &ENTERPRISE];

static KINDS: &[Kind] = &[
    Kind { endpoint: "/Users", schema: &USER, extensions: &[&ENTERPRISE] },
    Kind { endpoint: "/Groups", schema: &GROUP, extensions: &[] },
];

impl Attribute {
    fn told(&self) -> Value {
        let parts: Vec<Value> = self.parts.iter().copied().map(|part| self.part(part)).collect();
        let mutability = if self.writable { "readWrite" } else { "readOnly" };
        let uniqueness = if self.unique { "server" } else { "none" };
        let mut told = json!({ "name": self.name, "type": self.holds, "multiValued": self.many,
            "required": self.required, "caseExact": false, "mutability": mutability, "returned": "default",
            "uniqueness": uniqueness });
        if !parts.is_empty() {
            told["subAttributes"] = parts.into();
        }
        told
    }

    fn part(&self, name: &'static str) -> Value {
        let holds = match name {
            "primary" => "boolean",
            "$ref" => "reference",
            _ => "string",
        };
        Attribute { holds, writable: self.writable, ..text(name) }.told()
    }
}

impl Kind {
    fn told(&self, base: &str) -> Value {
        let name = self.schema.name;
        let mut told = json!({ "schemas": [RESOURCE_TYPE], "id": name, "name": name, "endpoint": self.endpoint,
            "schema": self.schema.id, "meta": { "resourceType": "ResourceType",
                "location": format!("{base}/ResourceTypes/{name}") } });
        let extension = |schema: &&Schema| json!({ "schema": schema.id, "required": false });
        if !self.extensions.is_empty() {
            told["schemaExtensions"] = self.extensions.iter().map(extension).collect();
        }
        told
    }
}

impl Schema {
    fn told(&self, base: &str) -> Value {
        let attributes: Vec<Value> = self.attributes.iter().map(Attribute::told).collect();
        json!({ "schemas": [SCHEMA], "id": self.id, "name": self.name, "attributes": attributes,
            "meta": { "resourceType": "Schema", "location": format!("{base}/Schemas/{}", self.id) } })
    }
}

pub(super) async fn service(view: View) -> Told {
    let off = json!({ "supported": false });
    let location = format!("{}/ServiceProviderConfig", view.root());
    Told(
        200,
        json!({
            "schemas": [SERVICE],
            "patch": { "supported": true },
            "bulk": { "supported": false, "maxOperations": 0, "maxPayloadSize": MAX_BODY },
            "filter": { "supported": true, "maxResults": PAGE },
            "changePassword": off,
            "sort": off,
            "etag": { "supported": true },
            "authenticationSchemes": [{ "type": "oauthbearertoken", "name": "Bearer token", "primary": true,
                "description": "A key of a proxy admin, or one of nobody whose allowed_routes are /scim/*." }],
            "meta": { "resourceType": "ServiceProviderConfig", "location": location },
        }),
    )
}

pub(super) async fn types(view: View) -> Told {
    let base = view.root();
    let all: Vec<Value> = KINDS.iter().map(|kind| kind.told(&base)).collect();
    Told::list(all.len() as u64, 1, all)
}

pub(super) async fn one_type(view: View, Path(name): Path<String>) -> Answer {
    let kind = KINDS.iter().find(|kind| kind.schema.name == name).ok_or_else(|| Fault::not_found(&name))?;
    Ok(Told(200, kind.told(&view.root())))
}

pub(super) async fn schemas(view: View) -> Told {
    let base = view.root();
    let all: Vec<Value> = SCHEMAS.iter().map(|schema| schema.told(&base)).collect();
    Told::list(all.len() as u64, 1, all)
}

pub(super) async fn one_schema(view: View, Path(name): Path<String>) -> Answer {
    let schema = SCHEMAS.iter().find(|schema| schema.id == name).ok_or_else(|| Fault::not_found(&name))?;
    Ok(Told(200, schema.told(&view.root())))
}
