//! Debian's nginx as a relay: the measure of what a proxy has to cost.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use super::process::{Process, Stop};
use super::{Setup, Target};
use crate::ports::free_addr;

/// `@` marks stand for the folder, the address to listen on, the mock.
///
/// One worker, as every other target has one. `user root` counts only when started by root: the worker must reach the
/// folder, which is closed to others. The module folder is not included: a relay needs none.
const CONFIG: &str = "\
daemon off;
user root;
pid @dir/nginx.pid;
error_log @dir/nginx-error.log warn;
worker_processes 1;
worker_rlimit_nofile 20000;
events { worker_connections 10000; }
http {
    access_log off;
    client_max_body_size 100m;
    client_body_buffer_size 1m;
    client_body_temp_path @dir/nginx-body;
    proxy_temp_path @dir/nginx-proxy;
    fastcgi_temp_path @dir/nginx-fastcgi;
    uwsgi_temp_path @dir/nginx-uwsgi;
    scgi_temp_path @dir/nginx-scgi;
    keepalive_requests 100000000;
    keepalive_timeout 600s;
    tcp_nodelay on;
    upstream mock {
        server @mock max_fails=0;
        keepalive 512;
        keepalive_requests 100000000;
        keepalive_timeout 600s;
    }
    server {
        listen @listen backlog=4096;
        location / {
            proxy_pass http://mock;
            proxy_http_version 1.1;
            proxy_set_header Connection \"\";
            proxy_buffering off;
            proxy_read_timeout 600s;
        }
    }
}
";

pub(super) async fn start(setup: &Setup, mock: SocketAddr, dir: &Path) -> anyhow::Result<Target> {
    let listen = free_addr()?;
    let file = dir.join("nginx.conf");
    fs::write(&file, config(&dir.to_string_lossy(), listen, mock))?;
    let arguments = [
        "-p".to_owned(),
        text(dir),
        "-e".to_owned(),
        text(&dir.join("nginx-error.log")),
        "-c".to_owned(),
        text(&file),
    ];
    let mut command = Command::new(&setup.nginx);
    command.args(&arguments);
    // Killing the master would leave the worker behind.
    let stop = [&arguments[..], &["-s".to_owned(), "stop".to_owned()]].concat();
    let mut process = Process::start("nginx", command, dir, Stop::Run(setup.nginx.clone(), stop))?;
    process.accepts(listen).await?;
    let pid = process.pid();
    Ok(Target::new("nginx", listen, Some(pid), Some(process)))
}

fn config(dir: &str, listen: SocketAddr, mock: SocketAddr) -> String {
    CONFIG.replace("@dir", dir).replace("@listen", &listen.to_string()).replace("@mock", &mock.to_string())
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
