//! Against a double of the token endpoints on a loopback port. The environment is an argument.

use super::*;
use crate::auth::gcp::tests::account_at;
use std::sync::Mutex;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use weir_core::config::Params;

/// A token endpoint: gives `t1`, `t2`, … or whatever a test wants it to say.
struct Endpoint {
    url: String,
    /// Request by request, head and form in one text.
    asked: Arc<Mutex<Vec<String>>>,
}

type Say = fn(usize) -> (u16, String);

async fn endpoint(say: Say) -> Endpoint {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let asked = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&asked);
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            tokio::spawn(serve(socket, Arc::clone(&log), say));
        }
    });
    Endpoint { url, asked }
}

async fn serve(mut socket: TcpStream, log: Arc<Mutex<Vec<String>>>, say: Say) {
    let Some(request) = request(&mut socket).await else { return };
    let number = {
        let mut log = log.lock().unwrap();
        log.push(request);
        log.len()
    };
    let (status, body) = say(number);
    let head = format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
    let _ = socket.write_all((head + &body).as_bytes()).await;
}

async fn request(socket: &mut TcpStream) -> Option<String> {
    let mut text = String::new();
    let mut buffer = [0; 4096];
    loop {
        let n = socket.read(&mut buffer).await.ok().filter(|n| *n > 0)?;
        text += &String::from_utf8_lossy(&buffer[..n]);
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length =
            head.lines().find_map(|l| l.to_lowercase().strip_prefix("content-length:")?.trim().parse().ok());
        if body.len() >= length.unwrap_or(0) {
            return Some(text);
        }
    }
}

impl Endpoint {
    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

fn for_an_hour(number: usize) -> (u16, String) {
    (200, format!(r#"{{"access_token":"t{number}","expires_in":3600,"token_type":"Bearer"}}"#))
}

fn identity(source: Source) -> Identity {
    Identity::new(source, &Env::default())
}

fn google(endpoint: &Endpoint) -> Identity {
    let json = account_at(&format!("{}/token", endpoint.url));
    identity(Source::Google(Credentials::parse(&json).unwrap()))
}

fn application(authority: &str) -> Params {
    let mut params = Params {
        tenant_id: Some("tenant-1".into()),
        client_id: Some("client-1".into()),
        client_secret: Some("s3cr3t/+".into()),
        ..Params::default()
    };
    params.entra.authority_host = Some(authority.to_owned());
    params
}

fn entra(params: &Params) -> Identity {
    identity(Source::Entra(Entra::of_config(params, &Env::default()).unwrap().unwrap()))
}

async fn secret(tokens: &Tokens, identity: &Identity) -> String {
    tokens.get(identity).await.unwrap().secret.expose_secret().to_owned()
}

#[tokio::test]
async fn a_token_is_fetched_once_for_many_that_wait_and_kept() {
    let endpoint = endpoint(for_an_hour).await;
    let (tokens, source) = (Tokens::default(), google(&endpoint));
    let mut waiting = tokio::task::JoinSet::new();
    for _ in 0..50 {
        let (tokens, source) = (tokens.clone(), source.clone());
        waiting.spawn(async move { secret(&tokens, &source).await });
    }
    assert!(waiting.join_all().await.iter().all(|token| token == "t1"));
    assert_eq!(secret(&tokens, &source).await, "t1");
    let asked = endpoint.asked();
    assert_eq!(asked.len(), 1);
    assert!(asked[0].starts_with("POST /token HTTP/1.1\r\n"), "{}", asked[0]);
    assert!(
        asked[0]
            .contains("grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant%2Dtype%3Ajwt%2Dbearer&assertion=ey")
    );
}

#[tokio::test]
async fn an_old_token_is_replaced_and_every_identity_has_its_own() {
    let endpoint = endpoint(|n| (200, format!(r#"{{"access_token":"t{n}","expires_in":0}}"#))).await;
    let (tokens, source) = (Tokens::default(), google(&endpoint));
    assert_eq!((secret(&tokens, &source).await, secret(&tokens, &source).await), ("t1".into(), "t2".into()));
    let mine = application(&endpoint.url);
    let other = Params { client_secret: Some("another".into()), ..mine.clone() };
    assert_ne!(entra(&mine).key, entra(&other).key, "a secret that is wrong shares no token");
    assert_eq!(entra(&mine).key, entra(&mine.clone()).key);
}

#[test]
fn a_token_is_replaced_before_it_expires() {
    let kept = |lasts| {
        let kept = Kept::new(Token { secret: "t".into(), lasts: Duration::from_secs(lasts) });
        let fresh = kept.fresh_until.saturating_duration_since(Instant::now()).as_secs_f64().round() as u64;
        let used = UntilExpired.expire_after_create(&[0; 32], &Arc::new(kept), Instant::now()).unwrap();
        (fresh, used.as_secs())
    };
    assert_eq!((kept(3600), kept(400), kept(30), kept(0)), ((3300, 3580), (200, 380), (15, 15), (0, 0)));
}

/// Puts a token there that is to be replaced.
async fn with_old_token(identity: &Identity) -> Tokens {
    let tokens = Tokens::default();
    let mut old = Kept::new(Token { secret: "old".into(), lasts: Duration::from_secs(600) });
    old.fresh_until = Instant::now();
    tokens.kept.insert(identity.key, Arc::new(old)).await;
    tokens
}

#[tokio::test]
async fn an_old_token_is_used_while_one_request_replaces_it() {
    let endpoint = endpoint(for_an_hour).await;
    let identity = google(&endpoint);
    let tokens = with_old_token(&identity).await;
    for _ in 0..10 {
        assert_eq!(secret(&tokens, &identity).await, "old", "nobody waits");
    }
    while secret(&tokens, &identity).await == "old" {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!((secret(&tokens, &identity).await, endpoint.asked().len()), ("t1".into(), 1));
}

#[tokio::test]
async fn an_endpoint_that_is_down_is_not_felt_while_a_token_lasts() {
    let endpoint = endpoint(|_| (503, String::new())).await;
    let identity = google(&endpoint);
    let tokens = with_old_token(&identity).await;
    assert_eq!(secret(&tokens, &identity).await, "old");
    while endpoint.asked().is_empty() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!((secret(&tokens, &identity).await, endpoint.asked().len()), ("old".into(), 1));
}

#[tokio::test]
async fn a_refusal_is_told_and_not_kept() {
    let endpoint = endpoint(|n| {
        let denied =
            r#"{"error":"invalid_client","error_description":"AADSTS7000215: wrong secret.\r\nTrace ID: x"}"#;
        if n == 1 { (401, denied.to_owned()) } else { for_an_hour(n) }
    })
    .await;
    let (tokens, source) = (Tokens::default(), entra(&application(&endpoint.url)));
    let fault = tokens.get(&source).await.unwrap_err().to_string();
    assert!(fault.ends_with("invalid_client: AADSTS7000215: wrong secret."), "{fault}");
    assert!(!fault.contains("s3cr3t"), "{fault}");
    assert_eq!(secret(&tokens, &source).await, "t2");
}

#[tokio::test]
async fn what_does_not_answer_is_another_fault_than_a_refusal() {
    let down = endpoint(|_| (503, String::new())).await;
    let nobody = Endpoint { url: "http://127.0.0.1:9".into(), asked: Arc::default() };
    for endpoint in [&down, &nobody] {
        let fault = Tokens::default().get(&google(endpoint)).await.unwrap_err();
        assert!(matches!(fault, TokenFault::Unreachable(_)), "{fault:?}");
    }
    let large = endpoint(|_| (200, "x".repeat(1 << 20))).await;
    assert!(Tokens::default().get(&google(&large)).await.is_err());
}

#[tokio::test]
async fn an_application_shows_its_secret_or_a_federated_token() {
    let endpoint = endpoint(for_an_hour).await;
    let tokens = Tokens::default();
    let params = application(&endpoint.url);
    secret(&tokens, &entra(&params)).await;
    let file = std::env::temp_dir().join(format!("weir-federated-{}", now().0));
    std::fs::write(&file, "jwt-1\n").unwrap();
    let env = Env::of([
        ("AZURE_TENANT_ID", "tenant-2"),
        ("AZURE_CLIENT_ID", "client-2"),
        ("AZURE_AUTHORITY_HOST", &format!("{}/", endpoint.url)),
        ("AZURE_FEDERATED_TOKEN_FILE", file.to_str().unwrap()),
    ]);
    let workload = Entra::of_env(&Params::default(), &env).unwrap().unwrap();
    secret(&tokens, &identity(Source::Entra(workload))).await;
    let oidc = Entra::of_oidc("env/JWT", &Params::default(), &env.with([("JWT", "jwt-2")])).unwrap();
    secret(&tokens, &identity(Source::Entra(oidc))).await;
    std::fs::remove_file(file).unwrap();
    let asked = endpoint.asked();
    let scope = "scope=https%3A%2F%2Fcognitiveservices%2Eazure%2Ecom%2F%2Edefault";
    let federated =
        "client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient%2Dassertion%2Dtype%3Ajwt%2Dbearer";
    for (request, parts) in asked.iter().zip([
        ["POST /tenant-1/oauth2/v2.0/token ", "client_id=client%2D1", "client_secret=s3cr3t%2F%2B"],
        ["POST /tenant-2/oauth2/v2.0/token ", federated, "client_assertion=jwt%2D1"],
        ["POST /tenant-2/oauth2/v2.0/token ", federated, "client_assertion=jwt%2D2"],
    ]) {
        let has = |part: &str| request.contains(part);
        assert!(
            parts.iter().all(|part| has(part)) && has(scope) && has("grant_type=client%5Fcredentials"),
            "{request}"
        );
    }
    assert_eq!(asked.len(), 3);
}

#[tokio::test]
async fn machines_and_apps_ask_for_their_own_identity() {
    let endpoint = endpoint(|n| {
        let until = now().0 / 1_000_000 + 3600;
        let lasts =
            if n == 1 { r#""expires_in":"86399""#.to_owned() } else { format!(r#""expires_on":"{until}""#) };
        (200, format!(r#"{{"access_token":"t{n}",{lasts}}}"#))
    })
    .await;
    let mut params = Params::default();
    params.entra.ambient = true;
    let env =
        Env::of([("AZURE_POD_IDENTITY_AUTHORITY_HOST", endpoint.url.as_str()), ("AZURE_CLIENT_ID", "c")]);
    let tokens = Tokens::default();
    let machine = Entra::of_env(&params, &env).unwrap().unwrap();
    let first = tokens.get(&identity(Source::Entra(machine))).await.unwrap();
    assert_eq!(first.lasts.as_secs(), 86_399);
    let env =
        Env::of([("IDENTITY_ENDPOINT", format!("{}/msi", endpoint.url)), ("IDENTITY_HEADER", "h-1".into())]);
    let app = Entra::of_env(&Params::default(), &env).unwrap().unwrap();
    let second = tokens.get(&identity(Source::Entra(app))).await.unwrap();
    assert!((3500..=3600).contains(&second.lasts.as_secs()), "{:?}", second.lasts);
    let asked = endpoint.asked();
    let resource = "resource=https%3A%2F%2Fcognitiveservices%2Eazure%2Ecom";
    let path = format!("GET /metadata/identity/oauth2/token?api-version=2018-02-01&{resource}&client_id=c ");
    assert!(asked[0].starts_with(&path) && asked[0].contains("metadata: true"), "{}", asked[0]);
    let path = format!("GET /msi?api-version=2019-08-01&{resource} ");
    assert!(asked[1].starts_with(&path) && asked[1].contains("x-identity-header: h-1"), "{}", asked[1]);
    assert!(Entra::of_env(&Params::default(), &Env::default()).unwrap().is_none(), "nobody asks unasked");
}

#[tokio::test]
async fn a_machine_of_google_asks_its_metadata_server() {
    let endpoint = endpoint(for_an_hour).await;
    let host = endpoint.url.trim_start_matches("http://").to_owned();
    let found = Credentials::find(None, &Env::of([("GCE_METADATA_HOST", host)]), |_| {
        Err(std::io::Error::other("none"))
    });
    assert_eq!(secret(&Tokens::default(), &identity(Source::Google(found.unwrap()))).await, "t1");
    let asked = endpoint.asked();
    let path = "GET /computeMetadata/v1/instance/service-accounts/default/token ";
    assert!(asked[0].starts_with(path) && asked[0].contains("metadata-flavor: Google"), "{}", asked[0]);
}

#[test]
fn the_endpoints_answers_are_read() {
    let granted =
        Token::read(200, br#"{"access_token":"ya29","expires_in":3599,"token_type":"Bearer"}"#).unwrap();
    assert_eq!((granted.secret.expose_secret(), granted.lasts.as_secs()), ("ya29", 3599));
    let denied =
        Token::read(400, br#"{"error":"invalid_grant","error_description":"Invalid JWT"}"#).unwrap_err();
    assert_eq!(denied, TokenFault::Refused("invalid_grant: Invalid JWT".into()));
    for (status, body) in [(200, "{}"), (200, "<html>"), (500, "<html>"), (403, "{}"), (302, "")] {
        assert!(Token::read(status, body.as_bytes()).is_err(), "{status} {body}");
    }
}

#[test]
fn what_cannot_be_asked_is_refused_when_it_is_read() {
    let mut params = application("http://a.test");
    params.tenant_id = Some("../evil".into());
    assert!(Entra::of_config(&params, &Env::default()).is_err());
    for place in ["github/x", "env/NOTHING", ""] {
        assert!(Entra::of_oidc(place, &application("http://a.test"), &Env::default()).is_err(), "{place}");
    }
    assert!(!format!("{:?}", entra(&application("http://a.test"))).contains("s3cr3t"));
}
