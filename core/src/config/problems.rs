//! What is wrong with a configuration: everything at once, each with its place and a cure.

use std::fmt;

/// How bad it is. An error keeps the configuration from being used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    Error,
    Warning,
    Note,
}

/// Where in the configuration something stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// `model_list[3].litellm_params.model`
    pub path: String,
    /// Index into the files that were read; 0 is the one that was asked for.
    pub file: u16,
    /// Starts at 1; 0 where there is no line.
    pub line: u32,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    pub severity: Severity,
    pub path: String,
    pub file: String,
    /// Starts at 1; 0 where there is no line.
    pub line: u32,
    pub message: String,
    /// What to do about it; empty where the message says it.
    pub cure: String,
}

/// All problems of one load, in the order of files and lines. At most `MAX_KEPT` are kept; the rest is counted.
#[derive(Clone, Debug, Default)]
pub struct Problems {
    files: Vec<String>,
    kept: Vec<(u16, Problem)>,
    dropped: usize,
    errors: usize,
}

/// Nobody reads more, and a generated file can have one problem per line.
pub const MAX_KEPT: usize = 1000;

/// A message quotes what was written; a key may be megabytes long.
const MAX_MESSAGE: usize = 300;

// --- Problem ---

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if self.line > 0 {
            write!(f, ":{}", self.line)?;
        }
        f.write_str(match self.severity {
            Severity::Error => ": ",
            Severity::Warning => ": warning: ",
            Severity::Note => ": note: ",
        })?;
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        f.write_str(&self.message)?;
        if self.cure.is_empty() { Ok(()) } else { write!(f, "; {}", self.cure) }
    }
}

// --- Problems ---

impl Problems {
    pub fn error(&mut self, at: &Place, message: impl Into<String>, cure: impl Into<String>) {
        self.add(Severity::Error, at, message.into(), cure.into());
    }

    pub fn warn(&mut self, at: &Place, message: impl Into<String>, cure: impl Into<String>) {
        self.add(Severity::Warning, at, message.into(), cure.into());
    }

    pub fn note(&mut self, at: &Place, message: impl Into<String>) {
        self.advise(at, message, "");
    }

    /// A note with what to do.
    pub fn advise(&mut self, at: &Place, message: impl Into<String>, cure: impl Into<String>) {
        self.add(Severity::Note, at, message.into(), cure.into());
    }

    pub fn iter(&self) -> impl Iterator<Item = &Problem> {
        self.kept.iter().map(|(_, problem)| problem)
    }

    pub fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    pub fn has_errors(&self) -> bool {
        self.errors > 0
    }

    /// How many of one severity are kept.
    pub fn count(&self, severity: Severity) -> usize {
        self.iter().filter(|problem| problem.severity == severity).count()
    }

    /// Names the next file; its index goes into `Place::file`.
    pub(super) fn file(&mut self, name: &str) -> u16 {
        self.files.push(name.to_owned());
        u16::try_from(self.files.len() - 1).unwrap_or(u16::MAX)
    }

    /// The file with this index.
    pub(super) fn file_name(&self, index: u16) -> &str {
        self.files.get(usize::from(index)).map_or("", String::as_str)
    }

    /// Whether another problem would be kept. Suggestions are not worth making when it would not.
    pub(super) fn has_room(&self) -> bool {
        self.kept.len() < MAX_KEPT
    }

    /// The same files, and no problem yet.
    #[must_use]
    pub fn emptied(&self) -> Self {
        Self { files: self.files.clone(), ..Self::default() }
    }

    /// Reads something that may be left out, where `leaves` says so: what is wrong with it is then a warning, and it is
    /// `None`.
    pub(super) fn lenient<T>(
        &mut self,
        leaves: bool,
        read: impl FnOnce(&mut Self) -> Option<T>,
    ) -> Option<T> {
        if !leaves {
            return read(self);
        }
        let mut own = self.emptied();
        let found = read(&mut own);
        let whole = !own.has_errors();
        for (file, problem) in own.kept {
            let at = Place { path: problem.path, file, line: problem.line };
            match problem.severity {
                Severity::Error => self.warn(&at, problem.message + "; it is left out", problem.cure),
                severity => self.add(severity, &at, problem.message, problem.cure),
            }
        }
        self.dropped += own.dropped;
        found.filter(|_| whole)
    }

    /// Into the order of files and lines.
    pub fn sort(&mut self) {
        self.kept.sort_by(|(left_file, left), (right_file, right)| {
            (left_file, left.line, left.severity, &left.path).cmp(&(
                right_file,
                right.line,
                right.severity,
                &right.path,
            ))
        });
    }

    fn add(&mut self, severity: Severity, at: &Place, message: String, cure: String) {
        self.errors += usize::from(severity == Severity::Error);
        if !self.has_room() {
            self.dropped += 1;
            return;
        }
        let file = self.files.get(usize::from(at.file)).cloned().unwrap_or_default();
        let (path, message) = (shortened(at.path.clone()), shortened(message));
        self.kept
            .push((at.file, Problem { severity, path, file, line: at.line, message, cure: shortened(cure) }));
    }
}

/// One problem per line.
impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for problem in self.iter() {
            writeln!(f, "{problem}")?;
        }
        if self.dropped > 0 {
            writeln!(f, "and {} more problems", self.dropped)?;
        }
        Ok(())
    }
}

/// Control characters would let a file write lines of its own into a log.
fn shortened(text: String) -> String {
    let plain = text.len() <= MAX_MESSAGE && !text.chars().any(char::is_control);
    if plain {
        return text;
    }
    let clean = |c: char| if c.is_control() { ' ' } else { c };
    let mut short: String = text.chars().take(MAX_MESSAGE).map(clean).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}

// --- suggestions ---

/// Names longer than this are not misspelt, and comparing them is quadratic.
const MAX_COMPARED: usize = 64;

/// The candidate that `name` is most likely a misspelling of.
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if name.len() > MAX_COMPARED {
        return None;
    }
    let allowed = match name.chars().count() {
        0..=2 => 0,
        3..=5 => 1,
        6..=9 => 2,
        _ => 3,
    };
    let name = name.to_ascii_lowercase();
    let distance = |c: &str| strsim::damerau_levenshtein(&name, &c.to_ascii_lowercase());
    let near = candidates.into_iter().filter(|c| c.len() <= MAX_COMPARED).map(|c| (distance(c), c));
    near.filter(|(d, _)| *d <= allowed).min_by_key(|(d, _)| *d).map(|(_, candidate)| candidate)
}

/// `did you mean "azure"?`, or nothing.
pub fn did_you_mean<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> String {
    nearest(name, candidates).map_or_else(String::new, |near| format!("did you mean {near:?}?"))
}
