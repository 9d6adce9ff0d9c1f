//! `multipart/form-data`: where each part stands in a body that has arrived whole. Parts are dropped or their values
//! replaced without touching the rest. Source: RFC 7578, RFC 2046 section 5.1.

use super::edit::Pieces;
use bytes::Bytes;
use memchr::memmem;
use std::ops::Range;

/// Forms with more parts are refused; a request has a few images and a dozen fields.
pub const MAX_PARTS: usize = 128;

/// Why a form is not taken. The text is for the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FormError {
    #[error(
        "Invalid multipart body: the content-type names no boundary, or not one that everybody reads in the same way"
    )]
    NoBoundary,
    #[error("Invalid multipart body: it ends before its last boundary")]
    Unfinished,
    #[error("Invalid multipart body: a part has no name or no end of its head")]
    BadPart,
    #[error("Invalid multipart body: more than {MAX_PARTS} parts")]
    TooManyParts,
    #[error("Invalid multipart body: 'model' is given twice; send it once")]
    TwoModels,
}

/// A form, kept as the bytes that came.
#[derive(Clone, Debug)]
pub struct Form {
    bytes: Bytes,
    /// `--` and the boundary.
    delimiter: Vec<u8>,
    parts: Vec<FormPart>,
}

#[derive(Clone, Debug)]
struct FormPart {
    name: String,
    /// Files are never looked into.
    file: bool,
    /// From its delimiter to the next.
    whole: Range<usize>,
    value: Range<usize>,
}

// --- Form ---

impl Form {
    /// # Errors
    /// The body is no form, or says `model` twice.
    pub fn parse(content_type: &str, bytes: Bytes) -> Result<Self, FormError> {
        let boundary = boundary(content_type).ok_or(FormError::NoBoundary)?;
        let delimiter = [b"--", boundary.as_bytes()].concat();
        let parts = parts(&bytes, &delimiter)?;
        if parts.iter().filter(|part| part.name == "model").count() > 1 {
            return Err(FormError::TwoModels);
        }
        Ok(Self { bytes, delimiter, parts })
    }

    /// Bytes of all of it.
    pub fn size(&self) -> usize {
        self.bytes.len()
    }

    /// Fields that are text: name and value, in order. Files are left out.
    pub fn texts(&self) -> impl Iterator<Item = (&str, &str)> {
        let texts = self.parts.iter().filter(|part| !part.file);
        texts.filter_map(|part| {
            Some((part.name.as_str(), std::str::from_utf8(&self.bytes[part.value.clone()]).ok()?))
        })
    }

    /// Files: name of the field, and what is in it, in order.
    pub fn files(&self) -> impl Iterator<Item = (&str, &[u8])> {
        let files = self.parts.iter().filter(|part| part.file);
        files.map(|part| (part.name.as_str(), &self.bytes[part.value.clone()]))
    }

    /// The form with another `model`, and without the parts that are dropped.
    pub fn with_model(&self, model: &str, drops: impl Fn(&str) -> bool) -> Pieces {
        let mut out = Pieces::new();
        let mut cursor = 0;
        let mut named = false;
        for part in &self.parts {
            let (upto, from) = match part.name.as_str() {
                "model" => (part.value.start, part.value.end),
                name if drops(name) => (part.whole.start, part.whole.end),
                _ => continue,
            };
            out.push(self.bytes.slice(cursor..upto));
            if part.name == "model" {
                named = true;
                out.push(Bytes::copy_from_slice(model.as_bytes()));
            }
            cursor = from;
        }
        out.push(self.bytes.slice(cursor..));
        if !named {
            out.insert(0, self.model_part(model));
        }
        out
    }

    fn model_part(&self, model: &str) -> Bytes {
        let head = b"\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\n";
        Bytes::from([self.delimiter.as_slice(), head, model.as_bytes(), b"\r\n"].concat())
    }
}

/// The boundary of a content type; `None` where it is no form, or two readers could find different boundaries: the provider
/// would find another model than we do.
fn boundary(content_type: &str) -> Option<&str> {
    let (kind, parameters) = content_type.split_once(';')?;
    if !kind.trim().eq_ignore_ascii_case("multipart/form-data") {
        return None;
    }
    // Some readers know `boundary*` and `boundary*0`.
    let is_one = |name: &str| name.trim_start().to_ascii_lowercase().starts_with("boundary");
    let mut named = parameters.split(';').filter_map(|p| p.split_once('=')).filter(|(name, _)| is_one(name));
    let (Some((name, value)), None) = (named.next(), named.next()) else { return None };
    let value = value.trim();
    let quoted = value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
    let (value, more) = quoted.map_or((value, &b""[..]), |value| (value, &b"(),/:=?"[..]));
    let known = |byte: u8| byte.is_ascii_alphanumeric() || b"'+-._".contains(&byte) || more.contains(&byte);
    let good = name.trim().eq_ignore_ascii_case("boundary") && (1..=70).contains(&value.len());
    (good && value.bytes().all(known)).then_some(value)
}

fn parts(bytes: &[u8], delimiter: &[u8]) -> Result<Vec<FormPart>, FormError> {
    let between = [b"\r\n", delimiter].concat();
    let finder = memmem::Finder::new(&between);
    // What stands before the first delimiter is nothing to anybody.
    let mut start = match bytes.starts_with(delimiter) {
        true => 0,
        false => finder.find(bytes).ok_or(FormError::Unfinished)? + 2,
    };
    let mut parts = Vec::new();
    loop {
        let begin = start + delimiter.len();
        if bytes[begin..].starts_with(b"--") {
            return Ok(parts);
        }
        let end = begin + finder.find(&bytes[begin..]).ok_or(FormError::Unfinished)?;
        if parts.len() >= MAX_PARTS {
            return Err(FormError::TooManyParts);
        }
        parts.push(part(bytes, start..end + 2, begin..end)?);
        start = end + 2;
    }
}

/// `inner`: from behind the delimiter to before the next one.
fn part(bytes: &[u8], whole: Range<usize>, inner: Range<usize>) -> Result<FormPart, FormError> {
    let text = &bytes[inner.clone()];
    let head = memmem::find(text, b"\r\n\r\n").ok_or(FormError::BadPart)?;
    let lines = std::str::from_utf8(&text[..head]).map_err(|_| FormError::BadPart)?;
    // Readers differ in what they make of a lone line feed, and of a header given twice.
    if lines.matches(['\r', '\n']).count() != 2 * lines.matches("\r\n").count() {
        return Err(FormError::BadPart);
    }
    let mut dispositions = lines.split("\r\n").filter(|line| {
        line.split_once(':').is_some_and(|(name, _)| name.eq_ignore_ascii_case("content-disposition"))
    });
    let (Some(disposition), None) = (dispositions.next(), dispositions.next()) else {
        return Err(FormError::BadPart);
    };
    let name = named(disposition).ok_or(FormError::BadPart)?.to_owned();
    let file = disposition.contains("filename");
    Ok(FormPart { name, file, whole, value: inner.start + head + 4..inner.end })
}

/// The `name` of a part; `None` where two readers could find different ones.
fn named(line: &str) -> Option<&str> {
    let mut quoted = false;
    let pairs = line.split(|c| {
        quoted ^= c == '"';
        c == ';' && !quoted
    });
    let is_name = |name: &str| name.trim_end_matches('*').eq_ignore_ascii_case("name");
    let mut names = pairs.skip(1).filter_map(|pair| pair.trim().split_once('=')).filter(|(n, _)| is_name(n));
    let (Some((name, value)), None) = (names.next(), names.next()) else { return None };
    let value = value.strip_prefix('"').and_then(|v| v.strip_suffix('"')).unwrap_or(value);
    (!name.ends_with('*') && !value.contains(['"', '\\'])).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TYPE: &str = "multipart/form-data; boundary=xx";
    const BODY: &str = "--xx\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a;b.mp3\"\r\n\
        Content-Type: audio/mpeg\r\n\r\n\0\r\n--x\r\n\r\n--xx\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\n\
        mine\r\n--xx\r\ncontent-disposition: form-data; name=tags\r\n\r\nt\r\n--xx--\r\n";

    fn form(text: &str) -> Result<Form, FormError> {
        Form::parse(TYPE, Bytes::copy_from_slice(text.as_bytes()))
    }

    #[test]
    fn the_model_is_replaced_and_every_other_byte_stays() {
        let form = form(BODY).unwrap();
        assert_eq!(form.texts().collect::<Vec<_>>(), [("model", "mine"), ("tags", "t")]);
        let out = form.with_model("whisper-1", |_| false).concat();
        assert_eq!(String::from_utf8(out).unwrap(), BODY.replace("mine", "whisper-1"));
    }

    #[test]
    fn parts_are_dropped_whole_and_a_missing_model_is_added() {
        let out = form(BODY).unwrap().with_model("w", |name| name == "tags").concat();
        let again = form(std::str::from_utf8(&out).unwrap()).unwrap();
        assert_eq!(again.texts().collect::<Vec<_>>(), [("model", "w")]);
        let none = form(&BODY.replace("name=\"model\"", "name=\"prompt\"")).unwrap();
        let added = none.with_model("w", |_| false).concat();
        let again = form(std::str::from_utf8(&added).unwrap()).unwrap();
        assert_eq!(again.texts().collect::<Vec<_>>(), [("model", "w"), ("prompt", "mine"), ("tags", "t")]);
    }

    #[test]
    fn a_name_that_two_readers_could_read_differently_is_refused() {
        for disposition in [
            r#"form-data; x="; name=a"; name="model""#,
            r#"form-data; name=a; name="model""#,
            r#"form-data; name="mo\\del""#,
            "form-data; name*=utf-8''model",
        ] {
            let text = format!("--xx\r\nContent-Disposition: {disposition}\r\n\r\nv\r\n--xx--");
            let name = form(&text).map(|f| f.texts().map(|(n, _)| n.to_owned()).collect::<Vec<_>>());
            assert!(
                matches!(&name, Err(FormError::BadPart)) || name == Ok(vec!["model".to_owned()]),
                "{text}: {name:?}"
            );
        }
        let twice = "--xx\r\nContent-Disposition: form-data; name=a\nContent-Disposition: form-data; name=model\r\n\r\nv\r\n--xx--";
        assert_eq!(form(twice).err(), Some(FormError::BadPart));
    }

    #[test]
    fn p36_a_boundary_that_two_readers_could_read_differently_is_refused() {
        for (parameters, found) in [
            ("boundary=----WebKitFormBoundary7MA4.x_1", Some("----WebKitFormBoundary7MA4.x_1")),
            ("charset=utf-8; Boundary=\"----=_Part_0,1:2?\"", Some("----=_Part_0,1:2?")),
            ("boundary=\"a;b\"", None),
            ("boundary=a;b", Some("a")),
            ("boundary=a; boundary=b", None),
            ("x=\"; boundary=a\"; boundary=b", None),
            ("boundary=a; boundary*=utf-8''b", None),
            ("boundary*=utf-8''b", None),
            ("boundary*0=a; boundary*1=b", None),
            ("boundary=a=b", None),
            ("boundary=a b", None),
            ("boundary=\"a\\b\"", None),
            ("boundary=\"a", None),
            ("boundary=\"\"", None),
        ] {
            assert_eq!(boundary(&format!("multipart/form-data; {parameters}")), found, "{parameters}");
        }
    }

    #[test]
    fn what_is_no_form_is_refused_and_no_cut_panics() {
        assert_eq!(form(&BODY.replace("=tags", "=model")).err(), Some(FormError::TwoModels));
        assert_eq!(Form::parse("application/json", Bytes::new()).err(), Some(FormError::NoBoundary));
        assert_eq!(form("--xx\r\n\r\n\r\n--xx--").err(), Some(FormError::BadPart));
        for end in 0..BODY.len() - 4 {
            assert!(form(&BODY[..end]).is_err(), "cut at {end}");
        }
        let many =
            "--xx\r\nContent-Disposition: form-data; name=a\r\n\r\nv\r\n".repeat(MAX_PARTS + 1) + "--xx--";
        assert_eq!(form(&many).err(), Some(FormError::TooManyParts));
    }
}
