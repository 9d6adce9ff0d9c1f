//! `litellm_settings.cache_params`. Those without an effect belong to places where answers are not kept.

use super::Kind::{Any, Bool, Choice, Int, List, Number, Seconds, Secret, Text, Texts};
use super::{Key, moot, used};

const PLACE: &str = "answers are kept in memory or Redis; set type: local or type: redis";

const MODES: &[&str] = &["default_on", "default_off"];

pub(super) const KEYS: &[Key] = &[
    used("db", Int),
    used("default_in_memory_ttl", Seconds),
    used("default_in_redis_ttl", Seconds),
    used("host", Text),
    used("mode", Choice(MODES)),
    used("namespace", Text),
    used("password", Secret),
    used("port", Int),
    used("redis_startup_nodes", List),
    used("ssl", Bool),
    used("supported_call_types", Texts),
    used("ttl", Seconds),
    used("type", Text),
    used("url", Secret),
    used("username", Text),
    moot("azure_account_url", Text, PLACE),
    moot("azure_blob_container", Text, PLACE),
    moot("disk_cache_dir", Text, PLACE),
    moot("gcp_service_account", Text, "Redis is reached by a password; put one that lasts in password"),
    moot(
        "gcp_ssl_ca_certs",
        Text,
        "Redis over TLS trusts the roots of the system; name others in SSL_CERT_DIR or SSL_CERT_FILE",
    ),
    moot("gcs_bucket_name", Text, PLACE),
    moot("gcs_path", Text, PLACE),
    moot("gcs_path_service_account", Text, PLACE),
    moot("max_connections", Int, "one connection carries all commands at once"),
    moot("qdrant_api_base", Text, PLACE),
    moot("qdrant_api_key", Secret, PLACE),
    moot("qdrant_collection_name", Text, PLACE),
    moot("qdrant_quantization_config", Text, PLACE),
    moot("qdrant_semantic_cache_embedding_model", Text, PLACE),
    moot("qdrant_semantic_cache_vector_size", Int, PLACE),
    moot("redis_flush_size", Int, "answers are written one by one, behind the requests"),
    moot("redis_semantic_cache_embedding_model", Text, PLACE),
    moot("redis_semantic_cache_index_name", Text, PLACE),
    moot("s3_api_version", Text, PLACE),
    moot("s3_aws_access_key_id", Secret, PLACE),
    moot("s3_aws_secret_access_key", Secret, PLACE),
    moot("s3_aws_session_token", Secret, PLACE),
    moot("s3_bucket_name", Text, PLACE),
    moot("s3_config", Any, PLACE),
    moot("s3_endpoint_url", Text, PLACE),
    moot("s3_path", Text, PLACE),
    moot("s3_region_name", Text, PLACE),
    moot("s3_use_ssl", Bool, PLACE),
    moot("s3_verify", Any, PLACE),
    used("sentinel_nodes", List),
    used("sentinel_password", Secret),
    used("service_name", Text),
    moot("similarity_threshold", Number, "only what is asked word for word again is answered from the cache"),
    used("socket_timeout", Seconds),
];
