//! Which answers are kept, and where.

use super::{lines, load};
use crate::config::problems::Severity;
use crate::config::{CachePlace, CacheScope, CacheSettings, Config, Problems};
use crate::domain::operation::Operation;
use std::time::Duration;

const FILE: &str = "model_list: [{model_name: m, litellm_params: {model: openai/m}}]\n";

fn read(litellm: &str, env: &[(&str, &str)]) -> (Option<Config>, Problems) {
    load(&format!("{FILE}litellm_settings: {{{litellm}}}"), env)
}

fn cache(litellm: &str, env: &[(&str, &str)]) -> Option<CacheSettings> {
    let (config, problems) = read(litellm, env);
    config.unwrap_or_else(|| panic!("{problems}")).cache
}

#[test]
fn litellms_settings_are_understood() {
    assert!(cache("", &[]).is_none());
    assert!(cache("cache: false, cache_params: {type: local}", &[]).is_none());
    let plain = cache("cache: true, cache_params: {type: local}", &[]).unwrap();
    assert!(matches!(plain.place, CachePlace::Memory));
    assert_eq!((plain.ttl, plain.on_demand, plain.namespace), (Duration::from_secs(600), false, None));
    let params =
        "{type: local, ttl: 1.5, namespace: n, mode: default_off, supported_call_types: [aembedding]}";
    let all = cache(&format!("cache: true, cache_params: {params}"), &[]).unwrap();
    assert_eq!((all.ttl, all.on_demand), (Duration::from_millis(1_500), true));
    assert_eq!(all.namespace.as_deref(), Some("n"));
    assert!(all.keeps(Operation::Embeddings) && !all.keeps(Operation::Chat));
}

#[test]
fn what_litellm_keeps_by_itself_is_kept() {
    let cache = cache("cache: true, cache_params: {type: local}", &[]).unwrap();
    for operation in [
        Operation::Chat,
        Operation::Completions,
        Operation::Embeddings,
        Operation::Responses,
        Operation::Rerank,
        Operation::Transcriptions,
    ] {
        assert!(cache.keeps(operation), "{operation:?}");
    }
    for operation in [Operation::Messages, Operation::Images, Operation::Speech, Operation::Moderations] {
        assert!(!cache.keeps(operation), "{operation:?}");
    }
}

#[test]
fn redis_is_the_caches_own_or_the_shared_one() {
    let told = |litellm: &str, env: &[(&str, &str)]| match cache(litellm, env).unwrap().place {
        CachePlace::Redis(redis) => redis.told(),
        CachePlace::Memory => String::from("memory"),
    };
    let env = [("REDIS_HOST", "shared"), ("REDIS_PASSWORD", "secret-of-env")];
    assert_eq!(told("cache: true", &[]), "memory");
    assert_eq!(told("cache: true", &env), "shared:6379");
    assert_eq!(told("cache: true, cache_params: {type: local}", &env), "memory");
    assert_eq!(told("cache: true, cache_params: {type: redis, host: own, port: 7000}", &env), "own:7000");
    let cluster = "cache: true, cache_params: {type: redis, redis_startup_nodes: [{host: a, port: 7001}]}";
    assert_eq!(told(cluster, &[]), "a cluster by a:7001");
    let own = cache("cache: true, cache_params: {host: own, password: secret-of-file, db: 2}", &env).unwrap();
    assert_eq!(own.ttl, Duration::from_secs(86_400));
    assert!(!format!("{own:?}").contains("secret"), "P35: {own:?}");
}

#[test]
fn the_librarys_times_count_where_the_caches_own_are_not_said() {
    let ttl = |litellm: &str| cache(litellm, &[]).unwrap().ttl.as_secs();
    let both = "default_in_memory_ttl: 7, default_redis_ttl: 9, cache: true";
    assert_eq!(ttl(&format!("{both}, cache_params: {{type: local}}")), 7);
    assert_eq!(ttl(&format!("{both}, cache_params: {{type: redis, host: h}}")), 9);
    assert_eq!(ttl(&format!("{both}, cache_params: {{type: local, default_in_memory_ttl: 5}}")), 5);
    assert_eq!(ttl(&format!("{both}, cache_params: {{type: local, ttl: 3}}")), 3);
}

#[test]
fn sentinels_and_the_time_that_an_answer_may_take_are_the_caches_own() {
    let params = "sentinel_nodes: [[a, 26379], {host: b, port: 26380}], service_name: main, \
                  sentinel_password: secret-of-sentinels, socket_timeout: 0.5";
    let own = cache(&format!("cache: true, cache_params: {{type: redis, {params}}}"), &[]).unwrap();
    assert!(!format!("{own:?}").contains("secret"), "P35: {own:?}");
    let CachePlace::Redis(redis) = own.place else { panic!("no Redis") };
    assert_eq!(
        (redis.told(), redis.timeout),
        ("main by the sentinel a:26379".into(), Some(Duration::from_millis(500)))
    );
    let shared =
        cache("cache: true, cache_params: {socket_timeout: 2}", &[("REDIS_HOST", "shared")]).unwrap();
    let CachePlace::Redis(redis) = shared.place else { panic!("no Redis") };
    assert_eq!((redis.told(), redis.timeout), ("shared:6379".into(), Some(Duration::from_secs(2))));
}

#[test]
fn what_is_wrong_is_said_and_what_is_not_offered_is_left_out() {
    for (params, says) in [
        ("{type: redis}", "cache_params.type: no Redis is named; add host"),
        ("{type: lokal}", "there is no cache of type \"lokal\"; did you mean \"local\"?"),
        ("{type: local, mode: sometimes}", "expected one of default_on, default_off, found \"sometimes\""),
        ("{type: local, ttl: soon}", "expected seconds"),
    ] {
        let (config, problems) = read(&format!("cache: true, cache_params: {params}"), &[]);
        assert!(config.is_none() && problems.to_string().contains(says), "{params}: {problems}");
    }
    for (litellm, says) in [
        ("cache: true, cache_params: {type: s3}", "a cache in s3 is not supported"),
        ("cache_params: {type: local}", "has no effect by itself; add cache: true"),
        ("cache: true", "no Redis is named: each process keeps answers in its memory"),
        (
            "cache: true, cache_params: {type: local, supported_call_types: [acompletions]}",
            "did you mean \"acompletion\"?",
        ),
    ] {
        let (config, problems) = read(litellm, &[]);
        let warnings = lines(&problems, Severity::Warning);
        assert!(config.is_some() && warnings.iter().any(|w| w.contains(says)), "{litellm}: {problems}");
    }
}

#[test]
fn answers_are_shared_with_nobody_by_default() {
    let scope = |weir: &str| {
        let (config, problems) = load(&format!("{FILE}weir_settings: {{{weir}}}"), &[]);
        config.unwrap_or_else(|| panic!("{problems}")).weir.cache_scope
    };
    assert_eq!(scope(""), CacheScope::Key);
    assert_eq!((scope("cache_scope: team"), scope("cache_scope: all")), (CacheScope::Team, CacheScope::All));
}
