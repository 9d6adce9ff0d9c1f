//! Against a double of STS on a loopback port. The environment is an argument, so no test sees another's.

use super::*;
use std::sync::Mutex;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What STS was asked, request by request, headers and form in one text.
type Asked = Arc<Mutex<Vec<String>>>;

/// Answers every request with keys that expire then.
async fn sts(lifetime: Duration) -> (String, Asked) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let asked = Asked::default();
    let log = asked.clone();
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            tokio::spawn(serve(socket, log.clone(), lifetime));
        }
    });
    (address, asked)
}

async fn serve(mut socket: TcpStream, log: Asked, lifetime: Duration) {
    loop {
        let Some(request) = request(&mut socket).await else { return };
        let number = {
            let mut log = log.lock().unwrap();
            log.push(request.clone());
            log.len()
        };
        let action = if request.contains("WebIdentity") { "AssumeRoleWithWebIdentity" } else { "AssumeRole" };
        let expiry = Micros(now().0 + i64::try_from(lifetime.as_micros()).unwrap()).rfc3339();
        let body = format!(
            "<{action}Response xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><{action}Result><Credentials>\
             <AccessKeyId>ASIA{number}</AccessKeyId><SecretAccessKey>s</SecretAccessKey>\
             <SessionToken>t</SessionToken><Expiration>{expiry}</Expiration></Credentials></{action}Result>\
             </{action}Response>"
        );
        let head =
            format!("HTTP/1.1 200 OK\r\ncontent-type: text/xml\r\ncontent-length: {}\r\n\r\n", body.len());
        socket.write_all((head + &body).as_bytes()).await.unwrap();
    }
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

fn assuming(endpoint: &str) -> Aws {
    Aws {
        access_key_id: Some("AKIDOWN".into()),
        secret_access_key: Some("secret".into()),
        role: Some("arn:aws:iam::123456789012:role/models".into()),
        session_name: Some("gw".into()),
        external_id: Some("ext-1".into()),
        sts_endpoint: Some(endpoint.into()),
        ..Aws::default()
    }
}

fn source(aws: Aws, env: &Env) -> Source {
    Source::new(aws, "eu-west-1", env)
}

#[tokio::test]
async fn keys_in_the_config_are_used_as_they_are() {
    let aws = Aws {
        access_key_id: Some("AKID".into()),
        secret_access_key: Some("s3cr3t".into()),
        session_token: Some("tok".into()),
        ..Aws::default()
    };
    // The environment's keys do not mix with them.
    let env = Env::of([("AWS_ACCESS_KEY_ID", "OTHER"), ("AWS_SECRET_ACCESS_KEY", "other")]);
    let keys = AwsCredentials::default().get(&source(aws.clone(), &env)).await.unwrap();
    let shown = (keys.access_key_id(), keys.secret_access_key(), keys.session_token());
    assert_eq!(shown, ("AKID", "s3cr3t", Some("tok")));
    assert!(!format!("{:?}", source(aws, &env)).contains("s3cr3t"));
    let keys = AwsCredentials::default().get(&source(Aws::default(), &env)).await.unwrap();
    assert_eq!(keys.access_key_id(), "OTHER");
}

#[tokio::test]
async fn a_role_is_assumed_once_for_all_that_wait() {
    let (endpoint, asked) = sts(Duration::from_secs(3600)).await;
    let (all, source) = (AwsCredentials::default(), source(assuming(&endpoint), &Env::default()));
    let (a, b) = tokio::join!(all.get(&source), all.get(&source));
    assert_eq!((a.unwrap().access_key_id(), b.unwrap().access_key_id()), ("ASIA1", "ASIA1"));
    assert_eq!(all.get(&source).await.unwrap().session_token(), Some("t"));
    {
        let asked = asked.lock().unwrap();
        let [request] = &asked[..] else { panic!("{asked:?}") };
        for part in ["Action=AssumeRole", "RoleSessionName=gw", "ExternalId=ext-1", "role%2Fmodels"] {
            assert!(request.contains(part), "{part}: {request}");
        }
        assert!(request.contains("Credential=AKIDOWN/") && request.contains("/eu-west-1/sts/"), "{request}");
    }
    all.forget(&source).await;
    assert_eq!(all.get(&source).await.unwrap().access_key_id(), "ASIA2", "forgotten keys are fetched again");
}

#[tokio::test]
async fn a_web_identity_comes_from_wherever_the_config_says() {
    let (endpoint, asked) = sts(Duration::from_secs(3600)).await;
    let file = std::env::temp_dir().join(format!("weir-token-{}", uuid_like()));
    std::fs::write(&file, "tok-file\n").unwrap();
    let path = file.to_str().unwrap();
    let env = Env::of([("TOKEN", "tok-env"), ("TOKEN_FILE", path)]);
    let ways = [
        ("tok-plain".to_owned(), "tok-plain"),
        ("oidc/env/TOKEN".to_owned(), "tok-env"),
        ("oidc/env_path/TOKEN_FILE".to_owned(), "tok-file"),
        (format!("oidc/file/{path}"), "tok-file"),
        (path.to_owned(), "tok-file"),
    ];
    let all = AwsCredentials::default();
    for (written, token) in ways {
        let aws = Aws { web_identity_token: Some(written.clone().into()), ..assuming(&endpoint) };
        all.get(&source(aws, &env)).await.unwrap();
        let last = asked.lock().unwrap().pop().unwrap();
        assert!(last.contains(&format!("WebIdentityToken={token}")), "{written}: {last}");
        assert!(!last.contains("AWS4-HMAC"), "nothing to sign with: {last}");
    }
    // A pod in Kubernetes: everything is in the environment.
    let pod = Env::of([("AWS_ROLE_ARN", "arn:aws:iam::1:role/pod"), ("AWS_WEB_IDENTITY_TOKEN_FILE", path)]);
    let aws = Aws { sts_endpoint: Some(endpoint.clone()), ..Aws::default() };
    all.get(&source(aws, &pod)).await.unwrap();
    assert!(asked.lock().unwrap().pop().unwrap().contains("WebIdentityToken=tok-file"));
    let missing = Aws { web_identity_token: Some("oidc/env/NONE".into()), ..assuming(&endpoint) };
    let error = all.get(&source(missing, &env)).await.unwrap_err();
    assert!(error.to_string().contains("NONE is not set"), "{error}");
    std::fs::remove_file(file).unwrap();
}

#[tokio::test]
async fn a_profile_is_read_from_the_files_that_the_environment_names() {
    let file = std::env::temp_dir().join(format!("weir-profile-{}", uuid_like()));
    std::fs::write(&file, "[work]\naws_access_key_id = AKIDWORK\naws_secret_access_key = x\n").unwrap();
    let path = file.to_str().unwrap();
    let env = Env::of([("AWS_SHARED_CREDENTIALS_FILE", path), ("AWS_CONFIG_FILE", path)]);
    let all = AwsCredentials::default();
    let profile = |name: &str| source(Aws { profile: Some(name.into()), ..Aws::default() }, &env);
    assert_eq!(all.get(&profile("work")).await.unwrap().access_key_id(), "AKIDWORK");
    assert!(all.get(&profile("nobody")).await.is_err());
    std::fs::remove_file(file).unwrap();
}

/// Answers like an instance's metadata service, with a token first (IMDSv2).
async fn instance() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            tokio::spawn(async move {
                while let Some(request) = request(&mut socket).await {
                    let (status, body) = metadata(&request);
                    let head = format!("HTTP/1.1 {status}\r\nx-aws-ec2-metadata-token-ttl-seconds: 600\r\n");
                    let answer = format!("{head}content-length: {}\r\n\r\n{body}", body.len());
                    socket.write_all(answer.as_bytes()).await.unwrap();
                }
            });
        }
    });
    address
}

fn metadata(request: &str) -> (&'static str, String) {
    let line = request.lines().next().unwrap_or_default();
    if line.starts_with("PUT /latest/api/token") {
        return ("200 OK", "token-1".to_owned());
    }
    if !request.contains("token-1") {
        return ("401 Unauthorized", String::new());
    }
    let expiry = Micros(now().0 + 3_600_000_000).rfc3339();
    match line.split_whitespace().nth(1).unwrap_or_default().rsplit('/').next() {
        Some("") => ("200 OK", "role-1".to_owned()),
        Some("role-1") => (
            "200 OK",
            format!(
                r#"{{"Code":"Success","Type":"AWS-HMAC","AccessKeyId":"ASIAINSTANCE","SecretAccessKey":"s",
                "Token":"t","Expiration":"{expiry}","LastUpdated":"{expiry}"}}"#
            ),
        ),
        _ => ("404 Not Found", String::new()),
    }
}

#[tokio::test]
async fn an_instance_gives_its_role() {
    let address = instance().await;
    let nowhere = [("AWS_CONFIG_FILE", "/dev/null"), ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")];
    let env = Env::of(nowhere).with([("AWS_EC2_METADATA_SERVICE_ENDPOINT", address.as_str())]);
    let keys = AwsCredentials::default().get(&source(Aws::default(), &env)).await.unwrap();
    assert_eq!((keys.access_key_id(), keys.session_token()), ("ASIAINSTANCE", Some("t")));
    let disabled = env.with([("AWS_EC2_METADATA_DISABLED", "true")]);
    assert!(AwsCredentials::default().get(&source(Aws::default(), &disabled)).await.is_err());
}

#[tokio::test]
async fn a_refusal_names_the_source_and_no_secret() {
    // Nobody listens on port 9 (discard).
    let source = source(assuming("http://127.0.0.1:9"), &Env::default());
    let error = AwsCredentials::default().get(&source).await.unwrap_err().to_string();
    assert!(error.contains("STS, assuming the role") && !error.contains("secret"), "{error}");
}

#[test]
fn credentials_are_replaced_before_they_expire() {
    let at = Micros(1_000_000_000_000_000);
    let expiring = |seconds| {
        let expiry = UNIX_EPOCH + Duration::from_secs(1_000_000_000) + Duration::from_secs(seconds);
        good_for(&Credentials::new("a", "b", None, Some(expiry), "test"), at).as_secs()
    };
    assert_eq!(expiring(3600), LONGEST.as_secs());
    assert_eq!(expiring(900), 600);
    assert_eq!(expiring(60), 30, "half of a short life");
    assert_eq!(expiring(0), SHORTEST.as_secs());
}

#[test]
fn a_key_of_the_deployment_or_environment_needs_no_signature() {
    let env = Env::of([("AWS_BEARER_TOKEN_BEDROCK", "env-key")]);
    let mut entry = ModelEntry {
        name: "m".into(),
        id: "m".into(),
        provider: "bedrock".into(),
        upstream_model: "amazon.nova-micro-v1:0".into(),
        model_as_written: "bedrock/amazon.nova-micro-v1:0".into(),
        params: weir_core::config::Params::default(),
        info: weir_core::config::Info::default(),
        shown: weir_core::config::JsonMap::default(),
        from_ledger: false,
        line: 0,
        provenance: Default::default(),
    };
    let bearer = |entry: &ModelEntry| match Access::of(entry, "us-east-1", &env) {
        Access::Bearer(key) => Some(key.expose_secret().to_owned()),
        Access::Signed(_) => None,
    };
    assert_eq!(bearer(&entry).as_deref(), Some("env-key"));
    entry.params.api_key = Some("own-key".into());
    assert_eq!(bearer(&entry).as_deref(), Some("own-key"));
    entry.params.api_key = None;
    entry.params.aws.access_key_id = Some("AKID".into());
    assert_eq!(bearer(&entry), None, "a deployment's own keys come before the environment");
}

/// A name that no other test uses.
fn uuid_like() -> String {
    format!("{}-{:?}", now().0, std::thread::current().id()).replace(['(', ')'], "")
}
