//! What pages owe: to follow the timeline and the clock, and to be drawn afresh.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use super::model::{StatusPage, StatusPageId, Visibility};
use super::posts::Followed;
use super::{board, components, documents, posts, snapshot, store as rows, subscribers};
use crate::app::App;
use crate::impact::store as impact;
use crate::incidents::IncidentId;
use crate::jobs::{EVERY_PAGE, Job, Kind as JobKind, Owed};
use crate::timeline::{Agent, Change};
use crate::updates::situation::{self, Hurt};

/// The subject of a job that is about one page, as against one about an incident.
const PAGE: &str = "page:";
/// How soon another node draws what this one changed.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// Owes a page a drawing as soon as possible.
pub fn owe(change: &mut Change, id: &StatusPageId) -> Result<(), store::Error> {
    let owed = Owed::now(JobKind::PagesRender, format!("{PAGE}{id}"), change.now);
    change.owe(&owed)
}

/// Follows an incident to the pages that may show it, or draws one page.
pub async fn pages_render(app: &Arc<App>, job: &Job) -> anyhow::Result<()> {
    if let Some(id) = job.subject.strip_prefix(PAGE) {
        return follow_page(app, StatusPageId::from(id)).await;
    }
    if job.subject == EVERY_PAGE {
        app.change(Agent::muster(), |change| -> Result<(), store::Error> {
            for page in rows::all(change.tx)? {
                owe(change, &page.id)?;
            }
            board::note(change)
        })
        .await?;
        return Ok(());
    }
    let incident_id = IncidentId::from(job.subject.as_str());
    app.change(Agent::muster(), move |change| owe_shown(change, &incident_id))
        .await?;
    Ok(())
}

/// Owes every page that may show the incident a drawing; many incidents make one drawing. One that customers cannot
/// notice changes nothing for them: a storm of such incidents leaves the pages and the boards alone.
fn owe_shown(change: &mut Change, incident_id: &IncidentId) -> Result<(), store::Error> {
    let is_noticed = impact::hurts_touchpoints(change.tx, incident_id)?
        || crate::updates::store::any(change.tx, incident_id)?;
    if !is_noticed {
        return Ok(());
    }
    let pages = rows::all(change.tx)?;
    if !pages.is_empty() {
        posts::look_again_at_incident(change, incident_id)?;
    }
    for page in &pages {
        owe(change, &page.id)?;
    }
    // Last, since whoever else notes something waits until this is committed.
    board::note(change)
}

/// Brings a page up to now and draws it.
async fn follow_page(app: &Arc<App>, id: StatusPageId) -> anyhow::Result<()> {
    // What hurts is computed before the writer is taken: whatever changes it meanwhile wakes this job again.
    let hurt = app.read(situation::hurt_touchpoints).await?;
    let page_id = id.clone();
    app.change(Agent::muster(), move |change| bring_up(change, &page_id, &hurt))
        .await?;
    draw(app, &id).await
}

fn bring_up(change: &mut Change, id: &StatusPageId, hurt: &HashMap<String, Hurt>) -> anyhow::Result<()> {
    let Some(page) = rows::find(change.tx, id)? else {
        return Ok(());
    };
    change.tx.lock(&format!("page:{id}"))?;
    let mut shown = rows::components(change.tx, id)?;
    let planned = components::maintenances(change.tx, &shown, change.now)?;
    components::follow(change, &mut shown, &planned, hurt)?;
    let followed = posts::follow(change, &page, &shown)?;
    let snapshot = snapshot::of(change.tx, page, change.now, hurt)?;
    rows::set_digest(change, id, &snapshot.digest()?)?;
    let due = match followed {
        Followed::Everything => snapshot.next_change(change.now),
        Followed::InPart => change.now,
    };
    change.owe(&Owed::at(JobKind::PagesRender, format!("{PAGE}{id}"), due))?;
    Ok(())
}

/// Tells one group of a page's readers about an update, and owes the rest their turn.
pub async fn readers_due(app: &Arc<App>, job: &Job) -> anyhow::Result<()> {
    let page_id = StatusPageId::from(job.subject.as_str());
    let (site, payload) = (app.site.clone(), job.payload.clone());
    app.change(Agent::muster(), move |change| -> anyhow::Result<()> {
        let group = serde_json::from_value(payload.clone())?;
        Ok(subscribers::tell(change, &site, &page_id, &group)?)
    })
    .await
}

/// Draws a page into this node's cache. One that is private, or gone, is taken out.
pub async fn draw(app: &Arc<App>, id: &StatusPageId) -> anyhow::Result<()> {
    let (page_id, now) = (id.clone(), app.clock.now());
    let snapshot = app
        .read(move |tx| -> Result<_, store::Error> {
            match rows::find(tx, &page_id)? {
                Some(page) if page.visibility == Visibility::Public => {
                    Ok(Some(snapshot::read(tx, page, now)?))
                }
                _ => Ok(None),
            }
        })
        .await?;
    match snapshot {
        Some(snapshot) => {
            let version = snapshot.page.version;
            let documents = documents::draw(&snapshot, &app.site, now)?;
            app.pages.put(id, version, documents);
        }
        None => app.pages.remove(id),
    }
    Ok(())
}

/// Draws what another node has changed, for as long as the program runs.
pub async fn watch(app: Arc<App>) {
    loop {
        if let Err(error) = look(&app).await {
            tracing::warn!("pages could not be brought up to date; what is there is served on: {error:#}");
        }
        let next = app.clock.now() + LOOK_EVERY;
        tokio::select! {
            () = app.clock.sleep_until(next) => {}
            () = app.stopping.cancelled() => return,
        }
    }
}

/// Brings this node up to what other nodes have changed.
pub async fn look(app: &Arc<App>) -> anyhow::Result<()> {
    board::look(app).await?;
    draw_changed(app).await
}

async fn draw_changed(app: &Arc<App>) -> anyhow::Result<()> {
    let pages: Vec<StatusPage> = app.read(rows::all).await?;
    for id in app.pages.page_ids() {
        if !pages.iter().any(|page| page.id == id) {
            app.pages.remove(&id);
        }
    }
    for page in pages {
        let drawn = app.pages.version(&page.id);
        let wanted = (page.visibility == Visibility::Public).then_some(page.version);
        if drawn != wanted {
            draw(app, &page.id).await?;
        }
    }
    Ok(())
}
