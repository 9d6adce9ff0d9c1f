//! Flags of LiteLLM that ask for nothing here: a command line that has them goes on working.

use super::say;
use clap::Args;

// No doc comment: clap would make it the help of whatever this is part of.
#[derive(Args, Clone, Debug)]
pub struct Theirs {
    #[arg(long = "run_gunicorn", hide = true)]
    run_gunicorn: bool,
    #[arg(long = "run_hypercorn", hide = true)]
    run_hypercorn: bool,
    #[arg(long = "use_prisma_migrate", hide = true)]
    use_prisma_migrate: bool,
    #[arg(long = "use_prisma_db_push", hide = true)]
    use_prisma_db_push: bool,
    #[arg(long = "keepalive_timeout", hide = true)]
    keepalive_timeout: Option<String>,
    #[arg(long = "max_requests_before_restart", hide = true)]
    max_requests_before_restart: Option<String>,
    #[arg(long = "telemetry", hide = true)]
    telemetry: Option<String>,
}

impl Theirs {
    /// Says which of them were given, and that they do nothing.
    pub fn tell(&self) {
        let given = [
            ("run_gunicorn", self.run_gunicorn),
            ("run_hypercorn", self.run_hypercorn),
            ("use_prisma_migrate", self.use_prisma_migrate),
            ("use_prisma_db_push", self.use_prisma_db_push),
            ("keepalive_timeout", self.keepalive_timeout.is_some()),
            ("max_requests_before_restart", self.max_requests_before_restart.is_some()),
            ("telemetry", self.telemetry.is_some()),
        ];
        for (name, _) in given.into_iter().filter(|(_, given)| *given) {
            say(&format!("--{name} is an option of LiteLLM's and has no effect here"));
        }
    }
}
