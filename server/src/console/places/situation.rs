//! The situation bar's figures, read in the same transaction as the page below it.

use store::Tx;

use crate::access::Caller;
use crate::app::App;
use crate::console::frame::{Health, OnCall, Situation};
use crate::console::kit::State;
use crate::http::Problem;
use crate::oncall::{Target, TargetKind};

/// Reads the bar for a caller.
pub fn read(tx: &mut Tx, caller: &Caller, now: jiff::Timestamp) -> Result<Situation, Problem> {
    let (triggered, acknowledged) = crate::incidents::store::count_open(tx)?;
    let open = [(State::Triggered, triggered), (State::Acknowledged, acknowledged)]
        .into_iter()
        .filter(|(_, count)| *count > 0)
        .map(|(state, count)| (state, count.unsigned_abs()))
        .collect();
    Ok(Situation {
        open,
        promise: None,
        on_call: on_call(tx, caller, now)?,
        owed: crate::cases::store::count_owed(tx, None)?.0.unsigned_abs(),
        health: Health::Well,
    })
}

/// Who is on call for the first schedule that the caller belongs to, or for the first there is.
fn on_call(tx: &mut Tx, caller: &Caller, now: jiff::Timestamp) -> Result<OnCall, Problem> {
    let user_id = caller
        .user_id()
        .map(|id| id.as_str().to_owned())
        .unwrap_or_default();
    let schedules: Vec<(String, String)> = tx.rows(
        store::sql!(
            "SELECT s.id, s.name FROM schedules s
             LEFT JOIN schedule_teams t ON t.schedule_id = s.id
             LEFT JOIN team_members m ON m.team_id = t.team_id AND m.user_id = $1
             WHERE s.deleted_at IS NULL
             ORDER BY CASE WHEN m.user_id IS NULL THEN 1 ELSE 0 END, s.name, s.id LIMIT 1"
        ),
        store::params![user_id],
    )?;
    let Some((id, name)) = schedules.into_iter().next() else {
        return Ok(OnCall::Nobody);
    };
    let people = crate::oncall::people_on_call(
        tx,
        &[Target {
            kind: TargetKind::Schedule,
            id,
        }],
        now,
    )?;
    let Some(first) = people.first() else {
        return Ok(OnCall::Nobody);
    };
    let user = crate::people::store::find_user(tx, first)?;
    Ok(user.map_or(OnCall::Nobody, |user| OnCall::Named {
        what: name,
        who: user.name,
    }))
}

/// The bar when only the caller and the app are at hand.
pub async fn of(app: &App, caller: &Caller) -> Result<Situation, Problem> {
    let (caller, now) = (caller.clone(), app.clock.now());
    app.read(move |tx| read(tx, &caller, now)).await
}
