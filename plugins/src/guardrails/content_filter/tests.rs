use super::super::check::{Blocked, Follow};
use super::super::testing::{build as load, guardrails};
use super::filter::Filter;
use super::follow::Following;
use super::patterns::{PREBUILT, SECRETS};
use super::rules::{Action, Rule};
use std::sync::Arc;

fn masking(name: &str, pattern: &str) -> Rule {
    Rule::masking(name, pattern, &format!("[{name}]"))
}

fn blocking(pattern: &str) -> Rule {
    let action = Action::Block(Blocked::new("blocked"));
    Rule { name: "b".into(), pattern: pattern.into(), action }
}

fn prebuilt() -> Filter {
    Filter::new(PREBUILT.iter().map(|(name, pattern)| masking(name, pattern)).collect()).unwrap()
}

/// The text in these pieces.
fn followed(filter: &Arc<Filter>, pieces: &[&str]) -> Result<String, Blocked> {
    let mut following = Following::new(Arc::clone(filter));
    let mut out = String::new();
    for piece in pieces {
        out.push_str(&following.take(piece)?);
    }
    out.push_str(&following.rest()?);
    Ok(out)
}

const TEXT: &str = "Grüße an Jörg <joerg.m@example.co.uk>, Karte 4111 1111 1111 1111 und 5555-5555-5555-4444; \
                    SSN 078-05-1120, ruf (555) 123-4567 an. AKIAIOSFODNN7EXAMPLE, ghp_abcdefghijklmnopqrstuvwxyz0123456789 \
                    und 漢字 a@b.io.";

#[test]
fn prebuilt_patterns_find_what_they_are_named_after() {
    let masked = prebuilt().mask(TEXT).unwrap();
    for (found, tag) in [
        ("joerg.m@example.co.uk", "<[email]>"),
        ("4111 1111", "Karte [visa]"),
        ("5555-5555", "[mastercard];"),
        ("078-05-1120", "SSN [us_ssn],"),
        ("123-4567", "ruf [phone] an"),
        ("AKIA", "[aws_access_key],"),
        ("ghp_", "[github_token] und"),
        ("a@b.io", "漢字 [email]."),
    ] {
        assert!(!masked.contains(found) && masked.contains(tag), "{found}: {masked}");
    }
    assert!(masked.starts_with("Grüße an Jörg "), "{masked}");
    let plain = "On 2024-05-06 at 12:30 we shipped 1234 units, order 98-7654-3, to room 101.";
    assert_eq!(prebuilt().mask(plain).unwrap(), plain);
}

#[test]
fn a_text_cut_anywhere_is_masked_like_the_whole() {
    let words = vec![masking("w", "(?i)joerg"), masking("digits", r"\bund\b")];
    for filter in [prebuilt(), Filter::new(words).unwrap()] {
        let filter = Arc::new(filter);
        let whole = filter.mask(TEXT).unwrap();
        for (cut, _) in TEXT.char_indices() {
            let (one, other) = TEXT.split_at(cut);
            assert_eq!(followed(&filter, &[one, other]).unwrap(), whole, "cut at {cut}");
        }
        let mut buffer = [0; 4];
        let each: Vec<String> = TEXT.chars().map(|c| c.encode_utf8(&mut buffer).to_owned()).collect();
        let each: Vec<&str> = each.iter().map(String::as_str).collect();
        assert_eq!(followed(&filter, &each).unwrap(), whole, "character by character");
    }
}

#[test]
fn what_lies_beside_a_cut_decides_as_in_the_whole() {
    // A boundary looks at the character before, which has gone on already.
    let filter = Arc::new(Filter::new(vec![masking("n", r"\b12\b"), masking("s", "^start")]).unwrap());
    for text in ["a12 12 12a _12 12", "start start", "x start", "12", "ß12 12ß"] {
        let whole = filter.mask(text).unwrap();
        for (cut, _) in text.char_indices() {
            let (one, other) = text.split_at(cut);
            for tail in [other.to_owned(), format!("{other}{}", " y".repeat(50))] {
                let whole =
                    if tail == other { whole.clone() } else { filter.mask(&format!("{one}{tail}")).unwrap() };
                assert_eq!(followed(&filter, &[one, &tail]).unwrap(), whole, "{text} cut at {cut}");
            }
        }
    }
}

#[test]
fn what_is_refused_is_refused_wherever_it_is_cut_and_before_it_is_shown() {
    let filter = Arc::new(Filter::new(vec![blocking("(?i)secret plan"), masking("m", "the se")]).unwrap());
    let text = format!("{} the Secret Plan {}", "x ".repeat(40), "y ".repeat(40));
    assert!(filter.mask(&text).is_err());
    for (cut, _) in text.char_indices() {
        let (one, other) = text.split_at(cut);
        let mut following = Following::new(Arc::clone(&filter));
        let mut shown = String::new();
        let refused = [one, other].iter().any(|piece| match following.take(piece) {
            Ok(more) => {
                shown.push_str(&more);
                false
            }
            Err(_) => true,
        });
        assert!(refused || following.rest().is_err(), "cut at {cut}");
        assert!(!shown.to_lowercase().contains("plan"), "cut at {cut}: {shown}");
    }
}

#[test]
fn an_exception_is_one_wherever_it_is_cut() {
    let pass = Rule { name: "p".into(), pattern: "no legal advice".into(), action: Action::Pass };
    let filter = Arc::new(Filter::new(vec![pass, blocking("legal advice"), masking("m", "advice")]).unwrap());
    let text = format!("{} no legal advice, {}", "x ".repeat(20), "y ".repeat(20));
    for (cut, _) in text.char_indices() {
        let (one, other) = text.split_at(cut);
        assert_eq!(followed(&filter, &[one, other]).unwrap(), text, "cut at {cut}");
    }
    assert!(filter.mask("no legal advice, but legal advice").is_err());
}

#[test]
fn a_stream_keeps_back_no_more_than_the_longest_match() {
    let filter = Arc::new(Filter::new(vec![masking("m", "abc")]).unwrap());
    let mut following = Following::new(filter);
    let mut shown = 0;
    for sent in 1..100 {
        shown += following.take("xy").unwrap().len();
        assert!(sent * 2 - shown <= 3 + super::filter::BEHIND + 1, "{sent}: {shown}");
    }
}

#[test]
fn secrets_are_hidden() {
    let rules = SECRETS.iter().map(|(name, pattern)| Rule::masking(name, pattern, "[REDACTED]")).collect();
    let filter = Filter::new(rules).unwrap();
    for secret in [
        "AKIAIOSFODNN7EXAMPLE",
        "ghp_abcdefghijklmnopqrstuvwxyz0123456789",
        "sk-proj-abcdefghijklmnopqrstuvwxyz",
        "AIzaSyA012345678901234567890123456789AB",
        "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA\nabc=\n-----END RSA PRIVATE KEY-----",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTYifQ.dozjgNryP4J3jVmNHl0w5N",
    ] {
        let masked = filter.mask(&format!("use {secret} now")).unwrap();
        assert_eq!(masked, "use [REDACTED] now", "{secret}");
    }
    let plain = "The sketch of task-list-and-more is in asia, see https://example.com/a:b@c";
    assert_eq!(filter.mask(plain).unwrap(), plain);
}

#[test]
fn settings_say_what_is_wrong_with_them() {
    for (params, says) in [
        ("", "there is nothing to look for"),
        (
            "patterns: [{pattern_type: prebuilt, pattern_name: emial, action: MASK}]",
            "did you mean \"email\"?",
        ),
        ("patterns: [{pattern_type: prebuilt, pattern_name: email}]", "has no action"),
        (
            "patterns: [{pattern_type: regex, pattern: \"(a\", name: mine, action: MASK}]",
            "mine: error: unclosed group",
        ),
        (
            "patterns: [{pattern_type: regex, pattern: \"a*\", name: mine, action: MASK}]",
            "matches the empty text",
        ),
        ("blocked_words: [{action: BLOCK}]", "has no keyword"),
        ("blocked_words_file: /nowhere/at/all.yaml", "cannot be read"),
    ] {
        let text = format!(
            "{{guardrail_name: g, litellm_params: {{guardrail: litellm_content_filter, mode: pre_call, {params}}}}}"
        );
        let (_, problems) = load(&text);
        assert!(problems.has_errors() && problems.to_string().contains(says), "{params}: {problems}");
    }
}

#[tokio::test]
async fn words_of_a_file_count_like_those_of_the_configuration() {
    let file = std::env::temp_dir().join(format!("weir-words-{}.yaml", weir_core::time::now().0));
    std::fs::write(&file, "blocked_words:\n  - {keyword: \"a.b\", action: MASK}\n").unwrap();
    let set = guardrails(&format!(
        "{{guardrail_name: g, litellm_params: {{guardrail: litellm_content_filter, mode: pre_call, blocked_words_file: {:?}, \
         blocked_words: [{{keyword: Secret, action: BLOCK, description: no secrets}}]}}}}",
        file.display().to_string()
    ));
    std::fs::remove_file(&file).unwrap();
    let check = &set.find("g").unwrap().check;
    let asked = |text: &str| super::super::testing::asked(&[text]);
    let edit = super::super::check::Verdict::Edit(vec!["x [KEYWORD_REDACTED] axb".to_owned()]);
    assert_eq!(check.check(&asked("x A.B axb")).await.unwrap(), edit);
    let super::super::check::Verdict::Block(blocked) = check.check(&asked("my SECRETS")).await.unwrap()
    else {
        panic!("let pass")
    };
    assert_eq!(blocked.message, "Content blocked: keyword 'Secret' found");
    assert_eq!(blocked.facts["description"], "no secrets");
}
