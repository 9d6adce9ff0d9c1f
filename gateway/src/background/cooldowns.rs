//! Deployments that other replicas leave alone are left alone here too.

use crate::state::App;
use std::sync::Arc;
use std::time::Duration;
use weir_core::ports::cooldowns::SharedCooldowns;

const EVERY: Duration = Duration::from_millis(250);

/// Looks again and again; requests only meet what was learnt.
pub async fn follow(app: Arc<App>, shared: Arc<dyn SharedCooldowns>) {
    loop {
        tokio::time::sleep(EVERY).await;
        if app.snapshot.load().config.router.disable_cooldowns {
            continue;
        }
        let cooled = shared.cooled().await.unwrap_or_default();
        cooled.iter().for_each(|cooled| app.routing.cooldowns.learn(cooled));
    }
}
