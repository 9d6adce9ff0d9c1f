//! An identity provider with a key of its own. A test says what it shall say.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use rcgen::KeyPair;
use serde_json::{Map, Value, json};
use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard};
use weir_bench::mock::{MockServer, Reply, Seen, Upstream};
use weir_core::domain::ids::KeyHash;

pub const CLIENT: &str = "weir";

pub struct Idp {
    key: KeyPair,
    said: Mutex<Said>,
}

/// What the provider knows and says next.
#[derive(Default)]
pub struct Said {
    pub url: String,
    /// Of the browser that was sent here.
    pub challenge: String,
    pub nonce: String,
    /// Over the usual claims of the id token; null takes one away.
    pub claims: Value,
    /// Over the usual details.
    pub userinfo: Value,
    /// Another key than the published one, or none at all.
    pub signed_with: Signed,
    codes: HashSet<String>,
}

#[derive(Clone, Copy, Default, PartialEq)]
pub enum Signed {
    #[default]
    Own,
    Foreign,
    None,
}

impl Idp {
    pub async fn start() -> (Arc<Idp>, MockServer) {
        let idp = Arc::new(Idp { key: KeyPair::generate().unwrap(), said: Mutex::default() });
        let server = MockServer::start(Arc::clone(&idp)).await.unwrap();
        idp.said().url = server.url();
        (idp, server)
    }

    pub fn said(&self) -> MutexGuard<'_, Said> {
        self.said.lock().unwrap()
    }

    /// A token with these claims, signed with the published key.
    pub fn token(&self, claims: &Value) -> String {
        signed(&self.key, claims)
    }

    pub fn foreign_token(claims: &Value) -> String {
        signed(&KeyPair::generate().unwrap(), claims)
    }

    pub fn unsigned_token(claims: &Value) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        format!("{}.{}.", part(&json!({ "alg": "none", "typ": "JWT" })), part(claims))
    }

    fn document(url: &str) -> Value {
        json!({
            "issuer": url,
            "authorization_endpoint": format!("{url}/authorize"),
            "token_endpoint": format!("{url}/token"),
            "userinfo_endpoint": format!("{url}/userinfo"),
            "end_session_endpoint": format!("{url}/logout"),
            "jwks_uri": format!("{url}/jwks"),
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["ES256"],
        })
    }

    fn jwks(&self) -> Value {
        let point = self.key.public_key_raw();
        let (x, y) = (URL_SAFE_NO_PAD.encode(&point[1..33]), URL_SAFE_NO_PAD.encode(&point[33..65]));
        json!({ "keys": [{ "kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": "one", "x": x, "y": y }] })
    }

    /// One code for one token, and only for the browser that brings the verifier.
    fn redeem(&self, seen: &Seen) -> Reply {
        let form = String::from_utf8_lossy(&seen.body).into_owned();
        let field = |name: &str| {
            let found = form.split('&').find_map(|pair| pair.strip_prefix(&format!("{name}=")));
            percent_encoding::percent_decode_str(found.unwrap_or_default()).decode_utf8_lossy().into_owned()
        };
        let mut said = self.said();
        let proof = URL_SAFE_NO_PAD.encode(KeyHash::of(&field("code_verifier")).bytes());
        if proof != said.challenge || !said.codes.insert(field("code")) {
            return Reply::json(400, &json!({ "error": "invalid_grant" }));
        }
        let claims = id_claims(&said);
        let id_token = match said.signed_with {
            Signed::Own => self.token(&claims),
            Signed::Foreign => Idp::foreign_token(&claims),
            Signed::None => Idp::unsigned_token(&claims),
        };
        Reply::json(200, &json!({ "access_token": "opaque", "token_type": "Bearer", "id_token": id_token }))
    }
}

fn signed(key: &KeyPair, claims: &Value) -> String {
    let header = Header { kid: Some(String::from("one")), ..Header::new(Algorithm::ES256) };
    encode(&header, claims, &EncodingKey::from_ec_pem(key.serialize_pem().as_bytes()).unwrap()).unwrap()
}

pub fn now() -> i64 {
    weir_core::time::now().seconds()
}

fn id_claims(said: &Said) -> Value {
    let mut claims = json!({ "iss": said.url, "sub": "subject-1", "aud": CLIENT, "nonce": said.nonce, "iat": now(),
        "exp": now() + 60 });
    let overrides = said.claims.as_object().cloned().unwrap_or_default();
    let claims_of = claims.as_object_mut().unwrap();
    for (name, value) in overrides {
        claims_of.insert(name, value);
    }
    claims_of.retain(|_, value| !value.is_null());
    claims
}

impl Upstream for Idp {
    fn answer(&self, seen: &Seen) -> Reply {
        match seen.route() {
            "/.well-known/openid-configuration" => {
                let url = self.said().url.clone();
                Reply::json(200, &Idp::document(&url))
            }
            // Of all tenants at once, as Microsoft publishes it.
            "/common/.well-known/openid-configuration" => {
                let url = self.said().url.clone();
                let mut document = Idp::document(&url);
                document["issuer"] = format!("{url}/{{tenantid}}").into();
                Reply::json(200, &document)
            }
            // Of one of its tenants.
            "/t-1/v2.0/.well-known/openid-configuration" => {
                let url = self.said().url.clone();
                let mut document = Idp::document(&url);
                document["issuer"] = format!("{url}/t-1/v2.0").into();
                Reply::json(200, &document)
            }
            "/jwks" => Reply::json(200, &self.jwks()),
            "/token" => self.redeem(seen),
            "/userinfo" => {
                let mut all: Map<String, Value> = Map::new();
                all.insert("sub".into(), "subject-1".into());
                all.insert("preferred_username".into(), "alice".into());
                all.insert("email".into(), "alice@work.example".into());
                all.extend(self.said().userinfo.as_object().cloned().unwrap_or_default());
                Reply::json(200, &Value::Object(all))
            }
            "/introspect" => self.introspect(seen),
            graph if graph.starts_with("/graph/") => self.graph(seen),
            _ => Reply::json(404, &json!({})),
        }
    }
}

impl Idp {
    /// Microsoft's Graph: somebody is in g-1 and g-2, told on two pages; g-1 and g-3 were given the application p1.
    fn graph(&self, seen: &Seen) -> Reply {
        let url = self.said().url.clone();
        let group = |id: &str| json!({ "@odata.type": "#microsoft.graph.group", "id": id });
        let given = |kind: &str, id: &str| json!({ "principalType": kind, "principalId": id, "principalDisplayName": id });
        if seen.header("authorization") != "Bearer opaque" {
            return Reply::json(403, &json!({}));
        }
        let (value, next) = match seen.route() {
            "/graph/me/memberOf" => {
                let role = json!({ "@odata.type": "#microsoft.graph.directoryRole", "id": "r-1" });
                (json!([group("g-1"), role]), format!("{url}/graph/more"))
            }
            // A token is shown to nobody else.
            "/graph/more" => (json!([group("g-2")]), format!("{url}/elsewhere")),
            "/graph/servicePrincipals/p1/appRoleAssignedTo" => {
                (json!([given("Group", "g-1"), given("User", "u-1"), given("Group", "g-3")]), String::new())
            }
            _ => return Reply::json(404, &json!({})),
        };
        let mut page = json!({ "value": value });
        if !next.is_empty() {
            page["@odata.nextLink"] = next.into();
        }
        Reply::json(200, &page)
    }

    /// Opaque tokens: `good-NAME` is of NAME.
    fn introspect(&self, seen: &Seen) -> Reply {
        let form = String::from_utf8_lossy(&seen.body).into_owned();
        let token = form.split('&').find_map(|pair| pair.strip_prefix("token=")).unwrap_or_default();
        let token = percent_encoding::percent_decode_str(token).decode_utf8_lossy().into_owned();
        match token.strip_prefix("good-") {
            Some(name) => Reply::json(200, &json!({ "active": true, "sub": name, "role": "internal_user" })),
            None => Reply::json(200, &json!({ "active": false })),
        }
    }
}
