//! `tool_permission`: which tools a request may offer and a model may call, by their names and by what they are given. The
//! first rule that fits decides, else `default_action`.

use super::check::{Asked, Blocked, Check, Fault, Judged, Side, Tools, Verdict};
use super::kinds::Build;
use async_trait::async_trait;
use regex_automata::meta::Regex;
use serde_json::{Map, Value};
use std::sync::Arc;
use weir_core::body::{Edits, JsonBody};
use weir_core::config::problems::{Place, Problems};
use weir_core::config::section::Section;
use weir_core::config::tree::Node;

struct Permission {
    rules: Vec<Rule>,
    allows_others: bool,
    /// A call that is not allowed is taken out of the answer, and not the answer refused.
    rewrites: bool,
}

struct Rule {
    id: String,
    allows: bool,
    name: Option<Regex>,
    kind: Option<Regex>,
    /// Paths such as `arguments.to[]`, and what everything there must be for the rule to fit.
    params: Vec<Param>,
}

struct Param {
    path: String,
    written: String,
    pattern: Regex,
}

/// What most tools are, and the only kind that answers tell.
const FUNCTION: &str = "function";
/// Where a request offers tools; the second is OpenAI's old way.
static LISTS: [&str; 2] = ["tools", "functions"];
/// In which OpenAI has what a tool is called.
static WRAPPED: [&str; 2] = ["function", "custom"];
/// What has none of these is a bundle of Gemini's: lists of functions, and what Google runs itself (`googleSearch`).
static NAMED: [&str; 4] = ["type", "name", "function", "custom"];
/// Gemini's lists of functions.
static DECLARATIONS: [&str; 2] = ["functionDeclarations", "function_declarations"];

pub(super) fn build(build: &Build<'_>, problems: &mut Problems) -> Option<Arc<dyn Check>> {
    let params = &build.entry.params;
    let at = params.place("rules");
    let written = params.node("rules").map(Node::items).unwrap_or_default();
    let rules: Option<Vec<Rule>> = written.iter().map(|node| rule(node, &at, problems)).collect();
    let allows = one_of(params, "default_action", ["deny", "allow"], problems)?;
    let rewrites = one_of(params, "on_disallowed_action", ["block", "rewrite"], problems)?;
    Some(Arc::new(Permission { rules: rules?, allows_others: allows, rewrites }))
}

/// Whether the second of two words was written; the first where there is none.
fn one_of(params: &Section, name: &str, words: [&str; 2], problems: &mut Problems) -> Option<bool> {
    let Some(written) = params.text(name) else { return Some(false) };
    let found = words.iter().position(|word| word.eq_ignore_ascii_case(&written));
    if found.is_none() {
        problems.error(&params.place(name), format!("expected {} or {}", words[0], words[1]), "");
    }
    found.map(|index| index == 1)
}

fn rule(node: &Node, at: &Place, problems: &mut Problems) -> Option<Rule> {
    let text = |name: &str| node.get(name).and_then(Node::as_text).filter(|text| !text.is_empty());
    let id = text("id").unwrap_or_default().to_owned();
    let allows = match text("decision").map(str::to_ascii_lowercase).as_deref() {
        Some("allow") => true,
        Some("deny") => false,
        _ => {
            problems.error(at, format!("the rule {id:?} has no decision"), "write decision: allow or deny");
            return None;
        }
    };
    if text("tool_name").or_else(|| text("tool_type")).is_none() {
        problems.error(at, format!("the rule {id:?} names no tool"), "add tool_name");
        return None;
    }
    let mut whole = |pattern: Option<&str>| match pattern.map(anchored) {
        None => Some(None),
        Some(Ok(regex)) => Some(Some(regex)),
        Some(Err(why)) => {
            problems.error(at, format!("the rule {id:?} cannot be used: {why}"), "");
            None
        }
    };
    let (name, kind) = (whole(text("tool_name"))?, whole(text("tool_type"))?);
    let written = node.get("allowed_param_patterns").map(Node::entries).unwrap_or_default();
    let mut params = Vec::with_capacity(written.len());
    for (path, node) in written {
        let pattern = node.as_text().unwrap_or_default();
        let regex = whole(Some(pattern))??;
        params.push(Param { path: path.clone(), written: pattern.to_owned(), pattern: regex });
    }
    Some(Rule { id, allows, name, kind, params })
}

/// A pattern that a text must fit as a whole.
fn anchored(pattern: &str) -> Result<Regex, String> {
    Regex::new(&format!(r"\A(?:{pattern})\z")).map_err(|e| e.to_string())
}

#[async_trait]
impl Check for Permission {
    async fn check(&self, _: &Asked) -> Result<Verdict, Fault> {
        Ok(Verdict::Pass)
    }

    /// It is not about what is said.
    fn looks_at(&self, _: Side) -> bool {
        false
    }

    fn tools(&self) -> Option<&dyn Tools> {
        Some(self)
    }
}

impl Tools for Permission {
    fn offered(&self, body: &JsonBody) -> Result<Option<JsonBody>, Blocked> {
        let (mut edits, mut changed) = (Edits::default(), false);
        for list in LISTS {
            let raw = body.raw(list);
            let Some(Value::Array(mut tools)) = raw.and_then(|raw| serde_json::from_str(raw).ok()) else {
                continue;
            };
            if self.sift(&mut tools)? {
                edits.set(list, Value::Array(tools).to_string());
                changed = true;
            }
        }
        if !changed {
            return Ok(None);
        }
        edits
            .rewrite(body)
            .map(Some)
            .map_err(|_| Blocked::new("The tools of this request cannot be changed."))
    }

    fn called(&self, name: &str, arguments: &str) -> Judged {
        let Err(blocked) = self.judge(name, FUNCTION, Some(arguments)) else { return Judged::Allowed };
        if !self.rewrites {
            return Judged::Blocked(blocked);
        }
        let rule = if blocked.rule.is_empty() { String::new() } else { format!(" (Rule: {})", blocked.rule) };
        Judged::Replaced(format!("Permission denied: {}{rule}", blocked.message))
    }
}

impl Permission {
    /// Takes out what may not be offered; whether there was any.
    fn sift(&self, tools: &mut Vec<Value>) -> Result<bool, Blocked> {
        let (mut kept, mut changed) = (Vec::with_capacity(tools.len()), false);
        for mut tool in tools.drain(..) {
            let named = NAMED.iter().any(|name| tool.get(*name).is_some());
            let mut stays = !named || self.may_offer(&tool)?;
            if let Some(members) = tool.as_object_mut() {
                changed |= self.sift_members(members, !named)?;
                stays &= !members.is_empty();
            }
            changed |= !stays;
            if stays {
                kept.push(tool);
            }
        }
        *tools = kept;
        Ok(changed)
    }

    /// The same of what is in one. `bundle`: all of it are tools, each under its own name.
    fn sift_members(&self, members: &mut Map<String, Value>, bundle: bool) -> Result<bool, Blocked> {
        let (mut denied, mut changed) = (Vec::new(), false);
        for (name, member) in members.iter_mut() {
            match member {
                Value::Array(declared) if DECLARATIONS.contains(&name.as_str()) => {
                    changed |= self.sift(declared)?;
                }
                _ if bundle && !self.is_let_pass(name, name)? => denied.push(name.clone()),
                _ => {}
            }
        }
        for name in &denied {
            members.remove(name);
        }
        Ok(changed || !denied.is_empty())
    }

    /// Of a tool with several names nobody here knows which one counts. What a provider runs itself may have none: then its
    /// kind is its name.
    fn may_offer(&self, tool: &Value) -> Result<bool, Blocked> {
        let kind = tool.get("type").and_then(Value::as_str).unwrap_or(FUNCTION);
        let wrapped = WRAPPED.iter().filter_map(|name| tool.get(*name));
        let names = wrapped.chain([tool]).filter_map(|of| of.get("name").and_then(Value::as_str));
        let mut names: Vec<&str> = names.collect();
        if names.is_empty() {
            names.push(kind);
        }
        names.into_iter().try_fold(true, |may, name| Ok(self.is_let_pass(name, kind)? && may))
    }

    /// # Errors
    /// It is not, and nothing is to be sent without it.
    fn is_let_pass(&self, name: &str, kind: &str) -> Result<bool, Blocked> {
        match self.judge(name, kind, None) {
            Err(blocked) if !self.rewrites => Err(blocked),
            judged => Ok(judged.is_ok()),
        }
    }

    /// `arguments`: of a call; `None`: the tool is only offered.
    fn judge(&self, name: &str, kind: &str, arguments: Option<&str>) -> Result<(), Blocked> {
        let denied = |message: String, rule: &str| {
            let blocked = Blocked::new(message).by(rule).with("tool_name", name);
            Err(if rule.is_empty() { blocked } else { blocked.with("rule_id", rule) })
        };
        let mut unfit = None;
        for rule in self.rules.iter().filter(|rule| rule.is_about(name, kind)) {
            match arguments.map_or(Ok(()), |arguments| rule.fits(name, arguments)) {
                Err(why) => unfit = Some(why),
                Ok(()) if rule.allows => return Ok(()),
                Ok(()) => return denied(format!("Tool '{name}' denied by rule '{}'", rule.id), &rule.id),
            }
        }
        if self.allows_others {
            return Ok(());
        }
        denied(unfit.unwrap_or_else(|| format!("Tool '{name}' denied by default action")), "")
    }
}

impl Rule {
    fn is_about(&self, name: &str, kind: &str) -> bool {
        let fits = |pattern: &Option<Regex>, text: &str| pattern.as_ref().is_none_or(|p| p.is_match(text));
        fits(&self.name, name) && fits(&self.kind, kind)
    }

    /// Whether a call is given what the rule is about. Of rules that name no tool this is not asked, as with LiteLLM.
    fn fits(&self, name: &str, arguments: &str) -> Result<(), String> {
        if self.params.is_empty() || self.name.is_none() {
            return Ok(());
        }
        let given: Map<String, Value> = serde_json::from_str(arguments).unwrap_or_default();
        if given.is_empty() {
            return Err(format!("Tool '{name}' is missing arguments required by rule '{}'", self.id));
        }
        let mut values = Vec::new();
        collect(&Value::Object(given), String::new(), &mut values);
        self.params.iter().try_for_each(|param| param.fits(name, &self.id, &values))
    }
}

impl Param {
    fn fits(&self, tool: &str, rule: &str, values: &[(String, String)]) -> Result<(), String> {
        let mut here =
            values.iter().filter(|(path, _)| *path == self.path).map(|(_, value)| value).peekable();
        if here.peek().is_none() {
            return Err(format!("Missing value for path '{}' required by rule '{rule}'", self.path));
        }
        match here.find(|value| !self.pattern.is_match(value.as_str())) {
            None => Ok(()),
            Some(value) => Err(format!(
                "Value '{value}' for path '{}' does not match allowed pattern '{}' for tool '{tool}'",
                self.path, self.written
            )),
        }
    }
}

/// Everything that is no list and no object, with its path. Recursion ends: JSON is bounded in depth when it is read.
fn collect(value: &Value, path: String, out: &mut Vec<(String, String)>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                let below = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                collect(member, below, out);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, format!("{path}[]"), out)),
        Value::String(text) => out.push((path, text.clone())),
        // As Python spells them, which is what patterns were written for.
        Value::Bool(b) => out.push((path, if *b { "True" } else { "False" }.to_owned())),
        Value::Null => out.push((path, "None".to_owned())),
        Value::Number(number) => out.push((path, number.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{build as load, guardrails};
    use super::*;
    use bytes::Bytes;
    use serde_json::json;

    const RULES: &str = "rules: [{id: mail, tool_name: send_mail, decision: allow, allowed_param_patterns: \
                         {\"to[].address\": \".+@work[.]example\", urgent: \"True\"}}, {id: reading, tool_name: \"read_.*\", \
                         decision: allow}, {id: shell, tool_name: bash, decision: deny}]";

    fn entry(more: &str) -> String {
        format!(
            "{{guardrail_name: g, litellm_params: {{guardrail: tool_permission, mode: post_call, {RULES}{more}}}}}"
        )
    }

    fn called(more: &str, name: &str, arguments: &Value) -> Judged {
        let set = guardrails(&entry(more));
        set.find("g").unwrap().check.tools().unwrap().called(name, &arguments.to_string())
    }

    #[test]
    fn the_first_rule_that_fits_decides() {
        let to = |address: &str| json!({"to": [{"address": "a@work.example"}, {"address": address}], "urgent": true});
        assert_eq!(called("", "read_file", &json!({})), Judged::Allowed);
        assert_eq!(called("", "send_mail", &to("b@work.example")), Judged::Allowed);
        for (name, arguments, says) in [
            ("bash", json!({}), "Tool 'bash' denied by rule 'shell'"),
            ("xread_file", json!({}), "Tool 'xread_file' denied by default action"),
            ("send_mail", to("b@else.where"), "Value 'b@else.where' for path 'to[].address' does not match"),
            ("send_mail", json!({"to": [{"address": "a@work.example"}]}), "Missing value for path 'urgent'"),
            ("send_mail", json!({}), "missing arguments required by rule 'mail'"),
        ] {
            let Judged::Blocked(blocked) = called("", name, &arguments) else { panic!("{name} {arguments}") };
            assert!(blocked.message.contains(says), "{}", blocked.message);
            assert_eq!(blocked.facts["tool_name"], name);
        }
        assert_eq!(called(", default_action: Allow", "anything", &json!({})), Judged::Allowed);
        let replaced = called(", on_disallowed_action: rewrite", "bash", &json!({}));
        let says = "Permission denied: Tool 'bash' denied by rule 'shell' (Rule: shell)";
        assert_eq!(replaced, Judged::Replaced(says.to_owned()));
    }

    #[test]
    fn tools_are_not_even_offered() {
        let body =
            |tools: Value| JsonBody::parse(Bytes::from(json!({"tools": tools, "n": 1}).to_string())).unwrap();
        let function = |name: &str| json!({"type": "function", "function": {"name": name}});
        for (given, kept) in [
            (json!([function("read_a"), function("bash")]), json!([function("read_a")])),
            (json!([{"name": "read_a"}, {"name": "other"}]), json!([{"name": "read_a"}])),
            (
                json!([function("read_a"), {"type": "web_search"}, {"type": "custom", "custom": {"name": "bash"}}]),
                json!([function("read_a")]),
            ),
            (
                json!([{"name": "read_a"}, {"type": "function", "name": "read_a", "function": {"name": "bash"}}]),
                json!([{"name": "read_a"}]),
            ),
            (
                json!([{"functionDeclarations": [{"name": "read_a"}], "googleSearch": {}}, {"codeExecution": {}}]),
                json!([{"functionDeclarations": [{"name": "read_a"}]}]),
            ),
            (
                json!([{"functionDeclarations": [{"name": "bash"}, {"name": "read_a"}]}]),
                json!([{"functionDeclarations": [{"name": "read_a"}]}]),
            ),
        ] {
            let body = body(given);
            let offered = |more: &str| {
                guardrails(&entry(more)).find("g").unwrap().check.tools().unwrap().offered(&body)
            };
            assert!(offered("").is_err(), "refused");
            let sifted = offered(", on_disallowed_action: rewrite").unwrap().unwrap();
            assert_eq!(serde_json::from_str::<Value>(sifted.raw("tools").unwrap()).unwrap(), kept);
            assert_eq!(sifted.raw("n"), Some("1"));
        }
        let allowed = body(json!([function("read_a")]));
        assert_eq!(
            guardrails(&entry(""))
                .find("g")
                .unwrap()
                .check
                .tools()
                .unwrap()
                .offered(&allowed)
                .unwrap()
                .map(|_| ()),
            None
        );
    }

    #[test]
    fn p36_functions_of_the_old_way_and_kinds_are_judged_too() {
        let body = |text: Value| JsonBody::parse(Bytes::from(text.to_string())).unwrap();
        let offered = |more: &str, text: Value| {
            let set = guardrails(&entry(more));
            set.find("g").unwrap().check.tools().unwrap().offered(&body(text))
        };
        let old = || json!({"functions": [{"name": "bash"}, {"name": "read_a"}]});
        assert!(offered("", old()).is_err());
        let sifted = offered(", on_disallowed_action: rewrite", old()).unwrap().unwrap();
        assert_eq!(sifted.raw("functions"), Some(r#"[{"name":"read_a"}]"#));
        let search = || json!({"tools": [{"type": "web_search"}]});
        assert!(offered("", search()).is_err(), "by default");
        let rules = "{guardrail_name: g, litellm_params: {guardrail: tool_permission, mode: pre_call, default_action: deny, \
                     rules: [{id: s, tool_type: \"web_.*\", decision: allow}]}}";
        let set = guardrails(rules);
        let told = set.find("g").unwrap().check.tools().unwrap().offered(&body(search())).unwrap();
        assert!(told.is_none(), "as it is");
    }

    #[test]
    fn settings_say_what_is_wrong_with_them() {
        for (rules, says) in [
            ("rules: [{id: r, tool_name: f}]", "has no decision"),
            ("rules: [{id: r, decision: allow}]", "names no tool"),
            ("rules: [{id: r, tool_name: \"(\", decision: allow}]", "cannot be used"),
            ("rules: [], default_action: maybe", "expected deny or allow"),
        ] {
            let (_, problems) = load(&format!(
                "{{guardrail_name: g, litellm_params: {{guardrail: tool_permission, mode: pre_call, {rules}}}}}"
            ));
            assert!(problems.has_errors() && problems.to_string().contains(says), "{rules}: {problems}");
        }
    }
}
