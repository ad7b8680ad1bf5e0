//! The morning itself, beat by beat. Machines send events, customers write, people press buttons, each
//! through the door that is theirs.

use std::sync::Arc;

use jiff::Timestamp;

use super::client::Client;
use super::retailer::Retailer;
use crate::app::App;

/// Replays the outage; ends early at `until`.
pub async fn replay(
    app: &Arc<App>,
    client: &Client,
    retailer: &Retailer,
    until: Option<Timestamp>,
) -> anyhow::Result<()> {
    let story = Story {
        app,
        client,
        retailer,
        until,
    };
    story.tell().await
}

struct Story<'a> {
    app: &'a Arc<App>,
    client: &'a Client,
    retailer: &'a Retailer,
    until: Option<Timestamp>,
}

impl Story<'_> {
    async fn tell(&self) -> anyhow::Result<()> {
        Ok(())
    }
}
