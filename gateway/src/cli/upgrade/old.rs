//! A process as the kernel tells of it, in `/proc`: what is needed to start another one like it.

use crate::cli::Cli;
use anyhow::{Context, bail};
use clap::CommandFactory;
use clap::parser::ValueSource;
use std::ffi::OsString;
use std::fs::File;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use weir_core::config::Env;

pub(super) struct Old {
    pub pid: u32,
    /// Where it was started.
    pub folder: PathBuf,
    words: Vec<OsString>,
    variables: Vec<OsString>,
}

/// SIGQUIT's place in a set of signals.
const QUIT: u64 = 1 << 2;

impl Old {
    /// # Errors
    /// It is not there, or somebody else's, or would not hand over but die.
    pub fn look(pid: u32) -> anyhow::Result<Self> {
        let whose = || format!("process {pid} cannot be looked at: is it there, and of the same user?");
        let read = |name: &str| std::fs::read(format!("/proc/{pid}/{name}")).with_context(whose);
        if !listens_to_quit(&String::from_utf8_lossy(&read("status")?)) {
            bail!(
                "process {pid} cannot hand over: it is still starting, or no gateway of a version that can"
            );
        }
        Ok(Self {
            pid,
            folder: std::fs::read_link(format!("/proc/{pid}/cwd")).with_context(whose)?,
            words: words(&read("cmdline")?),
            variables: words(&read("environ")?),
        })
    }

    /// Its environment; what is no text does not exist for a gateway.
    pub fn environment(&self) -> Env {
        Env::of(self.variables.iter().filter_map(|variable| variable.to_str()?.split_once('=')))
    }

    /// The configuration that its command line, or else this environment, names.
    pub fn config(&self, env: &Env) -> anyhow::Result<Option<PathBuf>> {
        let matches = Cli::command().try_get_matches_from(&self.words);
        let matches = matches.with_context(|| format!("process {}'s command line", self.pid))?;
        let serve = match matches.subcommand() {
            None => &matches,
            Some(("serve", serve)) => serve,
            Some((other, _)) => bail!("process {} is no gateway, but `weir {other}`", self.pid),
        };
        // Not what this process has in its own environment.
        let typed = serve.value_source("config") == Some(ValueSource::CommandLine);
        let typed = serve.get_one::<PathBuf>("config").filter(|_| typed).cloned();
        Ok(typed.or_else(|| env.filled("CONFIG_FILE_PATH").map(PathBuf::from)))
    }

    /// How to start another one like it, which takes its listeners over.
    pub fn heir(&self, program: &Path, env: &Env) -> Command {
        let mut command = Command::new(program);
        command
            .args(self.words.iter().skip(1).filter(|word| *word != "--upgrade"))
            .arg("--upgrade")
            .env_clear()
            .envs(env.names().filter_map(|name| Some((name, env.get(name)?))))
            .stdin(Stdio::null())
            .stdout(self.output(1))
            .stderr(self.output(2))
            // A Ctrl-C is meant for this command.
            .process_group(0);
        command
    }

    /// Where its output goes, if that can be opened (a file, a pipe or a terminal); else where this command's goes.
    fn output(&self, descriptor: u8) -> Stdio {
        let file = File::options().append(true).open(format!("/proc/{}/fd/{descriptor}", self.pid));
        file.map_or_else(|_| Stdio::inherit(), Stdio::from)
    }
}

/// Texts that each end with a zero.
fn words(bytes: &[u8]) -> Vec<OsString> {
    let texts = bytes.strip_suffix(b"\0").unwrap_or(bytes);
    texts.split(|byte| *byte == 0).map(|text| OsString::from_vec(text.to_vec())).collect()
}

/// Whether this status is of a process that has a handler for SIGQUIT. Every other one would be killed by it.
fn listens_to_quit(status: &str) -> bool {
    let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:"));
    let caught = caught.and_then(|set| u64::from_str_radix(set.trim(), 16).ok());
    caught.is_some_and(|set| set & QUIT != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn old(words: &[&str]) -> Old {
        let words = words.iter().map(OsString::from).collect();
        Old { pid: 4711, folder: PathBuf::from("/"), words, variables: Vec::new() }
    }

    #[test]
    fn its_configuration_is_the_one_it_was_started_with() {
        let env = Env::of([("CONFIG_FILE_PATH", "/of/environment.yaml")]);
        let config = |words: &[&str]| old(words).config(&env).unwrap().unwrap();
        for words in [
            &["weir", "serve", "--port", "1", "--config", "/typed.yaml"][..],
            &["weir", "--config=/typed.yaml", "--upgrade"],
            &["litellm", "-c", "/typed.yaml"],
        ] {
            assert_eq!(config(words), Path::new("/typed.yaml"), "{words:?}");
        }
        assert_eq!(config(&["weir", "serve"]), Path::new("/of/environment.yaml"));
        assert!(old(&["weir", "migrate"]).config(&env).is_err());
    }

    #[test]
    fn the_heir_is_started_like_it() {
        let old = old(&["weir", "serve", "--upgrade", "--port", "1"]);
        let command = old.heir(Path::new("/new/weir"), &Env::of([("A", "b")]));
        let words: Vec<_> = command.get_args().collect();
        assert_eq!(words, ["serve", "--port", "1", "--upgrade"]);
        assert_eq!(command.get_program(), "/new/weir");
    }

    #[test]
    fn a_process_that_would_die_of_the_signal_is_left_alone() {
        assert!(listens_to_quit("Name:\tweir\nSigCgt:\t0000000100004207\n"));
        assert!(!listens_to_quit("Name:\tweir\nSigCgt:\t0000000100004203\n"));
        assert!(!listens_to_quit("Name:\tweir\n"));
    }

    #[test]
    fn words_end_with_zeros() {
        assert_eq!(words(b"weir\0--config\0a b\0"), ["weir", "--config", "a b"]);
    }
}
