//! Asking a second deployment while the first one is silent. The first answer wins; the other request is ended, and what
//! it has cost is booked, against its own deployment's budgets (P44).

use crate::exchange::Flight;
use crate::response::outlet::Outlet;
use crate::routing::plan::Plan;
use crate::state::App;
use crate::upstream::request::Outgoing;
use crate::upstream::session::{self, Answered, Lost, Waiting};
use futures_util::FutureExt;
use futures_util::future::{self, BoxFuture, Either};
use pingora::protocols::http::ServerSession;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use weir_core::domain::spend::{OUTRUN, Outrun, SpendScope};
use weir_core::error::ApiError;
use weir_plugins::budgets::{Hold, hold_of_deployment};
use weir_plugins::deployment::Deployment;
use weir_plugins::dialects::{ResponsePlan, upstream_error};
use weir_plugins::exchange::{Attempt, Exchange};
use weir_plugins::filters::consumed_input;
use weir_plugins::load::Running;
use weir_plugins::outgoing;

/// An answer that has begun, and how it is to be read.
pub type Begun = Result<(Answered, ResponsePlan), Lost>;

type Beginning<'r> = BoxFuture<'r, Result<Answered, Lost>>;

/// An attempt that is under way, and budgets of one period that it counts against.
type Beside<'a> = (&'a Attempt, &'a [(SpendScope, String)]);

/// What an exchange keeps of the attempt that is under way.
struct Kept {
    running: Option<Running>,
    hold: Option<Hold>,
    accounts: Vec<(SpendScope, String)>,
}

/// One of the two that are asked.
struct Side {
    attempt: Attempt,
    outgoing: Outgoing,
    kept: Kept,
}

/// How a race went.
struct Ended {
    /// Whose answer it is, or whose failure the last one.
    winner: usize,
    answered: Result<Answered, Lost>,
    other: Other,
}

/// What became of the other one.
enum Other {
    Outrun,
    Failed(ApiError),
    /// The client left.
    Gone,
}

/// Sends the request of an attempt; after this silence another deployment's too. `attempt` is in the end the one that
/// answered, or failed last.
pub async fn send(
    flight: &mut Flight<'_>,
    down: &mut ServerSession,
    out: &mut Outlet,
    attempt: &mut Attempt,
    outgoing: Outgoing,
    (plan, after): (&mut Plan, Duration),
) -> Begun {
    let app: &App = flight.app;
    let mut client = Waiting::Client(down, out);
    let mut begun = session::begin(&app.dialer, attempt, &outgoing).boxed();
    if let Some(answered) = within(&mut begun, &mut client, after).await {
        return answered.map(|answered| (answered, outgoing.plan));
    }
    let kept = Kept::take(&mut flight.x);
    let second = tokio::select! {
        biased;
        answered = &mut begun => Err(answered),
        second = Side::prepare(flight, (&*attempt, kept.accounts.as_slice()), plan) => Ok(second),
    };
    let second = match second {
        Ok(Some(second)) => second,
        nobody => {
            let answered = match nobody {
                Err(answered) => answered,
                Ok(_) => alone(begun, &mut client).await,
            };
            // A second one that was not ready in time leaves nothing behind.
            kept.put(&mut flight.x);
            return answered.map(|answered| (answered, outgoing.plan));
        }
    };
    let asked = [(&*attempt, outgoing.plan), (&second.attempt, second.outgoing.plan)];
    let beside = session::begin(&app.dialer, &second.attempt, &second.outgoing).boxed();
    let ended = race(app, [begun, beside], &mut client, asked).await;
    let first = Side { attempt: attempt.clone(), outgoing, kept };
    let (winner, loser) = if ended.winner == 0 { (first, second) } else { (second, first) };
    loser.lose(flight, ended.other);
    winner.kept.put(&mut flight.x);
    *attempt = winner.attempt;
    flight.x.answer.deployment = Some(Arc::clone(&attempt.deployment));
    ended.answered.map(|answered| (answered, winner.outgoing.plan))
}

/// The answer, if it begins within this time.
async fn within(
    begun: &mut Beginning<'_>,
    client: &mut Waiting<'_>,
    after: Duration,
) -> Option<Result<Answered, Lost>> {
    let over = tokio::time::sleep(after);
    tokio::pin!(over);
    loop {
        tokio::select! {
            biased;
            answered = &mut *begun => return Some(answered),
            () = &mut over => return None,
            meanwhile = client.meanwhile() => if let Err(lost) = client.heed(meanwhile).await {
                return Some(Err(lost));
            },
        }
    }
}

/// The answer, whenever it begins; every wait for it has a limit of its own.
async fn alone(mut begun: Beginning<'_>, client: &mut Waiting<'_>) -> Result<Answered, Lost> {
    loop {
        tokio::select! {
            biased;
            answered = &mut begun => return answered,
            meanwhile = client.meanwhile() => client.heed(meanwhile).await?,
        }
    }
}

/// The first that answers wins. If one fails, the other one is waited for.
async fn race(
    app: &App,
    [first, second]: [Beginning<'_>; 2],
    client: &mut Waiting<'_>,
    asked: [(&Attempt, ResponsePlan); 2],
) -> Ended {
    let mut both = future::select(first, second);
    let ended = loop {
        tokio::select! {
            biased;
            ended = &mut both => break ended,
            meanwhile = client.meanwhile() => if let Err(lost) = client.heed(meanwhile).await {
                return Ended { winner: 0, answered: Err(lost), other: Other::Gone };
            },
        }
    };
    let (winner, answered, other) = match ended {
        Either::Left((answered, other)) => (0, answered, other),
        Either::Right((answered, other)) => (1, answered, other),
    };
    match served(app, answered, asked[winner]).await {
        Ok(answered) => Ended { winner, answered: Ok(answered), other: Other::Outrun },
        Err(error) => {
            let answered = alone(other, client).await;
            Ended { winner: 1 - winner, answered, other: Other::Failed(error) }
        }
    }
}

/// An answer that serves the client. The body of an error is not waited for while somebody else is asked.
async fn served(
    app: &App,
    answered: Result<Answered, Lost>,
    (attempt, plan): (&Attempt, ResponsePlan),
) -> Result<Answered, ApiError> {
    match answered {
        Ok(answered) if (200..300).contains(&answered.status) => Ok(answered),
        Ok(answered) => {
            let told = plan.read_error(answered.status, b"");
            app.dialer.abort(answered.connected).await;
            Err(upstream_error(&attempt.deployment, &told))
        }
        Err(Lost::Failed(error)) => Err(error),
        Err(Lost::ClientGone) => Err(session::broken(attempt, "given up")),
    }
}

/// What being asked costs: the input is taken to be consumed.
fn outrun(x: &Exchange, deployment: &Deployment, accounts: Vec<(SpendScope, String)>) -> Outrun {
    Outrun {
        provider: deployment.provider.prefix.to_owned(),
        deployment_id: deployment.id.clone(),
        cost: deployment.cost_of(&consumed_input(x, deployment)),
        accounts,
        model: deployment.model_label.clone(),
    }
}

// --- Kept ---

impl Kept {
    fn take(x: &mut Exchange) -> Self {
        Self {
            running: x.target.running.take(),
            hold: x.deployment_hold.take(),
            accounts: std::mem::take(&mut x.deployment_accounts),
        }
    }

    fn put(self, x: &mut Exchange) {
        (x.target.running, x.deployment_hold) = (self.running, self.hold);
        x.deployment_accounts = self.accounts;
    }
}

// --- Side ---

impl Side {
    /// Another deployment's request, in the journal and ready to send; `None` where there is nobody else to ask.
    /// `beside`: who is asked already, and against which budgets that counts.
    async fn prepare(flight: &mut Flight<'_>, beside: Beside<'_>, plan: &mut Plan) -> Option<Self> {
        let deployment = plan.beside(&mut flight.x, &beside.0.deployment, &flight.app.routing)?;
        let made = Self::make(flight, beside, deployment).await;
        if made.is_err() {
            Kept::take(&mut flight.x);
        }
        made.inspect_err(|why| tracing::debug!("no second deployment is asked: {why}")).ok()?
    }

    async fn make(
        flight: &mut Flight<'_>,
        (beside, accounts): Beside<'_>,
        deployment: Arc<Deployment>,
    ) -> Result<Option<Self>, ApiError> {
        deployment.ready()?;
        let app = flight.app;
        hold_of_deployment(&app.budgets, &mut flight.x, &deployment).await?;
        let attempt = flight.attempt_at(&deployment, beside.number.saturating_add(1));
        let made = outgoing::Outgoing::new(&flight.x, &attempt)?;
        if deployment.mock.is_some() || !made.more.is_empty() {
            Kept::take(&mut flight.x);
            return Ok(None);
        }
        let outgoing = Outgoing::seal(made, &deployment).await?;
        // Should this process die now, both have been asked.
        let before = outrun(&flight.x, &beside.deployment, accounts.to_vec());
        flight.x.answer.outrun.push(before);
        let begun = app.chain.on_attempt(&mut flight.x, &attempt);
        flight.x.answer.outrun.pop();
        begun?;
        Ok(Some(Self { attempt, outgoing, kept: Kept::take(&mut flight.x) }))
    }

    /// Books what it came to.
    fn lose(self, flight: &mut Flight<'_>, how: Other) {
        flight.x.target.running = self.kept.running;
        match how {
            Other::Failed(error) => flight.attempt_failed(&self.attempt, &error),
            Other::Gone => flight.attempt_ended(&self.attempt, 499, Some("ClientDisconnected")),
            Other::Outrun => {
                flight.attempt_ended(&self.attempt, 0, Some(OUTRUN));
                if self.outgoing.sent.load(Ordering::Relaxed) {
                    let lost = outrun(&flight.x, &self.attempt.deployment, self.kept.accounts);
                    self.kept.hold.into_iter().for_each(|hold| hold.settle(lost.cost));
                    flight.x.answer.outrun.push(lost);
                }
            }
        }
    }
}
