//! Where the top-level values of a JSON object stand, in one pass that gives up rather than explain. What it takes is
//! valid; what it does not take is read again by whoever knows what is wrong, or that nothing is.

use super::json::{Field, MAX_DEPTH, MAX_FIELDS};
use super::marks::Marks;
use simdutf8::basic::from_utf8;
use smallvec::SmallVec;

/// Fields by their place. Nobody has many.
pub(super) type Fields = SmallVec<[Field; 12]>;

/// The fields of an object that is valid to its last byte, UTF-8, not too deep, with names that are different and written
/// without escapes.
pub(super) fn fields(text: &[u8]) -> Option<Fields> {
    let mut scanner = Scanner { text, at: 0, marks: Marks::default() };
    let fields = scanner.object()?;
    scanner.blank();
    let whole = scanner.at == text.len();
    // Outside of texts nothing else passes.
    let utf8 = scanner.marks.ascii() || from_utf8(text).is_ok();
    (whole && utf8).then_some(fields)
}

/// The raw values of some members of an object; `None`: it takes somebody else to read it.
pub fn glance<'t, const N: usize>(text: &'t [u8], names: [&str; N]) -> Option<[Option<&'t str>; N]> {
    let fields = fields(text)?;
    let value = |field: &Field| from_utf8(&text[field.value.clone()]).ok();
    let named = |field: &&Field, name: &str| {
        let quoted = &text[field.key.clone()];
        quoted[1..quoted.len() - 1] == *name.as_bytes()
    };
    Some(names.map(|name| fields.iter().find(|field| named(field, name)).and_then(value)))
}

struct Scanner<'t> {
    text: &'t [u8],
    at: usize,
    marks: Marks,
}

/// What is open around a value, the innermost last: a bit for each, set for an object.
#[derive(Default)]
struct Open {
    bits: [u64; MAX_DEPTH / 64],
    depth: usize,
}

impl Scanner<'_> {
    fn object(&mut self) -> Option<Fields> {
        let mut fields = Fields::new();
        self.blank();
        self.expect(b'{')?;
        self.blank();
        if self.peek()? == b'}' {
            self.at += 1;
            return Some(fields);
        }
        loop {
            let field = self.field()?;
            let name = &self.text[field.key.clone()];
            if fields.len() == MAX_FIELDS || fields.iter().any(|other| self.text[other.key.clone()] == *name)
            {
                return None;
            }
            fields.push(field);
            self.blank();
            match self.next()? {
                b',' => self.blank(),
                b'}' => return Some(fields),
                _ => return None,
            }
        }
    }

    fn field(&mut self) -> Option<Field> {
        let key = self.at;
        self.expect(b'"')?;
        let plain = self.string()?;
        let key = key..self.at;
        self.blank();
        self.expect(b':')?;
        self.blank();
        let value = self.at;
        self.value()?;
        plain.then(|| Field::plain(key, value..self.at))
    }

    /// Skips one value, which begins here.
    fn value(&mut self) -> Option<()> {
        let mut open = Open::default();
        loop {
            if self.begins(&mut open)? {
                self.blank();
                continue;
            }
            while let Some(object) = open.innermost() {
                self.blank();
                match (self.next()?, object) {
                    (b',', false) => break,
                    (b',', true) => {
                        self.blank();
                        self.name()?;
                        break;
                    }
                    (b']', false) | (b'}', true) => open.close(),
                    _ => return None,
                }
            }
            if open.depth == 0 {
                return Some(());
            }
            self.blank();
        }
    }

    /// Skips a value, or the beginning of one that has others inside; whether it is such a one.
    fn begins(&mut self, open: &mut Open) -> Option<bool> {
        match self.next()? {
            b'"' => {
                self.string()?;
            }
            b'{' => return self.opens(open, true),
            b'[' => return self.opens(open, false),
            b't' => self.word(b"rue")?,
            b'f' => self.word(b"alse")?,
            b'n' => self.word(b"ull")?,
            b'-' => {
                let first = self.next()?;
                self.number(first)?;
            }
            first => self.number(first)?,
        }
        Some(false)
    }

    fn opens(&mut self, open: &mut Open, object: bool) -> Option<bool> {
        // One is open around all of them.
        if open.depth + 1 >= MAX_DEPTH {
            return None;
        }
        let end = if object { b'}' } else { b']' };
        self.blank();
        if self.peek()? == end {
            self.at += 1;
            return Some(false);
        }
        open.open(object);
        if object {
            self.name()?;
        }
        Some(true)
    }

    /// The name of a member and its colon.
    fn name(&mut self) -> Option<()> {
        self.expect(b'"')?;
        self.string()?;
        self.blank();
        self.expect(b':')
    }

    /// The rest of a text; whether it is written without escapes.
    fn string(&mut self) -> Option<bool> {
        let mut plain = true;
        loop {
            self.at = self.marks.next(self.text, self.at)?;
            match self.next()? {
                b'"' => return Some(plain),
                b'\\' => self.escape()?,
                // Control characters must be escaped.
                _ => return None,
            }
            plain = false;
        }
    }

    /// The rest of an escape.
    fn escape(&mut self) -> Option<()> {
        match self.next()? {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => {}
            b'u' => {
                let digits = self.text.get(self.at..self.at + 4)?;
                digits.iter().all(u8::is_ascii_hexdigit).then_some(())?;
                self.at += 4;
            }
            _ => return None,
        }
        Some(())
    }

    /// A number behind its sign; `first`: its first digit, which has been taken.
    fn number(&mut self, first: u8) -> Option<()> {
        match first {
            b'0' => {}
            b'1'..=b'9' => {
                self.digits();
            }
            _ => return None,
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            (self.digits() > 0).then_some(())?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            (self.digits() > 0).then_some(())?;
        }
        Some(())
    }

    fn digits(&mut self) -> usize {
        let digits = self.text[self.at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        self.at += digits;
        digits
    }

    fn word(&mut self, rest: &[u8]) -> Option<()> {
        self.text[self.at..].starts_with(rest).then_some(())?;
        self.at += rest.len();
        Some(())
    }

    fn blank(&mut self) {
        while let Some(b' ' | b'\n' | b'\t' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    fn expect(&mut self, byte: u8) -> Option<()> {
        (self.next()? == byte).then_some(())
    }

    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn next(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        Some(byte)
    }
}

impl Open {
    fn open(&mut self, object: bool) {
        let (word, bit) = (self.depth / 64, self.depth % 64);
        self.bits[word] = (self.bits[word] & !(1 << bit)) | (u64::from(object) << bit);
        self.depth += 1;
    }

    fn close(&mut self) {
        self.depth -= 1;
    }

    fn innermost(&self) -> Option<bool> {
        let last = self.depth.checked_sub(1)?;
        Some((self.bits[last / 64] >> (last % 64)) & 1 == 1)
    }
}

#[cfg(test)]
mod tests {
    use super::super::json::read;
    use super::*;

    const BODIES: &[&str] = &[
        "{}",
        " { } ",
        r#"{"model":"gpt-4o","messages":[{"role":"user","content":"h\u00e9\n\"\\/"},{}],"n":-1.50e+3}"#,
        "\r\n{ \"a\" :\t[ ] , \"b\": [ 1 , [ 2 , { \"c\" : null } ] , true,false ] }\n",
        r#"{"long":"0123456789abcdef0123456789abcdef é","":0,"zero":0.0,"e":0E0}"#,
        r#"{"a":{"b":{"c":[[[{}]]]}},"d":""}"#,
    ];

    /// Takes what [`read`] takes, or nothing.
    fn agrees(text: &[u8]) -> bool {
        let scanned = fields(text);
        if let Some(fields) = &scanned {
            assert_eq!(read(text).as_ref(), Ok(fields), "{}", String::from_utf8_lossy(text));
        }
        scanned.is_some()
    }

    #[test]
    fn usual_bodies_are_taken_as_they_are_read() {
        for body in BODIES {
            assert!(agrees(body.as_bytes()), "{body}");
        }
        for depth in [MAX_DEPTH - 1, MAX_DEPTH] {
            let deep = format!("{{\"a\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
            assert_eq!(agrees(deep.as_bytes()), depth < MAX_DEPTH);
        }
    }

    #[test]
    fn nothing_is_taken_that_is_not_valid() {
        const INSTEAD: &[u8] = b"\"\\{}[],: 0-.e+tnu/\n\x01\x7f\x80\xc3\xff";
        for body in BODIES {
            for at in 0..body.len() {
                agrees(&body.as_bytes()[..at]);
                agrees(&[&body.as_bytes()[..at], &body.as_bytes()[at + 1..]].concat());
                for byte in INSTEAD {
                    let mut changed = body.as_bytes().to_vec();
                    changed[at] = *byte;
                    agrees(&changed);
                    changed.insert(at, *byte);
                    agrees(&changed);
                }
            }
        }
        for body in
            ["{\"a\":1,\"a\":2}", "{\"a\":01}", "{\"a\":\"\\ud8\"}", "{\"a\":\"\\x\"}", "{\"a\":1}x", "[]"]
        {
            assert!(!agrees(body.as_bytes()), "{body}");
        }
    }

    #[test]
    fn a_glance_gives_what_stands_there() {
        let glanced = glance(BODIES[2].as_bytes(), ["n", "model", "none"]);
        assert_eq!(glanced, Some([Some("-1.50e+3"), Some("\"gpt-4o\""), None]));
        assert_eq!(glance(b"[]", ["n"]), None);
    }
}
