//! `weir completions` and `weir man`: made from the command line's own table, so that they are never behind it.

use super::{Cli, put};
use anyhow::Context;
use clap::{Args, CommandFactory};
use clap_complete::Shell;
use clap_mangen::Man;
use std::path::PathBuf;

#[derive(Args)]
pub(super) struct Completions {
    /// bash, elvish, fish, powershell or zsh.
    shell: Shell,
}

#[derive(Args)]
pub(super) struct Manual {
    /// A folder to write a page per command into; without it, the main page goes to standard output.
    folder: Option<PathBuf>,
}

/// As `weir completions bash > /etc/bash_completion.d/weir`.
pub(super) fn completions(args: &Completions) -> anyhow::Result<()> {
    let mut text = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "weir", &mut text);
    put(&String::from_utf8_lossy(&text))
}

pub(super) fn manual(args: &Manual) -> anyhow::Result<()> {
    let Some(folder) = &args.folder else {
        let mut text = Vec::new();
        Man::new(Cli::command()).render(&mut text)?;
        return put(&String::from_utf8_lossy(&text));
    };
    let told = || format!("{} cannot be written", folder.display());
    std::fs::create_dir_all(folder).with_context(told)?;
    clap_mangen::generate_to(Cli::command(), folder).with_context(told)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }
}
