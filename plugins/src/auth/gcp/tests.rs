//! A key that was made for these tests and opens nothing, without its armour, so that no scanner takes it for a leak.

use super::*;
use jsonwebtoken::{DecodingKey, Validation};
use serde_json::{Value, json};

const KEY: &str = "\
    MIIEvAIBADANBgkqhkiG9w0BAQEFAASCBKYwggSiAgEAAoIBAQCiIoPRsT1ou5G2ZobCrr6dVO/mFuFbYZRTCMA7f6xKt+ID\
    tN9ufSJtBoNnrXpRG8VYUPiqnV7nK84Ghjy9e0KneL5ay/lVU048D4/mAPDQ6u20biUC39imIPA993mvMcgY8KUfV8fMy7Sc\
    cKdph2t34gju40HUFLJK9ysd0m8QTWeutkOSK/qTZGZ2iOprKx21PZsQOzABgnh0TYQGwaQCYygRY0c2dnaYgj9Tv353Xurh\
    3YEaFMHDhGyq+RBIQ1bSsJ0vMBpKX6cZOInWr0lIW0Dtw5x/R0J4utK7HwS/T7EuH7BPRgyJdoBnv5eG6goAlmimZZKU2djc\
    /tO+r2rHAgMBAAECgf8bO7Doh9zIuri+6nm4OaHKy3mALFeuAbXoPJANbmSCKGDOPpNI+7vMlEt+HqVs+j0rmG4sOkK2kaUJ\
    c4LAUPPhLWbL2XcH3fZGIFcLSx0n+k3zAI027mJ1hRLVVbwasUHq7oDNwvDMdWrg3AtCrnxeppjZh1KHTPKlpN6ZI7+D/Teb\
    5UDHAGaqNwFgXWZKGyDxmLC72kC76d8OWXw4SujztUDMMO5tB0MLTwpCl8yAyoMn4FKgXKQjT5mtLe7pw/XL/3djvqQcwFYc\
    fiFaMXagCdBBYwajXKHOspF+v7z6lmtYcbZ1YXHcXLabDwBPZuEafw5EMnoUPDyraeoHIQECgYEA4j6AZQXfxq5Cbb8ZOYSw\
    /xPnMbq71tUZkVuZ+FQNqHof7xIwSl8fzrbVZFE+VcpFzIrX4JvtxPJHlydlccB1lhESpWHuHlu0ndoZKaC2qqQJVYBWVj6Z\
    eCnqByj4yTCbadj+79qcLg2RPCs/7rHWv/KOeTx7uwCoMNys5OHJ4IECgYEAt3V+Ifvl7nBZhBR87n5CDHlMrs9J2KhxNKw5\
    QN2zNZxluPaZz35Gp3MdeF391MFmbA1ERDKiavU+ZHj7Jujaag9DGTcp/MicdTovzEvb8xJzB3IwEIXP5xFRiO+EGXTzZX+d\
    ba+kfcpwu39YU0m+z/nvLFyANTCywGGnwo8+p0cCgYEAlUOzJfN4LfauMQXROJeIxuF0uOSAJT62/aW3sZSS5kKcavhPD+Iu\
    dA1AQE0xmRw4bLh1sORvPG60OM9vKFtXuMhOyvoPRcwvH63SyBoWKgLLfbOMQp5OVm8gzdSEPwhooK7fk5NhUyj0VwQZy/tc\
    uYrn4Ki84SWP0ZzmHKOyswECgYAIf6zkLiMstI+xCrHu6nJs2YGv53JoUwVLh17vnlWa+i/MLcBaWGM1hqOq28/Sd1MjVkn/\
    TskvY0UMqn4YA1l66FIXbPLI/xIgbB2ivTDnRceGZMfNPCWxcp/wVAgulbhgz1SfrC9WlHY8eV3CHfx07gMibvaRgDwHpX58\
    CN7CKQKBgQCq2rAMZb1O+YlskCam7hnaWcbVB2IiUDm6H/U6bCcxJ01HUFlxxe5tBbIXMGdXkid7/d/ZVq3nuW5VvvxoYC+o\
    Ike6yILh6yeXxnlJsrG/dK+XEJM8qPJmIQ2o8ptkBdBD6s5ouOBcOPvVA91M+skfFrBjKD4943XA/4aZaDVGig==";
const PUBLIC: &str = "\
    MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAoiKD0bE9aLuRtmaGwq6+nVTv5hbhW2GUUwjAO3+sSrfiA7Tfbn0i\
    bQaDZ616URvFWFD4qp1e5yvOBoY8vXtCp3i+Wsv5VVNOPA+P5gDw0OrttG4lAt/YpiDwPfd5rzHIGPClH1fHzMu0nHCnaYdr\
    d+II7uNB1BSySvcrHdJvEE1nrrZDkiv6k2RmdojqaysdtT2bEDswAYJ4dE2EBsGkAmMoEWNHNnZ2mII/U79+d17q4d2BGhTB\
    w4RsqvkQSENW0rCdLzAaSl+nGTiJ1q9JSFtA7cOcf0dCeLrSux8Ev0+xLh+wT0YMiXaAZ7+XhuoKAJZopmWSlNnY3P7Tvq9q\
    xwIDAQAB";

fn pem(label: &str, base64: &str) -> String {
    let lines: Vec<&str> =
        base64.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

/// A service account that asks at this address.
pub(crate) fn account_at(token_uri: &str) -> String {
    json!({ "type": "service_account", "project_id": "p-1", "private_key_id": "k1",
        "private_key": pem("PRIVATE KEY", KEY), "client_email": "me@p-1.iam.example",
        "token_uri": token_uri })
    .to_string()
}

fn account() -> String {
    account_at("https://tokens.example/token")
}

fn find(setting: Option<&str>, env: &Env) -> Result<Credentials, TokenFault> {
    Credentials::find(setting, env, |path| match path {
        "/keys/a.json" => Ok(account()),
        _ => Err(std::io::Error::other("no such file")),
    })
}

#[test]
fn credentials_come_from_setting_environment_or_machine() {
    let env = Env::of([("GOOGLE_APPLICATION_CREDENTIALS", "/keys/a.json")]);
    for found in [
        find(Some(&account()), &Env::default()),
        find(Some("/keys/a.json"), &Env::default()),
        find(None, &env),
    ] {
        assert_eq!(found.unwrap().project(), Some("p-1"));
    }
    assert!(matches!(find(None, &Env::default()).unwrap(), Credentials::Metadata { .. }));
    let missing = find(Some("/keys/b.json"), &env).unwrap_err();
    assert!(missing.to_string().contains("/keys/b.json"), "{missing}");
}

#[test]
fn a_service_account_signs_an_assertion_that_its_public_key_checks() {
    let request = Credentials::parse(&account()).unwrap().request(1_000).unwrap();
    assert_eq!(request.url, "https://tokens.example/token");
    let assertion = request.form[1].1.expose_secret();
    let key = DecodingKey::from_rsa_pem(pem("PUBLIC KEY", PUBLIC).as_bytes()).unwrap();
    let mut checks = Validation::new(Algorithm::RS256);
    checks.validate_exp = false;
    checks.set_audience(&["https://tokens.example/token"]);
    let read = jsonwebtoken::decode::<Value>(assertion, &key, &checks).unwrap();
    assert_eq!(read.header.kid.as_deref(), Some("k1"));
    let expected = json!({ "iss": "me@p-1.iam.example", "scope": SCOPE, "aud": "https://tokens.example/token",
        "iat": 1_000, "exp": 4_600 });
    assert_eq!(read.claims, expected);
    let body = request.body();
    let start = "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant%2Dtype%3Ajwt%2Dbearer&assertion=";
    assert!(body.expose_secret().starts_with(start));
}

#[test]
fn a_login_and_a_machine_ask_in_their_own_way() {
    let login =
        json!({ "type": "authorized_user", "client_id": "c", "client_secret": "s", "refresh_token": "r" });
    let request = Credentials::parse(&login.to_string()).unwrap().request(0).unwrap();
    assert_eq!(request.url, TOKEN_URI);
    assert_eq!(
        request.body().expose_secret(),
        "grant_type=refresh%5Ftoken&client_id=c&client_secret=s&refresh_token=r"
    );
    let machine = find(None, &Env::of([("GCE_METADATA_HOST", "127.0.0.1:9")])).unwrap().request(0).unwrap();
    assert_eq!(machine.url, format!("http://127.0.0.1:9{METADATA_PATH}"));
    assert!(machine.form.is_empty());
    let [(name, value)] = &machine.headers[..] else { panic!("one header") };
    assert_eq!((*name, value.expose_secret()), ("metadata-flavor", "Google"));
}

#[test]
fn broken_credentials_are_named_and_never_shown() {
    let secret = "hunter2";
    for bad in [
        json!({ "type": "service_account", "client_email": "e", "private_key": secret }).to_string(),
        json!({ "type": "service_account", "private_key": pem("PRIVATE KEY", KEY) }).to_string(),
        json!({ "type": "external_account", "token": secret }).to_string(),
        format!("{{\"type\": \"service_account\", \"private_key\": {{\"{secret}\""),
        String::new(),
    ] {
        let error = Credentials::parse(&bad).unwrap_err();
        assert!(!format!("{error} {error:?}").contains(secret), "{error}");
    }
    let shown = format!("{:?}", Credentials::parse(&account()).unwrap());
    assert_eq!(shown, "ServiceAccount(me@p-1.iam.example)");
}
