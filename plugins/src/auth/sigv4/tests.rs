//! AWS's published test suite, and signatures that LiteLLM made of the same requests.

use super::*;
use crate::testing::golden_cases;
use serde_json::Value;

/// The suite's credentials: `AKIDEXAMPLE`.
fn suite() -> Credentials {
    Credentials::new("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", None, None, "test")
}

fn at(rfc3339: &str) -> Micros {
    Micros(rfc3339.parse::<jiff::Timestamp>().unwrap().as_microsecond())
}

fn authorization(headers: &[(HeaderName, HeaderValue)]) -> String {
    let found = headers.iter().find(|(name, _)| name == "authorization").unwrap();
    assert!(found.1.is_sensitive());
    found.1.to_str().unwrap().to_owned()
}

#[test]
fn awss_test_suite() {
    let cases = [
        ("get-vanilla", "GET", "/", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
        (
            "get-vanilla-query-order-key-case",
            "GET",
            "/?Param2=value2&Param1=value1",
            "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
        ),
        ("post-vanilla", "POST", "/", "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"),
    ];
    for (name, method, path, signature) in cases {
        let url = format!("https://example.amazonaws.com{path}");
        let request = ToSign {
            method,
            url: &url,
            headers: &[],
            body: b"",
            region: "us-east-1",
            service: "service",
            at: at("2015-08-30T12:36:00Z"),
        };
        let written = authorization(&sign(&request, &suite()).unwrap());
        let expected = format!(
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, \
             SignedHeaders=host;x-amz-date, Signature={signature}"
        );
        assert_eq!(written, expected, "{name}");
    }
}

#[test]
fn a_session_token_is_sent_and_signed() {
    let temporary = Credentials::new("AKIDEXAMPLE", "secret", Some("token".to_owned()), None, "test");
    let request = ToSign {
        method: "POST",
        url: "https://bedrock-runtime.us-east-1.amazonaws.com/model/m%3A0/converse",
        headers: &[("content-type", "application/json")],
        body: b"{}",
        region: "us-east-1",
        service: BEDROCK,
        at: at("2026-01-02T03:04:05Z"),
    };
    let headers = sign(&request, &temporary).unwrap();
    assert!(headers.iter().any(|(name, value)| name == "x-amz-security-token" && value == "token"));
    assert!(authorization(&headers).contains("content-type;host;x-amz-date;x-amz-security-token"));
    assert!(sign(&ToSign { url: "not a url", ..request }, &temporary).is_err());
}

/// LiteLLM signed the very bytes that Python writes: the same signature means the same canonical request.
#[test]
fn litellms_signatures_come_out() {
    let Some(cases) = golden_cases("chat_bedrock.json") else { return };
    let who = Credentials::new("AKIAMOCK", "mocksecret", None, None, "test");
    let mut checked = 0;
    for upstream in cases.iter().flat_map(|case| case["upstream_received"].as_array().unwrap()) {
        let headers = &upstream["headers"];
        let body = python(&upstream["body"]);
        if headers["Content-Length"].as_str().and_then(|n| n.parse().ok()) != Some(body.len()) {
            continue; // spelt in another way
        }
        let date = headers["x-amz-date"].as_str().unwrap();
        let part = |range| &date[range];
        let rfc3339 = format!(
            "{}-{}-{}T{}:{}:{}Z",
            part(0..4),
            part(4..6),
            part(6..8),
            part(9..11),
            part(11..13),
            part(13..15)
        );
        let url = format!("http://127.0.0.1:9100{}", upstream["path"].as_str().unwrap());
        let request = ToSign {
            method: "POST",
            url: &url,
            headers: &[("content-type", "application/json")],
            body: body.as_bytes(),
            region: "us-east-1",
            service: BEDROCK,
            at: at(&rfc3339),
        };
        assert_eq!(headers["Authorization"], authorization(&sign(&request, &who).unwrap()));
        checked += 1;
    }
    assert!(checked > 20, "{checked}");
}

/// JSON as Python's `json.dumps` spells it; ASCII only.
fn python(value: &Value) -> String {
    match value {
        Value::Object(map) => {
            let members: Vec<_> =
                map.iter().map(|(k, v)| format!("{}: {}", Value::from(k.as_str()), python(v))).collect();
            format!("{{{}}}", members.join(", "))
        }
        Value::Array(items) => format!("[{}]", items.iter().map(python).collect::<Vec<_>>().join(", ")),
        other => other.to_string(),
    }
}

/// From "Signature Calculations for the Authorization Header" of Amazon S3's API reference: an object whose name is encoded.
#[test]
fn s3s_example() {
    let example = Credentials::new(
        "AKIAIOSFODNN7EXAMPLE",
        "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        None,
        None,
        "test",
    );
    let request = ToSign {
        method: "PUT",
        url: "https://examplebucket.s3.amazonaws.com/test%24file.text",
        headers: &[("date", "Fri, 24 May 2013 00:00:00 GMT"), ("x-amz-storage-class", "REDUCED_REDUNDANCY")],
        body: b"Welcome to Amazon S3.",
        region: "us-east-1",
        service: S3,
        at: at("2013-05-24T00:00:00Z"),
    };
    let headers = sign(&request, &example).unwrap();
    let hash = headers.iter().find(|(name, _)| name == "x-amz-content-sha256").unwrap();
    assert_eq!(hash.1, "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072");
    assert_eq!(
        authorization(&headers),
        "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, \
         SignedHeaders=date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class, \
         Signature=98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"
    );
}
