//! The bare Pingora proxy of `pass.rs`, as a process of its own.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use super::process::{Process, Stop};
use super::{Setup, Target};

pub(super) async fn start(setup: &Setup, mock: SocketAddr, dir: &Path) -> anyhow::Result<Target> {
    let mut command = Command::new(&setup.own);
    command.args(["pass", "--listen", "127.0.0.1:0", "--upstream", &format!("http://{mock}")]);
    let mut process = Process::start("pingora", command, dir, Stop::Term)?;
    let addr = process.announced("pass listening on http://").await?;
    let pid = process.pid();
    Ok(Target::new("pingora", addr, Some(pid), Some(process)))
}
