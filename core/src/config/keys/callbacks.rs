//! Settings of a callback: `callback_settings.<name>`, LiteLLM's older places for the same, and what keys and teams say of
//! theirs. One table for all kinds, as in a list of guardrails.

use super::Kind::{Bool, Choice, Secret, SecretMap, Text, Texts};
use super::{Key, moot, used};

const FORMATS: &[&str] = &["json_array", "ndjson", "single"];

pub(super) const KEYS: &[Key] = &[
    used("callback_type", Text),
    used("event_types", Texts),
    used("message_logging", Bool),
    used("turn_off_message_logging", Bool),
    // Webhooks.
    used("endpoint", Text),
    used("headers", SecretMap),
    used("log_format", Choice(FORMATS)),
    used("signing_secret", Secret),
    // Langfuse.
    used("langfuse_default_tags", Texts),
    used("langfuse_host", Text),
    used("langfuse_public_key", Secret),
    used("langfuse_secret", Secret),
    used("langfuse_secret_key", Secret),
    // OpenTelemetry.
    used("exporter", Text),
    used("service_name", Text),
    // Datadog.
    used("dd_api_key", Secret),
    used("dd_base_url", Text),
    used("dd_site", Text),
    // S3.
    used("s3_aws_access_key_id", Secret),
    used("s3_aws_profile_name", Text),
    used("s3_aws_role_name", Text),
    used("s3_aws_secret_access_key", Secret),
    used("s3_aws_session_name", Text),
    used("s3_aws_session_token", Secret),
    used("s3_aws_sts_endpoint", Text),
    used("s3_aws_web_identity_token", Secret),
    used("s3_bucket_name", Text),
    used("s3_endpoint_url", Text),
    used("s3_path", Text),
    used("s3_region_name", Text),
    used("s3_use_team_prefix", Bool),
    moot("s3_api_version", Text, "the API of S3 has one version"),
    moot("s3_config", Text, "it is an object of Python; s3_endpoint_url and s3_region_name say where S3 is"),
    moot("s3_use_ssl", Bool, "the scheme of s3_endpoint_url says it"),
    moot("s3_verify", Bool, "certificates are always checked; a CA of your own is named by SSL_CERT_FILE"),
    // SQS.
    used("sqs_aws_access_key_id", Secret),
    used("sqs_aws_profile_name", Text),
    used("sqs_aws_role_name", Text),
    used("sqs_aws_secret_access_key", Secret),
    used("sqs_aws_session_name", Text),
    used("sqs_aws_session_token", Secret),
    used("sqs_aws_sts_endpoint", Text),
    used("sqs_aws_web_identity_token", Secret),
    used("sqs_endpoint_url", Text),
    used("sqs_queue_url", Text),
    used("sqs_region_name", Text),
    // DynamoDB.
    used("dynamodb_endpoint_url", Text),
    used("dynamodb_region_name", Text),
    used("dynamodb_table_name", Text),
    // Google Cloud Storage.
    used("gcs_bucket_name", Text),
    used("gcs_endpoint_url", Text),
    used("gcs_path_service_account", Secret),
];
