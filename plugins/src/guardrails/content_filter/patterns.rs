//! Patterns by name. What one of them can match at most is what a stream keeps back.

/// What `pattern_name` may say. Sources: the issuers' number ranges, RFC 5321 for the parts of an address (its domain is
/// cut at 100 characters), GitHub's and AWS's documentation for tokens.
pub(super) static PREBUILT: &[(&str, &str)] = &[
    ("us_ssn", r"(?-u:\b)[0-9]{3}-[0-9]{2}-[0-9]{4}(?-u:\b)"),
    ("email", r"(?-u:\b)[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9.-]{1,100}\.[A-Za-z]{2,24}(?-u:\b)"),
    (
        "phone",
        r"(?:\+[0-9]{1,3}[-. ]?)?(?:\([0-9]{3}\) ?|(?-u:\b)[0-9]{3}[-. ]?)[0-9]{3}[-. ]?[0-9]{4}(?-u:\b)",
    ),
    ("visa", r"(?-u:\b)4[0-9]{3}(?:[ -]?[0-9]{4}){3}(?-u:\b)"),
    (
        "mastercard",
        r"(?-u:\b)(?:5[1-5][0-9]{2}|222[1-9]|22[3-9][0-9]|2[3-6][0-9]{2}|27[01][0-9]|2720)(?:[ -]?[0-9]{4}){3}(?-u:\b)",
    ),
    ("amex", r"(?-u:\b)3[47][0-9]{2}[ -]?[0-9]{6}[ -]?[0-9]{5}(?-u:\b)"),
    ("discover", r"(?-u:\b)6(?:011|5[0-9]{2})(?:[ -]?[0-9]{4}){3}(?-u:\b)"),
    ("aws_access_key", AWS_ACCESS_KEY),
    ("aws_secret_key", r"(?-u:\b)[A-Za-z0-9/+=]{40}(?-u:\b)"),
    ("github_token", GITHUB_TOKEN),
    ("slack_token", SLACK_TOKEN),
    (
        "ipv4",
        r"(?-u:\b)(?:(?:25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])\.){3}(?:25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])(?-u:\b)",
    ),
    ("iban", r"(?-u:\b)[A-Z]{2}[0-9]{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?(?-u:\b)"),
];

const AWS_ACCESS_KEY: &str = r"(?-u:\b)(?:AKIA|ASIA)[0-9A-Z]{16}(?-u:\b)";
const GITHUB_TOKEN: &str =
    r"(?-u:\b)(?:gh[pousr]_[A-Za-z0-9]{36,255}|github_pat_[A-Za-z0-9_]{22,255})(?-u:\b)";
const SLACK_TOKEN: &str = r"(?-u:\b)xox[abeoprs]-[A-Za-z0-9-]{10,200}";

/// What `hide-secrets` hides.
pub(super) static SECRETS: &[(&str, &str)] = &[
    ("aws_access_key", AWS_ACCESS_KEY),
    ("aws_secret_key", r#"(?i)aws.{0,20}?["'\s:=][0-9a-z/+]{40}(?-u:\b)"#),
    ("github_token", GITHUB_TOKEN),
    ("gitlab_token", r"(?-u:\b)glpat-[A-Za-z0-9_-]{20,64}"),
    ("slack_token", SLACK_TOKEN),
    ("slack_webhook", r"https://hooks\.slack\.com/services/[A-Za-z0-9/_-]{20,100}"),
    ("stripe_key", r"(?-u:\b)[rs]k_(?:live|test)_[0-9A-Za-z]{16,128}"),
    ("google_api_key", r"(?-u:\b)AIza[0-9A-Za-z_-]{35}"),
    ("openai_key", r"(?-u:\b)sk-(?:proj-|ant-|svcacct-)?[A-Za-z0-9_-]{20,200}"),
    ("sendgrid_key", r"(?-u:\b)SG\.[A-Za-z0-9_-]{16,32}\.[A-Za-z0-9_-]{32,64}"),
    ("npm_token", r"(?-u:\b)npm_[A-Za-z0-9]{36}(?-u:\b)"),
    ("jwt", r"(?-u:\b)eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}"),
    (
        "private_key",
        r"-----BEGIN [A-Z ]{0,32}PRIVATE KEY-----[A-Za-z0-9+/= \t\r\n]*?-----END [A-Z ]{0,32}PRIVATE KEY-----",
    ),
    ("basic_auth", r"(?-u:\b)[a-z][a-z0-9+]{1,20}://[^\s:/@]{1,64}:[^\s:/@]{1,128}@"),
];
