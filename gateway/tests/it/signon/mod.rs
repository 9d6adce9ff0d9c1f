//! Signing in to the admin UI, and everything that must not sign anybody in. `sso.rs` is the way over an identity
//! provider, `variables.rs` what the variables of LiteLLM make of it, `idp.rs` such a provider, `bearer.rs` its tokens in place
//! of keys.

mod bearer;
mod idp;
mod sso;
mod variables;

use crate::client::{self, Answer};
use crate::rig::{CONFIG, MASTER, Rig, chat};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;

/// A browser: it keeps cookies, and its page knows the session's header.
pub struct Browser<'r> {
    rig: &'r Rig,
    pub cookies: BTreeMap<String, String>,
    pub csrf: String,
}

impl<'r> Browser<'r> {
    pub fn new(rig: &'r Rig) -> Self {
        Self { rig, cookies: BTreeMap::new(), csrf: String::new() }
    }

    pub async fn send(&mut self, method: &str, path: &str, more: &[(&str, &str)], body: Value) -> Answer {
        let cookies: Vec<String> =
            self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let cookies = cookies.join("; ");
        let mut headers = vec![("content-type", "application/json"), ("cookie", cookies.as_str())];
        if !self.csrf.is_empty() && method != "GET" {
            headers.push(("x-weir-csrf", self.csrf.as_str()));
        }
        headers.extend_from_slice(more);
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let answer = client::send(method, &format!("{}{path}", self.rig.url), &headers, body).await;
        for set in answer.header("set-cookie").lines() {
            let (name, value) = set.split(';').next().unwrap().split_once('=').unwrap();
            if value.is_empty() {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        answer
    }

    pub async fn get(&mut self, path: &str) -> Answer {
        self.send("GET", path, &[], Value::Null).await
    }

    pub async fn post(&mut self, path: &str, body: Value) -> Answer {
        self.send("POST", path, &[], body).await
    }

    pub async fn sign_in(&mut self, name: &str, password: &str) -> Answer {
        let answer = self.post("/ui/session", json!({ "username": name, "password": password })).await;
        if answer.status == 200 {
            self.csrf = answer.json()["csrf"].as_str().unwrap().to_owned();
        }
        answer
    }

    /// Who is signed in; 401 for nobody.
    pub async fn session(&mut self) -> Result<Value, u16> {
        let answer = self.get("/ui/session").await;
        if answer.status == 200 { Ok(answer.json()) } else { Err(answer.status) }
    }
}

async fn user(rig: &Rig, id: &str, role: &str, password: &str) {
    let body = json!({ "user_id": id, "user_email": format!("{id}@work.example"), "user_role": role,
        "password": password, "auto_create_key": false });
    let made = rig.post("/user/new", MASTER, body).await;
    assert_eq!(made.status, 200, "{}", made.text());
}

#[tokio::test]
async fn p37_a_session_acts_as_its_user_and_writes_only_with_its_header() {
    let rig = Rig::start().await;
    user(&rig, "vera", "internal_user_viewer", "vera's password").await;
    let mut vera = Browser::new(&rig);
    assert_eq!(vera.session().await, Err(401));
    let answer = vera.sign_in("vera@work.example", "vera's password").await;
    let cookie = answer.header("set-cookie").to_owned();
    for word in ["HttpOnly", "SameSite=Lax", "Path=/"] {
        assert!(cookie.contains(word), "{cookie}");
    }
    let session = vera.session().await.unwrap();
    assert_eq!((&session["user_id"], &session["role"]), (&json!("vera"), &json!("internal_user_viewer")));
    assert_eq!(vera.get("/user/info").await.json()["user_id"], "vera");
    let denied = vera.post("/user/new", json!({ "user_role": "proxy_admin" })).await;
    assert!([401, 403].contains(&denied.status), "a viewer writes: {}", denied.text());

    let mut admin = Browser::new(&rig);
    assert_eq!(admin.sign_in("admin", MASTER).await.status, 200);
    let made = admin.post("/team/new", json!({ "team_id": "red", "team_alias": "Red" })).await;
    assert_eq!(made.status, 200, "{}", made.text());
    for csrf in ["", "0000", vera.csrf.as_str()] {
        let mut page = Browser { rig: &rig, cookies: admin.cookies.clone(), csrf: csrf.to_owned() };
        assert_eq!(page.post("/team/new", json!({ "team_id": "forged" })).await.status, 403, "{csrf}");
        assert_eq!(page.get("/team/info?team_id=red").await.status, 200);
    }
    assert_eq!(rig.get("/team/info?team_id=forged", MASTER).await.status, 404);
}

#[tokio::test]
async fn p50_a_session_of_the_ui_spends_no_more_than_the_operator_lets_it() {
    let settings = "litellm_settings: {max_ui_session_budget: 0.0001, ";
    let rig = Rig::config(CONFIG).replace("litellm_settings: {", settings).start().await;
    user(&rig, "paul", "internal_user", "paul's password").await;
    let mut paul = Browser::new(&rig);
    paul.sign_in("paul", "paul's password").await;
    let mut served = 0;
    let refused = loop {
        let answer = paul.post("/v1/chat/completions", chat("priced", "hi")).await;
        if answer.status != 200 {
            break answer;
        }
        served += 1;
        assert!(served < 5, "nothing is refused");
    };
    assert!(served >= 1, "{}", refused.text());
    assert_eq!((refused.status, &refused.json()["error"]["type"]), (400, &json!("budget_exceeded")));
    let mut again = Browser::new(&rig);
    again.sign_in("paul", "paul's password").await;
    assert_eq!(again.post("/v1/chat/completions", chat("priced", "hi")).await.status, 200, "another session");
    let key = rig.key(json!({"user_id": "paul"})).await;
    assert_eq!(rig.post("/v1/chat/completions", &key, chat("priced", "hi")).await.status, 200, "no session");
}

#[tokio::test]
async fn p37_a_session_is_no_key_and_a_token_is_nowhere_kept() {
    let rig = Rig::start().await;
    user(&rig, "paul", "internal_user", "paul's password").await;
    let mut paul = Browser::new(&rig);
    paul.sign_in("paul", "paul's password").await;
    let token = paul.cookies["weir_session"].clone();
    assert_eq!(rig.get("/user/info", &token).await.status, 401);
    // The playground's chat costs the user's money, and needs the header.
    let answer = paul.post("/v1/chat/completions", chat("gpt-4o", "hello")).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(rig.rows(1).await[0]["user"], "paul");
    let mut forged = Browser { rig: &rig, cookies: paul.cookies.clone(), csrf: String::new() };
    assert_eq!(forged.post("/v1/chat/completions", chat("gpt-4o", "hello")).await.status, 403);
    for file in std::fs::read_dir(rig.data()).unwrap().map(|entry| entry.unwrap().path()) {
        let Ok(bytes) = std::fs::read(&file) else { continue };
        let there = bytes.windows(token.len()).any(|window| window == token.as_bytes());
        assert!(!there, "the token stands in {}", file.display());
    }
}

#[tokio::test]
async fn p37_signing_in_makes_a_new_token_and_ends_the_old_one() {
    let rig = Rig::start().await;
    let mut browser = Browser::new(&rig);
    browser.cookies.insert("weir_session".into(), "weir-session-chosen-by-an-attacker".into());
    browser.sign_in("admin", MASTER).await;
    let first = browser.cookies.clone();
    assert_ne!(first["weir_session"], "weir-session-chosen-by-an-attacker");
    browser.sign_in("admin", MASTER).await;
    let mut old = Browser { rig: &rig, cookies: first, csrf: String::new() };
    assert_eq!(old.session().await, Err(401));
    assert!(browser.session().await.is_ok());
}

#[tokio::test]
async fn p37_who_signs_out_is_out_here_and_everywhere() {
    let rig = Rig::start().await;
    user(&rig, "otto", "internal_user", "otto's password").await;
    let (mut one, mut two, mut three) = (Browser::new(&rig), Browser::new(&rig), Browser::new(&rig));
    for browser in [&mut one, &mut two, &mut three] {
        assert_eq!(browser.sign_in("otto", "otto's password").await.status, 200);
    }
    let kept = one.cookies.clone();
    assert_eq!(one.send("DELETE", "/ui/session", &[], Value::Null).await.status, 204);
    assert!(one.cookies.is_empty());
    assert_eq!(Browser { rig: &rig, cookies: kept, csrf: String::new() }.session().await, Err(401));
    assert!(two.session().await.is_ok());
    let kept = two.cookies.clone();
    assert_eq!(two.send("DELETE", "/ui/sessions", &[], Value::Null).await.status, 204);
    for cookies in [kept, three.cookies.clone()] {
        assert_eq!(Browser { rig: &rig, cookies, csrf: String::new() }.session().await, Err(401));
    }
    // A password that was changed lets nobody in who knew the old one.
    three.sign_in("otto", "otto's password").await;
    let changed = rig.post("/user/update", MASTER, json!({ "user_id": "otto", "password": "another" })).await;
    assert_eq!(changed.status, 200, "{}", changed.text());
    assert_eq!(three.session().await, Err(401));
    assert_eq!(three.sign_in("otto", "otto's password").await.status, 401);
    assert_eq!(three.sign_in("otto", "another").await.status, 200);
}

#[tokio::test]
async fn p37_a_session_ends_by_itself() {
    let config = CONFIG.replace("{drain_delay: 0.2}", "{drain_delay: 0.2, ui_session_lifetime: 1}");
    let rig = Rig::config(&config).start().await;
    let mut browser = Browser::new(&rig);
    assert_eq!(browser.sign_in("admin", MASTER).await.status, 200);
    for _ in 0..400 {
        if browser.session().await == Err(401) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("the session does not end");
}

#[tokio::test]
async fn p37_a_session_that_nobody_uses_ends_before_its_time() {
    let config = CONFIG.replace("{drain_delay: 0.2}", "{drain_delay: 0.2, ui_session_idle: 1}");
    let rig = Rig::config(&config).start().await;
    let mut browser = Browser::new(&rig);
    assert_eq!(browser.sign_in("admin", MASTER).await.status, 200);
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    assert_eq!(browser.session().await, Err(401));
}

/// What a door is not asked for it does not take, whatever it is called.
#[tokio::test]
async fn p37_no_parameter_raises_anybody() {
    let rig = Rig::start().await;
    user(&rig, "eve", "internal_user", "eve's password").await;
    let raise = |mut body: Value| {
        for name in ["role", "user_role", "roles"] {
            body[name] = "proxy_admin".into();
        }
        body
    };
    let mut eve = Browser::new(&rig);
    let door = raise(json!({ "username": "eve", "password": "eve's password" }));
    let answer = eve.post("/ui/session?role=proxy_admin&user_role=proxy_admin", door).await;
    assert_eq!(answer.json()["role"], "internal_user", "{}", answer.text());
    eve.csrf = answer.json()["csrf"].as_str().unwrap().to_owned();
    let shown = eve.get("/ui/session?role=proxy_admin&user_id=default_user_id").await.json();
    assert_eq!((&shown["user_id"], &shown["role"]), (&json!("eve"), &json!("internal_user")));
    for (path, body) in [
        ("/user/update", raise(json!({ "user_id": "eve" }))),
        ("/user/new", raise(json!({ "user_id": "eve-2" }))),
        ("/key/generate", raise(json!({ "user_id": "default_user_id" }))),
        ("/team/new", raise(json!({ "members_with_roles": [{ "role": "admin", "user_id": "eve" }] }))),
    ] {
        let denied = eve.post(path, body).await;
        assert!([401, 403].contains(&denied.status), "{path}: {}", denied.text());
    }
    let link = rig.post("/invitation/new", MASTER, json!({ "user_id": "eve" })).await.json()["id"].clone();
    let accepted = raise(json!({ "invitation_id": link, "password": "eve's other one" }));
    assert_eq!(eve.post("/ui/invitation", accepted).await.status, 204);
    let info = rig.get("/user/info?user_id=eve", MASTER).await.json();
    assert_eq!(info["user_info"]["user_role"], "internal_user");
}

#[tokio::test]
async fn p37_who_guesses_has_to_wait() {
    let rig = Rig::start().await;
    user(&rig, "gina", "internal_user", "gina's password").await;
    let mut guesser = Browser::new(&rig);
    let mut statuses = Vec::new();
    for guess in 0..12 {
        statuses.push(guesser.sign_in("Gina@work.example", &format!("guess {guess}")).await.status);
    }
    assert_eq!(statuses[..10], [401; 10]);
    assert_eq!(statuses[10..], [429; 2]);
    let right = guesser.sign_in("gina@work.example", "gina's password").await;
    assert_eq!(right.status, 429, "the right password says nothing either");
    assert!(right.header("retry-after").parse::<u64>().unwrap() > 0);
    assert_eq!(guesser.sign_in("admin", MASTER).await.status, 200, "another account");
}

#[tokio::test]
async fn p37_pages_of_other_sites_sign_nobody_in() {
    let rig = Rig::start().await;
    let mut browser = Browser::new(&rig);
    let body = json!({ "username": "admin", "password": MASTER });
    for header in [("origin", "https://evil.example"), ("origin", "null"), ("sec-fetch-site", "cross-site")] {
        for path in ["/ui/session", "/v2/login"] {
            let answer = browser.send("POST", path, &[header], body.clone()).await;
            assert_eq!(answer.status, 403, "{header:?} {path}");
        }
    }
    let own = rig.url.clone();
    assert_eq!(browser.send("POST", "/v2/login", &[("origin", &own)], body).await.status, 200);
    assert!(browser.session().await.is_ok());
}

#[tokio::test]
async fn the_form_works_without_a_script() {
    let rig = Rig::config(CONFIG).env("UI_USERNAME", "root").env("UI_PASSWORD", "the ui's own").start().await;
    let form = client::send("GET", &format!("{}/fallback/login", rig.url), &[], "").await;
    assert!(form.text().contains("action=\"/login\""), "{}", form.text());
    let send = async |body: &'static str| {
        let headers = [("content-type", "application/x-www-form-urlencoded")];
        client::send("POST", &format!("{}/login", rig.url), &headers, body).await
    };
    assert_eq!(send("username=admin&password=the+ui%27s+own").await.status, 401, "another name");
    let done = send("username=root&password=the+ui%27s+own").await;
    assert_eq!((done.status, done.header("location")), (303, "/ui/?login=success"));
    assert!(done.header("set-cookie").starts_with("weir_session=weir-session-"));
}

#[tokio::test]
async fn p37_an_invitation_sets_one_password_once() {
    let rig = Rig::start().await;
    user(&rig, "ida", "internal_user", "unknown to ida").await;
    let made = rig.post("/invitation/new", MASTER, json!({ "user_id": "ida" })).await;
    let id = made.json()["id"].as_str().unwrap().to_owned();
    let mut browser = Browser::new(&rig);
    let accept = |password: &str| json!({ "invitation_id": id, "password": password });
    assert_eq!(browser.post("/ui/invitation", accept("ida's own")).await.status, 204);
    assert_eq!(browser.post("/ui/invitation", accept("a thief's")).await.status, 400);
    let unknown = json!({ "invitation_id": "none", "password": "x" });
    assert_eq!(browser.post("/ui/invitation", unknown).await.status, 400);
    assert_eq!(browser.sign_in("ida", "a thief's").await.status, 401);
    assert_eq!(browser.sign_in("ida", "ida's own").await.status, 200);
}

#[tokio::test]
async fn only_admins_use_the_ui_where_the_operator_wants_it_so() {
    let config = CONFIG.replace("general_settings: {", "general_settings: {ui_access_mode: admin_only, ");
    let rig = Rig::config(&config).start().await;
    user(&rig, "nina", "internal_user", "nina's password").await;
    user(&rig, "adam", "proxy_admin", "adam's password").await;
    assert_eq!(Browser::new(&rig).sign_in("nina", "nina's password").await.status, 403);
    assert_eq!(Browser::new(&rig).sign_in("adam", "adam's password").await.status, 200);
}

#[tokio::test]
async fn the_ui_is_served_with_a_strict_policy_and_can_be_switched_off() {
    let rig = Rig::config(CONFIG).env("SERVER_ROOT_PATH", "/llm").start().await;
    let get = async |path: &str| client::send("GET", &format!("{}{path}", rig.url), &[], "").await;
    let moved = get("/llm/ui").await;
    assert_eq!((moved.status, moved.header("location")), (307, "/llm/ui/"));
    for path in ["/llm/ui/", "/llm/ui/keys/some-key"] {
        let page = get(path).await;
        assert_eq!((page.status, page.header("cache-control")), (200, "no-cache"), "{path}");
        assert!(page.header("content-security-policy").starts_with("default-src 'none'; script-src 'self'"));
        assert!(!page.text().contains("<script>"), "{}", page.text());
    }
    assert_eq!(get("/llm/ui/assets/none.js").await.status, 404);
    assert_eq!(get("/llm/ui/options").await.json(), json!({ "sso": false }));

    let off = Rig::config(CONFIG).env("DISABLE_ADMIN_UI", "True").start().await;
    for path in ["/ui/", "/fallback/login", "/sso/key/generate"] {
        assert_eq!(client::send("GET", &format!("{}{path}", off.url), &[], "").await.status, 404, "{path}");
    }
    assert_eq!(Browser::new(&off).sign_in("admin", MASTER).await.status, 404);
}

#[tokio::test]
async fn p37_identity_headers_count_from_named_proxies_only() {
    let on = "general_settings: {enable_oauth2_proxy_auth: true, ";
    let config = CONFIG.replace("general_settings: {", on);
    let there = config.replace("{drain_delay: 0.2}", "{drain_delay: 0.2, identity_proxies: [127.0.0.1]}");
    let elsewhere = config.replace("{drain_delay: 0.2}", "{drain_delay: 0.2, identity_proxies: [10.9.8.7]}");
    let said = [("x-forwarded-preferred-username", "pia"), ("x-forwarded-email", "pia@work.example")];
    let rig = Rig::config(&there).start().await;
    let mut pia = Browser::new(&rig);
    pia.send("GET", "/ui/", &said, Value::Null).await;
    let session = pia.session().await.unwrap();
    assert_eq!((&session["user_id"], &session["role"]), (&json!("pia"), &json!("internal_user_viewer")));
    let before = pia.cookies.clone();
    pia.send("GET", "/ui/keys", &said, Value::Null).await;
    assert_eq!(pia.cookies, before, "one session is enough");

    let rig = Rig::config(&elsewhere).start().await;
    let mut forger = Browser::new(&rig);
    let forged = [said[0], ("x-weir-peer", "10.9.8.7"), ("x-forwarded-for", "10.9.8.7")];
    forger.send("GET", "/ui/", &forged, Value::Null).await;
    assert_eq!(forger.session().await, Err(401));
    assert!(rig.get("/user/list", MASTER).await.json()["users"].as_array().unwrap().is_empty());
}
