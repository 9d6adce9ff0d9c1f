//! The commands that operators type, against a gateway that runs: `weir config`, and what else looks at it.

use crate::pki::{Pki, TlsEnd};
use crate::rig::{CONFIG, MASTER, Rig, free_port};
use serde_json::{Value, json};
use std::process::{Command, Output};

/// A command with the environment that the rig's gateway has.
pub fn weir(rig: &Rig, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_weir"));
    command
        .args(args)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("CONFIG_FILE_PATH", rig.dir.path().join("config.yaml"))
        .env("LITELLM_MASTER_KEY", MASTER)
        .env("WEIR_DATA_DIR", rig.data())
        .env("WEIR_URL", &rig.url);
    command
}

pub fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

pub fn err(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// What a command prints as JSON.
pub fn printed(output: &Output) -> Value {
    serde_json::from_str(&out(output)).unwrap_or_else(|e| panic!("{e}: {}{}", out(output), err(output)))
}

fn setting<'a>(told: &'a Value, name: &str) -> &'a Value {
    let mut all = told["settings"].as_array().unwrap().iter();
    all.find(|s| s["name"] == name).unwrap_or_else(|| panic!("no {name} in {told}"))
}

// --- weir config ---

#[tokio::test]
async fn p47_weir_config_tells_where_each_value_comes_from() {
    let rig = Rig::config(CONFIG).start().await;
    let model = json!({
        "model_name": "added",
        "litellm_params": {"model": "openai/added", "api_key": "sk-added-0000", "api_base": "http://127.0.0.1:9"},
    });
    let made = rig.post("/model/new", MASTER, model).await;
    assert_eq!(made.status, 200, "{}", made.text());
    let done = weir(&rig, &["config", "--json"]).output().unwrap();
    assert!(done.status.success(), "{}", err(&done));
    let told = printed(&done);
    let master = setting(&told, "master_key");
    assert_eq!(
        (&master["value"], &master["source"]["from"], &master["source"]["variable"]),
        (&json!("***"), &json!("environment"), &json!("LITELLM_MASTER_KEY"))
    );
    assert_eq!(setting(&told, "drain_delay")["source"]["from"], "file");
    assert_eq!(setting(&told, "grace_period")["source"]["from"], "default");
    assert_eq!(setting(&told, "grace_period")["value"], 600);
    assert_eq!(setting(&told, "data_dir")["source"]["variable"], "WEIR_DATA_DIR");
    let models = told["models"].as_array().unwrap();
    let added = models.iter().find(|m| m["model_name"] == "added").unwrap();
    assert_eq!(
        (&added["source"]["from"], &added["litellm_params"]["api_key"]),
        (&json!("ledger"), &json!("***"))
    );
    for secret in [MASTER, "sk-added-0000", "sk-upstream-fake", "az-fake"] {
        assert!(!out(&done).contains(secret), "p35: {secret}");
    }
    let only_files = printed(&weir(&rig, &["config", "--json", "--no-ledger"]).output().unwrap());
    assert!(only_files["models"].as_array().unwrap().iter().all(|m| m["model_name"] != "added"));
}

#[tokio::test]
async fn weir_config_without_json_is_a_configuration() {
    let rig = Rig::start().await;
    let done = weir(&rig, &["config", "--changed"]).output().unwrap();
    assert!(done.status.success(), "{}", err(&done));
    let text = out(&done);
    assert!(text.contains("  drain_delay: 0.2") && !text.contains("# default"), "{text}");
    let file = rig.dir.path().join("told.yaml");
    std::fs::write(&file, &text).unwrap();
    let checked = weir(&rig, &["check"]).arg(&file).output().unwrap();
    assert!(checked.status.success(), "{text}{}", err(&checked));
}

// --- weir doctor ---

/// What the doctor says of a check.
fn found<'a>(told: &'a Value, check: &str, target: &str) -> &'a Value {
    let mut all = told["checks"].as_array().unwrap().iter();
    let fits = |f: &&Value| f["check"] == check && f["target"].as_str().unwrap().contains(target);
    all.find(fits).unwrap_or_else(|| panic!("no {check} {target} in {told}"))
}

fn doctor(rig: &Rig, port: u16, more: &[&str]) -> Output {
    let port = port.to_string();
    let args = ["doctor", "--json", "--host", "127.0.0.1", "--port", &port];
    weir(rig, &[&args[..], more].concat()).output().unwrap()
}

#[tokio::test]
async fn weir_doctor_names_what_is_not_there_and_fails() {
    let rig = Rig::start().await;
    let port = rig.address().rsplit_once(':').unwrap().1.parse().unwrap();
    let done = doctor(&rig, port, &[]);
    assert_eq!(done.status.code(), Some(1), "{}", out(&done));
    let told = printed(&done);
    assert_eq!(told["ok"], false);
    assert_eq!(found(&told, "provider", "127.0.0.1:9")["status"], "fail");
    let mock = rig.mock.url().trim_start_matches("http://").to_owned();
    assert_eq!(found(&told, "provider", &mock)["status"], "ok", "{told}");
    assert_eq!(found(&told, "ledger", "SQLite")["status"], "ok");
    let listener = found(&told, "listener", "127.0.0.1");
    assert_eq!(
        (&listener["status"], &listener["detail"]),
        (&json!("ok"), &json!("a gateway is listening")),
        "its own gateway is in nobody's way"
    );
    assert_eq!(rig.mock.seen_count(), 0, "providers are asked nothing");
}

#[tokio::test]
async fn weir_doctor_is_content_where_all_is_well() {
    let rig = Rig::config(CONFIG).replace("http://127.0.0.1:9", "MOCK").start().await;
    let done = doctor(&rig, free_port(), &[]);
    assert_eq!(done.status.code(), Some(0), "{}{}", out(&done), err(&done));
    assert_eq!(found(&printed(&done), "listener", "")["detail"], "free");
}

// The command is waited for in this thread, while the other end is served by another.
#[tokio::test(flavor = "multi_thread")]
async fn weir_doctor_tells_until_when_certificates_are_good() {
    let pki = Pki::new();
    let end = TlsEnd::start(&pki, &[]).await;
    let sink = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    end.forward_to(sink.local_addr().unwrap());
    let config = format!(
        "model_list:\n  - model_name: tls\n    litellm_params: {{model: openai/x, api_key: sk-x, api_base: \"https://localhost:{}/v1\"}}\n\
         litellm_settings: {{ssl_verify: \"{}\"}}\n",
        end.address.port(),
        pki.file("ca.pem")
    );
    let rig = Rig::config(&config).start().await;
    let done = doctor(&rig, free_port(), &[]);
    assert_eq!(done.status.code(), Some(0), "{}{}", out(&done), err(&done));
    let detail = found(&printed(&done), "provider", "localhost")["detail"].to_string();
    assert!(detail.contains("TLS in") && detail.contains("certificate until 40"), "{detail}");
    rig.write_config(&config.replace(&pki.file("ca.pem"), "true"));
    let done = doctor(&rig, free_port(), &[]);
    assert_eq!(done.status.code(), Some(1));
    let detail = found(&printed(&done), "provider", "localhost")["detail"].to_string();
    assert!(detail.contains("UnknownIssuer") && detail.contains("certificate ends 40"), "{detail}");
}

// --- weir keys, teams, users, spend ---

fn done(rig: &Rig, args: &[&str]) -> Output {
    let output = weir(rig, args).output().unwrap();
    assert!(output.status.success(), "{args:?}: {}{}", out(&output), err(&output));
    output
}

#[tokio::test]
async fn an_operator_makes_keys_and_reads_what_they_have_spent_from_a_terminal() {
    let rig = Rig::start().await;
    done(&rig, &["teams", "create", "--id", "red", "--alias", "Red", "--max-budget", "12.50"]);
    done(&rig, &["users", "create", "--id", "alice", "--email", "alice@x.test", "--role", "internal_user"]);
    let made = printed(&done(
        &rig,
        &["keys", "create", "--json", "--alias", "ci", "--team", "red", "--user", "alice"],
    ));
    let key = made["key"].as_str().unwrap().to_owned();
    let answer = rig.post("/v1/chat/completions", &key, crate::rig::chat("priced", "hi")).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    rig.row(answer.header("x-litellm-call-id")).await;

    let teams = out(&done(&rig, &["teams", "list"]));
    assert!(teams.starts_with("ALIAS") && teams.contains("Red") && teams.contains("12.5"), "{teams}");
    assert!(out(&done(&rig, &["users", "list", "--csv"])).contains("alice,alice@x.test,internal_user,"));
    let listed = printed(&done(&rig, &["keys", "list", "--json", "--team", "red"]));
    assert_eq!(listed.as_array().unwrap().len(), 1, "{listed}");
    assert!(!listed.to_string().contains(&key), "p35: a key is told once");

    let spent = printed(&done(&rig, &["spend", "--json", "--by", "key"]));
    assert_eq!(spent[0]["key"], "ci", "{spent}");
    assert!(spent[0]["spend"].as_str().unwrap().starts_with("0.0"), "{spent}");
    let by_model = out(&done(&rig, &["spend", "--by", "model", "--csv"]));
    assert!(by_model.starts_with("name,spend,tokens\npriced,0.0"), "{by_model}");

    done(&rig, &["keys", "block", "ci"]);
    let blocked = rig.post("/v1/chat/completions", &key, crate::rig::chat("priced", "hi")).await;
    assert_eq!(blocked.status, 401, "{}", blocked.text());
    done(&rig, &["keys", "unblock", "ci"]);
    done(&rig, &["keys", "update", "ci", "--rpm", "7", "--set", "metadata={\"a\": 1}"]);
    let info = printed(&done(&rig, &["keys", "info", "ci", "--json"]));
    assert_eq!(
        (&info["info"]["rpm_limit"], &info["info"]["metadata"]["a"]),
        (&json!(7), &json!(1)),
        "{info}"
    );
    let rotated = printed(&done(&rig, &["keys", "rotate", "ci", "--json"]));
    assert_ne!(rotated["key"], key.as_str());
    assert_eq!(rig.post("/v1/chat/completions", &key, crate::rig::chat("priced", "hi")).await.status, 401);
    done(&rig, &["keys", "delete", "ci"]);
    assert_eq!(printed(&done(&rig, &["keys", "list", "--json", "--team", "red"])), json!([]));
}

#[tokio::test]
async fn a_refusal_is_told_in_the_gateways_words_and_the_key_comes_from_a_file() {
    let rig = Rig::start().await;
    let file = rig.dir.path().join("key");
    std::fs::write(&file, "sk-wrong\n").unwrap();
    let path = file.display().to_string();
    let refused = weir(&rig, &["keys", "list", "--key-file", &path]).output().unwrap();
    assert_eq!(refused.status.code(), Some(1));
    assert!(err(&refused).contains("401") && !err(&refused).contains(MASTER), "{}", err(&refused));
    std::fs::write(&file, format!("{MASTER}\n")).unwrap();
    let listed =
        weir(&rig, &["keys", "list", "--key-file", &path]).env_remove("LITELLM_MASTER_KEY").output().unwrap();
    assert!(listed.status.success(), "{}", err(&listed));
    let nobody = weir(&rig, &["keys", "info", "no-such-alias"]).output().unwrap();
    assert!(err(&nobody).contains("no key has the alias"), "{}", err(&nobody));
}

// --- weir completions, weir man ---

#[test]
fn completions_and_manual_know_every_command() {
    let run = |args: &[&str]| Command::new(env!("CARGO_BIN_EXE_weir")).args(args).output().unwrap();
    for shell in ["bash", "zsh", "fish"] {
        let text = out(&run(&["completions", shell]));
        assert!(["doctor", "spend", "reprice"].iter().all(|command| text.contains(command)), "{shell}");
    }
    assert!(out(&run(&["man"])).contains(".TH weir 1"));
    let dir = tempfile::tempdir().unwrap();
    assert!(run(&["man", &dir.path().display().to_string()]).status.success());
    for page in ["weir.1", "weir-doctor.1", "weir-keys-create.1"] {
        assert!(dir.path().join(page).is_file(), "{page}");
    }
}

// --- weir check --helm-values ---

#[test]
fn the_values_of_every_example_pass_and_a_misspelt_one_does_not() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy");
    let check = |file: &std::path::Path| {
        Command::new(env!("CARGO_BIN_EXE_weir")).args(["check", "--helm-values"]).arg(file).output().unwrap()
    };
    for file in [
        "helm/weir/values.yaml",
        "examples/homelab/values.yaml",
        "examples/aws/values.yaml",
        "examples/azure/values.yaml",
    ] {
        let done = check(&root.join(file));
        assert!(done.status.success() && !err(&done).contains("unknown key"), "{file}: {}", err(&done));
    }
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("values.yaml");
    std::fs::write(&file, "autoscaling: {enabled: soon}\nproxy_config: {model_list: []}\n").unwrap();
    let done = check(&file);
    assert_eq!(done.status.code(), Some(1));
    assert!(err(&done).contains("values.yaml:1: autoscaling.enabled: expected boolean"), "{}", err(&done));
}

// --- changing secrets ---

#[tokio::test]
async fn two_master_keys_are_taken_while_one_is_changed_for_the_other() {
    const OLD: &str = "sk-master-of-yesterday";
    let rig = Rig::config(CONFIG).env("WEIR_MASTER_KEY_PREVIOUS", OLD).start().await;
    for key in [MASTER, OLD] {
        assert_eq!(rig.get("/key/list", key).await.status, 200, "{key}");
        let answer = rig.post("/v1/chat/completions", key, crate::rig::chat("gpt-4o", "hi")).await;
        assert_eq!(answer.status, 200, "{key}: {}", answer.text());
    }
    assert_eq!(rig.get("/key/list", "sk-master-of-tomorrow").await.status, 401);
    let told =
        printed(&weir(&rig, &["config", "--json"]).env("WEIR_MASTER_KEY_PREVIOUS", OLD).output().unwrap());
    assert_eq!(setting(&told, "master_key_previous")["value"], "***");
}

#[tokio::test]
async fn what_is_sealed_moves_to_another_salt_key() {
    let rig = Rig::config(CONFIG).env("LITELLM_SALT_KEY", "salt-old").start().await;
    let model = json!({"model_name": "added", "litellm_params": {"model": "openai/x", "api_key": "sk-x"}});
    assert_eq!(rig.post("/model/new", MASTER, model).await.status, 200);
    let models = |salt: &str, previous: &str| {
        let mut command = weir(&rig, &["config", "--json"]);
        command.env("LITELLM_SALT_KEY", salt).env("WEIR_SALT_KEY_PREVIOUS", previous);
        out(&command.output().unwrap()).contains("\"added\"")
    };
    assert!(models("salt-old", "") && !models("salt-new", ""));
    assert!(models("salt-new", "salt-old"), "both are opened while one is changed for the other");
    let reseal = |more: &[&str]| {
        let mut command = weir(&rig, &["reseal", "--from-env", "OLD"]);
        command.args(more).env("LITELLM_SALT_KEY", "salt-new").env("OLD", "salt-old");
        command.env("WEIR_SALT_KEY_PREVIOUS", "salt-old").output().unwrap()
    };
    assert!(out(&reseal(&["--dry-run"])).contains("models: 1 to be sealed anew"));
    assert!(models("salt-old", ""), "a dry run changes nothing");
    let done = reseal(&[]);
    assert!(
        done.status.success() && out(&done).contains("models: 1 sealed anew"),
        "{}{}",
        out(&done),
        err(&done)
    );
    assert!(models("salt-new", "") && !models("salt-old", ""));
    assert!(out(&reseal(&[])).contains("models: 0 sealed anew, 1 were already"));
    let wrong = weir(&rig, &["reseal", "--from-env", "OLD"])
        .env("LITELLM_SALT_KEY", "salt-third")
        .env("OLD", "salt-fourth")
        .output()
        .unwrap();
    assert_eq!(wrong.status.code(), Some(1));
    assert!(err(&wrong).contains("left as they are"), "{}", err(&wrong));
}

#[tokio::test]
async fn a_command_line_of_litellms_goes_on_working() {
    let flags = ["--run_gunicorn", "--keepalive_timeout", "75", "--telemetry", "False", "--detailed_debug"];
    let rig = Rig::config(CONFIG).args(&flags).start().await;
    for flag in ["--run_gunicorn", "--keepalive_timeout", "--telemetry"] {
        assert!(
            rig.log().contains(&format!("{flag} is an option of LiteLLM's and has no effect here")),
            "{}",
            rig.log()
        );
    }
}
