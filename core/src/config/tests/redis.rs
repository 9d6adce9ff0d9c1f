//! Where Redis is, as the file and the environment say it.

use super::load;
use crate::config::{RedisNode, RedisPlace, RedisSettings};

const FILE: &str = "model_list: [{model_name: m, litellm_params: {model: openai/m}}]\n";

fn redis(router: &str, env: &[(&str, &str)]) -> Option<RedisSettings> {
    let (config, problems) = load(&format!("{FILE}router_settings: {{{router}}}"), env);
    config.unwrap_or_else(|| panic!("{problems}")).router.redis
}

fn node(host: &str, port: u16) -> RedisNode {
    RedisNode { host: host.into(), port }
}

#[test]
fn the_file_comes_before_the_environment() {
    assert!(redis("", &[]).is_none());
    let env = [("REDIS_HOST", "env"), ("REDIS_PORT", "7000"), ("REDIS_PASSWORD", "secret-of-env")];
    let of_env = redis("", &env).unwrap();
    assert!(matches!(&of_env.place, RedisPlace::One(one) if *one == node("env", 7000)));
    assert!(of_env.password.is_some());
    let of_file = redis("redis_host: file", &env).unwrap();
    assert!(matches!(&of_file.place, RedisPlace::One(one) if *one == node("file", 6379)));
}

#[test]
fn nodes_are_read_in_either_form() {
    for text in
        [r#"[{"host": "a", "port": "7001"}, {"host": "b", "port": 7002}]"#, r#"[["a", 7001], ["b", 7002]]"#]
    {
        let cluster = redis("", &[("REDIS_CLUSTER_NODES", text)]).unwrap();
        let RedisPlace::Cluster(nodes) = &cluster.place else { panic!("{cluster:?}") };
        assert_eq!(nodes, &[node("a", 7001), node("b", 7002)]);
        let sentinel = redis("", &[("REDIS_SENTINEL_NODES", text), ("REDIS_SERVICE_NAME", "main")]).unwrap();
        assert_eq!(sentinel.told(), "main by the sentinel a:7001");
    }
}

#[test]
fn what_is_wrong_is_said() {
    for (router, env, says) in [
        ("", ("REDIS_CLUSTER_NODES", "a:1"), "REDIS_CLUSTER_NODES is not a list of nodes"),
        ("redis_host: h", ("REDIS_DB", "many"), "REDIS_DB is \"many\""),
        ("redis_host: h, redis_port: 70000", ("REDIS_DB", "1"), "not a port"),
    ] {
        let (config, problems) = load(&format!("{FILE}router_settings: {{{router}}}"), &[env]);
        assert!(config.is_none() && problems.to_string().contains(says), "{problems}");
    }
}

#[test]
fn p35_no_password_is_told() {
    let url = "rediss://user:pa@ss-secret@redis.test:6380/2?sentinelPassword=other-secret";
    let settings = redis("", &[("REDIS_URL", url), ("REDIS_PASSWORD", "third-secret")]).unwrap();
    assert_eq!(settings.told(), "rediss://redis.test:6380/2");
    assert!(!format!("{settings:?}").contains("secret"), "{settings:?}");
}
