//! The sources, in LiteLLM's order: web identity with a role, a role, a profile, keys of the environment, and then what
//! AWS's own chain would find.

use super::{AwsFault, Source};
use aws_config::BehaviorVersion;
use aws_config::ecs::EcsCredentialsProvider;
use aws_config::imds;
use aws_config::imds::credentials::ImdsCredentialsProvider;
use aws_config::meta::credentials::CredentialsProviderChain;
use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_config::{Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use aws_runtime::env_config::file::{EnvConfigFileKind, EnvConfigFiles};
use aws_sdk_sts::config::SharedHttpClient;
use aws_sdk_sts::types::Credentials as StsCredentials;
use aws_smithy_http_client::{Builder, tls};
use std::error::Error;
use std::time::{Duration, SystemTime};
use weir_core::config::Aws;
use weir_core::config::env::Env;
use weir_core::{ExposeSecret, SecretString};

/// How roles are named in AWS's logs where nobody says.
const SESSION: &str = "weir";
/// A web identity's token is some kilobytes of text.
const LARGEST_TOKEN: u64 = 64 * 1024;

/// Keys that stand in the config and need nobody's help.
pub(super) fn in_config(aws: &Aws) -> Option<Credentials> {
    if aws.role.is_some() || aws.web_identity_token.is_some() {
        return None;
    }
    keys(aws)
}

fn keys(aws: &Aws) -> Option<Credentials> {
    let secret = aws.secret_access_key.as_ref()?.expose_secret();
    let token = aws.session_token.as_ref().map(|token| token.expose_secret().to_owned());
    Some(Credentials::new(
        aws.access_key_id.as_ref()?,
        secret,
        token.filter(|t| !t.is_empty()),
        None,
        "config",
    ))
}

/// Keys of the environment; its own overlay of the configuration counts, which AWS's chain would not see.
fn keys_of_env(env: &Env) -> Option<Credentials> {
    let secret = env.filled("AWS_SECRET_ACCESS_KEY")?;
    let token = env.filled("AWS_SESSION_TOKEN").map(str::to_owned);
    Some(Credentials::new(env.filled("AWS_ACCESS_KEY_ID")?, secret, token, None, "environment"))
}

/// Asks a source. Not bounded in time: the caller is.
pub(super) async fn fetch(source: &Source) -> Result<Credentials, AwsFault> {
    let aws = &source.aws;
    let pod = pods_identity(&source.env);
    match (&aws.role, &aws.web_identity_token, &pod) {
        (Some(role), Some(token), _) => with_token(source, role, token_of(token, &source.env).await?).await,
        // A pod's role cannot assume itself.
        (Some(role), None, Some((own, file))) if role == own => {
            with_token(source, role, read(file).await?).await
        }
        (Some(role), None, _) => assume(source, role).await,
        (None, _, _) => ambient(source, pod).await,
    }
}

/// Credentials without a role of the config.
async fn ambient(source: &Source, pod: Option<(String, String)>) -> Result<Credentials, AwsFault> {
    let aws = &source.aws;
    if let Some(keys) = keys(aws) {
        return Ok(keys);
    }
    if let Some(name) = &aws.profile {
        return profile(source, name).await;
    }
    if let Some(keys) = keys_of_env(&source.env) {
        return Ok(keys);
    }
    if let Some((role, file)) = pod {
        return with_token(source, &role, read(&file).await?).await;
    }
    if let Some(name) = source.env.filled("AWS_PROFILE") {
        return profile(source, name).await;
    }
    the_machines(source).await
}

/// What AWS's own chain asks in the end: the default profile, the container, the instance. Not its ready-made chain,
/// which reads the process's environment and not ours.
async fn the_machines(source: &Source) -> Result<Credentials, AwsFault> {
    let config = provider_config(source);
    // The container's address is in the process's own environment, put there by ECS, EKS or Greengrass.
    let container = EcsCredentialsProvider::builder().configure(&config).build();
    let mut chain = CredentialsProviderChain::first_try("profile", profile_provider(source, "default"))
        .or_else("container", container);
    if !source.env.filled("AWS_EC2_METADATA_DISABLED").is_some_and(|is| is.eq_ignore_ascii_case("true")) {
        let instance =
            ImdsCredentialsProvider::builder().configure(&config).imds_client(instance(source)?).build();
        chain = chain.or_else("instance", instance);
    }
    chain.provide_credentials().await.map_err(|e| refused("this machine (profile, container, instance)", &e))
}

/// The instance's metadata service. One try and a short wait: on a machine that is no instance nobody answers.
fn instance(source: &Source) -> Result<imds::Client, AwsFault> {
    let mut client = imds::Client::builder()
        .configure(&provider_config(source))
        .connect_timeout(Duration::from_secs(1))
        .read_timeout(Duration::from_secs(2))
        .max_attempts(2);
    if let Some(endpoint) = source.env.filled("AWS_EC2_METADATA_SERVICE_ENDPOINT") {
        let bad = |e: Box<dyn Error + Send + Sync>| refused("AWS_EC2_METADATA_SERVICE_ENDPOINT", &*e);
        client = client.endpoint(endpoint).map_err(bad)?;
    }
    Ok(client.build())
}

async fn profile(source: &Source, name: &str) -> Result<Credentials, AwsFault> {
    profile_provider(source, name).provide_credentials().await.map_err(|e| refused("the profile", &e))
}

fn profile_provider(source: &Source, name: &str) -> ProfileFileCredentialsProvider {
    let mut files = EnvConfigFiles::builder();
    files = match source.env.filled("AWS_CONFIG_FILE") {
        Some(path) => files.with_file(EnvConfigFileKind::Config, path),
        None => files.include_default_config_file(true),
    };
    files = match source.env.filled("AWS_SHARED_CREDENTIALS_FILE") {
        Some(path) => files.with_file(EnvConfigFileKind::Credentials, path),
        None => files.include_default_credentials_file(true),
    };
    ProfileFileCredentialsProvider::builder()
        .configure(&provider_config(source))
        .profile_files(files.build())
        .profile_name(name)
        .build()
}

// --- STS ---

async fn assume(source: &Source, role: &str) -> Result<Credentials, AwsFault> {
    let own = Box::pin(ambient(source, pods_identity(&source.env))).await?;
    let request = sts(source, Some(own)).assume_role().role_arn(role).role_session_name(session(source));
    let answer = request.set_external_id(source.aws.external_id.clone()).send().await;
    answer
        .map_err(|e| refused("STS, assuming the role", &e))?
        .credentials
        .and_then(from_sts)
        .ok_or_else(no_keys)
}

async fn with_token(source: &Source, role: &str, token: SecretString) -> Result<Credentials, AwsFault> {
    let request = sts(source, None).assume_role_with_web_identity().role_arn(role);
    let request = request.role_session_name(session(source)).web_identity_token(token.expose_secret());
    let answer = request.send().await.map_err(|e| refused("STS, with a web identity", &e))?;
    answer.credentials.and_then(from_sts).ok_or_else(no_keys)
}

fn sts(source: &Source, own: Option<Credentials>) -> aws_sdk_sts::Client {
    let mut config = sdk_config(source).into_builder();
    config.set_credentials_provider(own.map(SharedCredentialsProvider::new));
    config.set_endpoint_url(source.aws.sts_endpoint.clone());
    aws_sdk_sts::Client::new(&config.build())
}

fn session(source: &Source) -> String {
    let own = source.aws.session_name.clone();
    own.or_else(|| source.env.filled("AWS_ROLE_SESSION_NAME").map(str::to_owned))
        .unwrap_or_else(|| SESSION.to_owned())
}

fn from_sts(keys: StsCredentials) -> Option<Credentials> {
    let expiry = SystemTime::try_from(keys.expiration).ok();
    Some(Credentials::new(
        keys.access_key_id,
        keys.secret_access_key,
        Some(keys.session_token),
        expiry,
        "sts",
    ))
}

fn no_keys() -> AwsFault {
    AwsFault::Refused { from: "STS", why: "an answer without keys".to_owned() }
}

// --- web identities ---

/// Role and token file that Kubernetes gives a pod (IRSA).
fn pods_identity(env: &Env) -> Option<(String, String)> {
    Some((env.filled("AWS_ROLE_ARN")?.to_owned(), env.filled("AWS_WEB_IDENTITY_TOKEN_FILE")?.to_owned()))
}

/// LiteLLM's ways to say a token: `oidc/file/PATH`, `oidc/env/NAME`, `oidc/env_path/NAME`, a path, the token itself.
async fn token_of(written: &SecretString, env: &Env) -> Result<SecretString, AwsFault> {
    let written_text = written.expose_secret();
    let var = |name: &str| {
        let why = || AwsFault::Refused { from: "the web identity", why: format!("{name} is not set") };
        env.filled(name).ok_or_else(why)
    };
    match written_text.strip_prefix("oidc/").and_then(|rest| rest.split_once('/')) {
        Some(("file", path)) => read(path).await,
        Some(("env", name)) => Ok(var(name)?.into()),
        Some(("env_path", name)) => read(var(name)?).await,
        _ if written_text.starts_with('/') => read(written_text).await,
        _ => Ok(written.clone()),
    }
}

async fn read(path: &str) -> Result<SecretString, AwsFault> {
    let bad = |why: String| AwsFault::Refused { from: "the web identity's file", why };
    let size = tokio::fs::metadata(path).await.map_err(|e| bad(e.to_string()))?.len();
    if size > LARGEST_TOKEN {
        return Err(bad(format!("{size} bytes are no token")));
    }
    let token = tokio::fs::read_to_string(path).await.map_err(|e| bad(e.to_string()))?;
    Ok(token.trim().into())
}

// --- AWS's clients ---

/// rustls over ring, with the system's root certificates.
fn http_client() -> SharedHttpClient {
    Builder::new().tls_provider(tls::Provider::Rustls(tls::rustls_provider::CryptoMode::Ring)).build_https()
}

fn provider_config(source: &Source) -> ProviderConfig {
    ProviderConfig::without_region()
        .with_behavior_version(Some(BehaviorVersion::latest()))
        .with_http_client(http_client())
        .with_region(Some(Region::new(source.region.clone())))
}

fn sdk_config(source: &Source) -> SdkConfig {
    let timeouts = aws_config::timeout::TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(5))
        .operation_attempt_timeout(Duration::from_secs(10))
        .build();
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(source.region.clone()))
        .http_client(http_client())
        .timeout_config(timeouts)
        .build()
}

/// All causes in one line. AWS's errors name services and codes, not keys.
fn refused(from: &'static str, error: &dyn Error) -> AwsFault {
    let mut why = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        why = format!("{why}: {next}");
        cause = next.source();
    }
    AwsFault::Refused { from, why }
}
