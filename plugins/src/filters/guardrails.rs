//! Guardrails: what a request says is looked at before anybody is asked, beside the call, and what is answered on its way
//! to the client.

use super::FilterKind;
use crate::exchange::Exchange;
use crate::guardrails::{About, Beside, Chosen, Judging, Looking, Restoring, Side, Texts, select};
use crate::metrics::Metrics;
use crate::plugin::{Flow, Phase, Plugin};
use crate::watch::Watcher;
use async_trait::async_trait;
use std::sync::Arc;
use weir_core::config::When;
use weir_core::domain::operation::Operation;
use weir_core::error::{ApiError, Kind};

pub static KIND: FilterKind = FilterKind {
    name: "guardrails",
    phases: &[Phase::Request, Phase::Answer],
    build: |s| Arc::new(Guarding { metrics: Arc::clone(&s.metrics) }),
};

struct Guarding {
    metrics: Arc<Metrics>,
}

#[async_trait]
impl Plugin for Guarding {
    async fn on_request(&self, x: &mut Exchange) -> Result<Flow, ApiError> {
        // What is passed through is the provider's; LiteLLM looks at it only where an endpoint's settings say so.
        if x.request.pass.is_some() || x.request.operation == Operation::Realtime {
            return Ok(Flow::Continue);
        }
        let Some(guarded) = select(x)? else { return Ok(Flow::Continue) };
        let (before, beside) = (guarded.at(When::PreCall), guarded.at(When::DuringCall));
        let about = Arc::clone(&guarded.about);
        x.guarded = Some(Box::new(guarded));
        if before.is_empty() && beside.is_empty() {
            return Ok(Flow::Continue);
        }
        let texts = Texts::of(&x.request.body);
        let (came, images) = (texts.texts(), texts.images());
        let mut said = came.clone();
        for chosen in &before {
            if let Some(body) = chosen.rail.offered(&x.request.body, &about, &self.metrics)? {
                x.request.body = body;
            }
            let asked = chosen.asked(&about, Side::Request, said.clone(), images.clone());
            if let Some(changed) = chosen.rail.run(&asked, When::PreCall, &self.metrics).await? {
                said = changed;
            }
        }
        if said != came {
            if x.request.form.is_some() {
                return Err(unchangeable());
            }
            x.request.body = texts.write(said.clone(), &x.request.body)?;
        }
        if let Some(guarded) = &mut x.guarded {
            guarded.beside = self.beside(beside, about, said, images);
        }
        Ok(Flow::Continue)
    }

    fn watch(&self, x: &Exchange, watchers: &mut Vec<Box<dyn Watcher>>) {
        let Some(guarded) = &x.guarded else { return };
        let operation = x.request.operation;
        if operation.row().chat.is_none() && operation != Operation::Completions {
            return;
        }
        for chosen in guarded.at(When::PostCall) {
            let metrics = Arc::clone(&self.metrics);
            if chosen.rail.check.tools().is_some() {
                watchers.push(Box::new(Judging::new(chosen.rail, Arc::clone(&guarded.about), metrics)));
            } else if chosen.rail.check.looks_at(Side::Answer) {
                watchers.push(Box::new(Looking::new(chosen, Arc::clone(&guarded.about), metrics)));
            }
        }
        // Behind the others, which are not to see what is put back.
        if let Some(restoring) = Restoring::of(&guarded.about.masked) {
            watchers.push(Box::new(restoring));
        }
    }
}

impl Guarding {
    /// Runs beside the call, on what goes out. It can refuse, and change nothing.
    fn beside(
        &self,
        chosen: Vec<Chosen>,
        about: Arc<About>,
        said: Vec<String>,
        images: Vec<String>,
    ) -> Option<Beside> {
        if chosen.is_empty() {
            return None;
        }
        let metrics = Arc::clone(&self.metrics);
        Some(Beside::start(async move {
            for chosen in chosen {
                let asked = chosen.asked(&about, Side::Request, said.clone(), images.clone());
                chosen.rail.run(&asked, When::DuringCall, &metrics).await?;
            }
            Ok(())
        }))
    }
}

fn unchangeable() -> ApiError {
    let message = "A guardrail wants to mask what this form says, which cannot be done; leave it out.";
    ApiError::new(Kind::GuardrailBlocked, message)
}
