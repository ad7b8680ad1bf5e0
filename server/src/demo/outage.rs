//! The morning itself, beat by beat. Machines send events, customers write, people press buttons, each
//! through the door that is theirs.

use std::sync::Arc;

use anyhow::Context as _;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::client::Client;
use super::retailer::{Retailer, Service, Shop};
use crate::app::App;

/// Terminals of one shop that fall silent.
const SILENT: usize = 5;
/// How far the clock may run away from the story.
const MOST_LATE: SignedDuration = SignedDuration::from_secs(45);
/// The nearest time that is promised to customers.
const SHORTEST_PROMISE: SignedDuration = SignedDuration::from_mins(5);
/// How often an incident is looked for, and words are tried, on a machine that is busy; and the pause between.
const LOOKS: usize = 1_200;
const TRIES: usize = 6;
const PAUSE: std::time::Duration = std::time::Duration::from_millis(300);

/// Replays the outage; ends early at `until`.
pub(super) async fn replay(
    app: &Arc<App>,
    client: &Client,
    retailer: &Retailer,
    until: Option<Timestamp>,
    speed: u32,
) -> anyhow::Result<()> {
    let story = Story {
        app,
        client,
        retailer,
        until,
        speed,
    };
    match story.tell().await {
        Err(error) if error.is::<Over>() => Ok(()),
        other => other,
    }
}

/// The time has come at which the replay was to stop.
#[derive(Debug, thiserror::Error)]
#[error("the replay was to stop here")]
struct Over;

struct Story<'a> {
    app: &'a Arc<App>,
    client: &'a Client,
    retailer: &'a Retailer,
    until: Option<Timestamp>,
    /// How many times faster than usual the clock runs.
    speed: u32,
}

impl Story<'_> {
    async fn tell(&self) -> anyhow::Result<()> {
        let services = &self.retailer.services;
        let shops = &self.retailer.hurt_shops;
        self.at("05:12").await?;
        self.small_trouble().await?;
        self.at("05:30").await?;
        self.change(
            &services.store_edge,
            "store-edge 4.18.0 goes out to the 24 shops of wave one",
        )
        .await?;
        self.at("05:41").await?;
        self.silence(&shops[..9]).await?;
        let incident = self.newest_incident_on(&services.card_gateway).await?;
        self.at("05:43").await?;
        self.as_person(&self.retailer.cast.priya.key)
            .put(&format!("/incidents/{incident}"), acknowledged())
            .await?;
        self.silence(&shops[9..]).await?;
        self.at("05:44").await?;
        self.change(
            &services.store_edge,
            "Rollout of store-edge 4.18.0 stopped; waves two to five are held",
        )
        .await?;
        self.command(&incident).await?;
        self.customers_write(&incident).await?;
        self.tell_customers(&incident).await?;
        self.at("05:58").await?;
        self.dependents_slow(&incident).await?;
        self.at("06:03").await?;
        self.note(
            &incident,
            &self.retailer.cast.tomasz.key,
            "store-edge 4.18.0 drops the terminals’ network route when it restarts. Waves two to five never got it.",
        )
        .await?;
        self.at("06:05").await?;
        self.change(&services.store_edge, "store-edge rolled back to 4.17.3 in Leeds")
            .await?;
        self.recover(&incident).await?;
        self.close(&incident).await
    }

    /// Waits until it is this time in the story.
    async fn at(&self, time: &str) -> anyhow::Result<()> {
        let wanted = time_of(time)?;
        if let Some(until) = self.until.filter(|until| *until <= wanted) {
            self.app.clock.sleep_until(until).await;
            return Err(Over.into());
        }
        self.keep_pace(wanted);
        tokio::select! {
            () = self.app.clock.sleep_until(wanted) => Ok(()),
            () = self.app.stopping.cancelled() => Err(Over.into()),
        }
    }

    /// While the story is behind, because this machine is busy, the clock walks at its usual pace and waits for it.
    fn keep_pace(&self, wanted: Timestamp) {
        let clock = &self.app.clock;
        let speed = if clock.now().duration_since(wanted) > MOST_LATE {
            1
        } else {
            self.speed
        };
        if clock.speed() != speed {
            clock.set_speed(speed);
        }
    }

    fn as_person(&self, key: &str) -> Client {
        self.client.with_key(key)
    }

    async fn send(
        &self,
        service: &Service,
        action: &str,
        dedup_key: &str,
        payload: Value,
    ) -> anyhow::Result<()> {
        let event = json!({
            "routing_key": service.key,
            "event_action": action,
            "dedup_key": dedup_key,
            "client": "Larkfield monitoring",
            "payload": payload,
        });
        self.client.post("/v2/enqueue", event).await.map(drop)
    }

    async fn change(&self, service: &Service, summary: &str) -> anyhow::Result<()> {
        let event = json!({
            "routing_key": service.key,
            "payload": { "summary": summary, "source": "deploy", "timestamp": self.app.clock.now() },
        });
        self.client.post("/v2/change/enqueue", event).await.map(drop)
    }

    /// Something else is a little wrong too, as always, and somebody has it.
    async fn small_trouble(&self) -> anyhow::Result<()> {
        let workforce = &self.retailer.services.workforce;
        let payload = json!({
            "summary": "Clocking in takes 40 s in Spain",
            "source": "workforce-es-1",
            "severity": "warning",
            "component": "clocking in",
            "class": "latency",
        });
        self.send(workforce, "trigger", "clocking-in-slow", payload)
            .await?;
        let incident = self.newest_incident_on(workforce).await?;
        self.at("05:25").await?;
        let ines = &self.retailer.cast.ines;
        let mine = json!({ "incident": {
            "type": "incident_reference",
            "assignments": [{ "assignee": { "id": ines.id, "type": "user_reference" } }],
        } });
        let path = format!("/incidents/{incident}");
        self.as_person(&ines.key).put(&path, mine).await?;
        self.as_person(&ines.key).put(&path, acknowledged()).await?;
        let facts = json!({ "facts": { "symptom": "Clocking in is slow in Spain." } });
        self.as_person(&ines.key)
            .put(&format!("{path}/facts"), facts)
            .await
            .map(drop)
    }

    /// While everybody looks at the cards, the next thing breaks and pages whoever is on call for it.
    async fn reminders_stuck(&self) -> anyhow::Result<()> {
        let payload = json!({
            "summary": "Appointment reminders are not leaving the queue: 1,204 wait",
            "source": "booking-worker-2",
            "severity": "error",
            "component": "reminders",
            "class": "queue age",
        });
        self.send(
            &self.retailer.services.booking,
            "trigger",
            "reminders-stuck",
            payload,
        )
        .await
    }

    async fn silence(&self, shops: &[Shop]) -> anyhow::Result<()> {
        for shop in shops {
            for terminal in 1..=SILENT {
                let payload = json!({
                    "summary": format!("Card terminal {terminal} at {} is silent", shop.name),
                    "source": format!("terminal-{terminal}.{}", shop.name.to_lowercase().replace(' ', "-")),
                    "severity": "critical",
                    "component": "card terminal",
                    "class": "terminal silent",
                    "group": shop.name,
                    "custom_details": { "shop": shop.name, "software": "store-edge 4.18.0" },
                });
                let key = format!("terminal-{}-{terminal}", shop.id);
                self.send(&self.retailer.services.card_gateway, "trigger", &key, payload)
                    .await?;
            }
        }
        Ok(())
    }

    async fn newest_incident_on(&self, service: &Service) -> anyhow::Result<String> {
        let path = format!(
            "/incidents?service_ids[]={}&sort_by=created_at:desc&limit=1&date_range=all",
            service.id
        );
        for _ in 0..LOOKS {
            let answer = self.client.get(&path).await?;
            if let Some(id) = answer["incidents"][0]["id"].as_str() {
                return Ok(id.to_owned());
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        anyhow::bail!("no incident opened on {}", service.id)
    }

    async fn note(&self, incident: &str, key: &str, content: &str) -> anyhow::Result<()> {
        let note = json!({ "note": { "content": content } });
        self.as_person(key)
            .post(&format!("/incidents/{incident}/notes"), note)
            .await
            .map(drop)
    }

    async fn command(&self, incident: &str) -> anyhow::Result<()> {
        self.at("05:49").await?;
        let cast = &self.retailer.cast;
        let maya = self.as_person(&cast.maya.key);
        for (role, player) in [
            ("incident_commander", &cast.maya),
            ("customer_liaison", &cast.aoife),
            ("operations_lead", &cast.tomasz),
        ] {
            let assignee = json!({ "assignee": { "id": player.id, "type": "user_reference" } });
            maya.put(&format!("/incidents/{incident}/roles/{role}"), assignee)
                .await?;
        }
        let priority = json!({ "incident": { "type": "incident_reference", "priority": "P1" } });
        maya.put(&format!("/incidents/{incident}"), priority).await?;
        let targets: Vec<Value> = [&cast.tomasz, &cast.aoife]
            .into_iter()
            .map(
                |player| json!({ "responder_request_target": { "id": player.id, "type": "user_reference" } }),
            )
            .collect();
        let request = json!({
            "requester_id": cast.maya.id,
            "message": "Card terminals are silent in the shops of wave one. Please join.",
            "responder_request_targets": targets,
        });
        maya.post(&format!("/incidents/{incident}/responder_requests"), request)
            .await?;
        for key in [&cast.tomasz.key, &cast.aoife.key] {
            self.as_person(key)
                .put(
                    &format!("/incidents/{incident}/responders/me"),
                    json!({ "state": "joined" }),
                )
                .await?;
        }
        for (name, player) in [
            (
                "Ask Northpay whether half-finished payments were reversed",
                &cast.priya,
            ),
            ("Tell shops to take cash and hold baskets", &cast.aoife),
            ("Keep waves two to five held until a fix is tested", &cast.tomasz),
            ("Decide whether updates wait until after Black Friday", &cast.maya),
        ] {
            let task = json!({ "incident_task": { "name": name, "assignee": { "id": player.id } } });
            maya.post(&format!("/incidents/{incident}/tasks"), task).await?;
        }
        Ok(())
    }

    /// Customers write; the agents link what fits.
    async fn customers_write(&self, incident: &str) -> anyhow::Result<()> {
        let aoife = self.as_person(&self.retailer.cast.aoife.key);
        for (round, time) in ["05:50", "05:51", "05:53", "05:55", "05:57"]
            .into_iter()
            .enumerate()
        {
            if round < 2 {
                self.at(time).await?;
            }
            for index in 0..14 {
                let number = round * 14 + index;
                let customer = &self.retailer.customers[number * 5 % self.retailer.customers.len()];
                let shop = &self.retailer.hurt_shops[number % self.retailer.hurt_shops.len()];
                let mut case = json!({ "case": {
                    "channel": "api",
                    "text": words_of(number, &shop.name),
                    "reporter": { "name": customer.name, "email": customer.email },
                    "account": { "id": customer.id, "type": "account_reference" },
                    "location": { "id": shop.id, "type": "location_reference" },
                    "touchpoint": { "id": self.touchpoint_of(number), "type": "business_service_reference" },
                } });
                if number == 0 {
                    self.ask_for_a_call(&mut case["case"], &customer.name, &shop.name);
                }
                let answer = aoife.post("/cases", case).await?;
                let id = answer["case"]["id"].as_str().unwrap_or_default().to_owned();
                // A few are left for whoever looks at the desk.
                if number % 17 != 5 {
                    let link = json!({ "incident": { "id": incident, "type": "incident_reference" } });
                    aoife.post(&format!("/cases/{id}/link"), link).await?;
                }
            }
        }
        Ok(())
    }

    /// The first of them wants to be called, by somebody who decides.
    fn ask_for_a_call(&self, case: &mut Value, customer: &str, shop: &str) {
        case["text"] = json!(format!(
            "We could not pay for 14 trays at {shop} and have guests at noon. Please call me back."
        ));
        case["reporter"] = json!({ "name": customer, "telephone": "+44 20 5550 0142" });
        case["owner"] = json!({ "id": self.retailer.cast.maya.id, "type": "user_reference" });
    }

    fn touchpoint_of(&self, number: usize) -> &str {
        match number % 9 {
            4 => &self.retailer.touchpoints.loyalty,
            7 => &self.retailer.touchpoints.click_and_collect,
            _ => &self.retailer.touchpoints.card_payments,
        }
    }

    async fn tell_customers(&self, incident: &str) -> anyhow::Result<()> {
        self.at("05:52").await?;
        let facts = json!({ "facts": {
            "phase": "identified",
            "symptom": "Card payments are not working in 24 of our shops.",
            "workaround": "You can pay with cash, or we keep your basket until tomorrow evening.",
        } });
        let maya = self.as_person(&self.retailer.cast.maya.key);
        maya.put(&format!("/incidents/{incident}/facts"), facts).await?;
        self.publish(incident, Some("06:20")).await
    }

    /// Tells customers. Facts that change meanwhile, as impact is counted again, take an approval back: then it is
    /// written and approved once more.
    async fn publish(&self, incident: &str, next: Option<&str>) -> anyhow::Result<()> {
        for _ in 1..TRIES {
            match self.write_and_publish(incident, next).await {
                Ok(()) => return Ok(()),
                Err(error) => tracing::debug!("an update is written again: {error:#}"),
            }
            tokio::time::sleep(PAUSE).await;
        }
        self.write_and_publish(incident, next).await
    }

    /// Writes, approves and publishes an update to customers. The words come from the facts.
    async fn write_and_publish(&self, incident: &str, next: Option<&str>) -> anyhow::Result<()> {
        let maya = self.as_person(&self.retailer.cast.maya.key);
        let audiences = maya.get("/audiences").await?;
        let customers = audiences["audiences"]
            .as_array()
            .into_iter()
            .flatten()
            .find(|audience| audience["visibility"] == "public")
            .and_then(|audience| audience["id"].as_str())
            .context("there is no audience of customers")?
            .to_owned();
        let next_update_by = match next {
            // Where the clock has run ahead, the promise is one that can still be kept.
            Some(next) => Some(time_of(next)?.max(self.app.clock.now() + SHORTEST_PROMISE)),
            None => None,
        };
        let update = json!({ "update": {
            "audience": { "id": customers, "type": "audience_reference" },
            "next_update_by": next_update_by,
        } });
        let draft = maya
            .post(&format!("/incidents/{incident}/updates"), update)
            .await?;
        let id = draft["update"]["id"]
            .as_str()
            .context("the draft has no id")?
            .to_owned();
        maya.post(&format!("/updates/{id}/approve"), json!({})).await?;
        maya.post(&format!("/updates/{id}/publish"), json!({}))
            .await
            .map(drop)
    }

    async fn dependents_slow(&self, incident: &str) -> anyhow::Result<()> {
        let services = &self.retailer.services;
        for (service, key, summary) in [
            (
                &services.loyalty_api,
                "loyalty-slow",
                "loyalty-api waits for store-edge: 9 s at the 95th percentile",
            ),
            (
                &services.order_hub,
                "orders-slow",
                "order-hub waits for store-edge: orders are 12 minutes behind",
            ),
        ] {
            let payload =
                json!({ "summary": summary, "source": key, "severity": "error", "class": "latency" });
            self.send(service, "trigger", key, payload).await?;
        }
        let mut sources = Vec::new();
        for service in [&services.loyalty_api, &services.order_hub] {
            let id = self.newest_incident_on(service).await?;
            sources.push(json!({ "id": id, "type": "incident_reference" }));
        }
        self.as_person(&self.retailer.cast.maya.key)
            .put(
                &format!("/incidents/{incident}/merge"),
                json!({ "source_incidents": sources }),
            )
            .await
            .map(drop)
    }

    /// Shop by shop the terminals come back.
    async fn recover(&self, incident: &str) -> anyhow::Result<()> {
        let times = ["06:06", "06:10", "06:14", "06:18", "06:24", "06:30"];
        let shops = &self.retailer.hurt_shops;
        for (time, part) in times
            .into_iter()
            .zip(shops.chunks(shops.len().div_ceil(times.len())))
        {
            self.at(time).await?;
            for shop in part {
                for terminal in 1..=SILENT {
                    let key = format!("terminal-{}-{terminal}", shop.id);
                    self.send(&self.retailer.services.card_gateway, "resolve", &key, json!({}))
                        .await?;
                }
            }
            if time == "06:10" {
                self.reminders_stuck().await?;
            }
            if time == "06:14" {
                let workforce = &self.retailer.services.workforce;
                self.send(workforce, "resolve", "clocking-in-slow", json!({}))
                    .await?;
            }
            if time == "06:18" {
                self.phase(incident, "monitoring").await?;
                self.publish(incident, Some("06:50")).await?;
            }
        }
        Ok(())
    }

    async fn phase(&self, incident: &str, phase: &str) -> anyhow::Result<()> {
        let facts = json!({ "facts": { "phase": phase } });
        self.as_person(&self.retailer.cast.maya.key)
            .put(&format!("/incidents/{incident}/facts"), facts)
            .await
            .map(drop)
    }

    /// It is over: everybody who was told hears so, and everybody who wrote gets an answer.
    async fn close(&self, incident: &str) -> anyhow::Result<()> {
        let services = &self.retailer.services;
        self.at("06:33").await?;
        self.send(&services.booking, "resolve", "reminders-stuck", json!({}))
            .await?;
        self.at("06:34").await?;
        for (service, key) in [
            (&services.loyalty_api, "loyalty-slow"),
            (&services.order_hub, "orders-slow"),
        ] {
            self.send(service, "resolve", key, json!({})).await?;
        }
        self.at("06:40").await?;
        let resolved = json!({ "incident": {
            "type": "incident_reference",
            "status": "resolved",
            "resolution": "Rolled store-edge back to 4.17.3 in all 24 shops",
        } });
        self.as_person(&self.retailer.cast.maya.key)
            .put(&format!("/incidents/{incident}"), resolved)
            .await?;
        self.at("06:42").await?;
        self.publish(incident, None).await?;
        self.at("06:45").await?;
        self.as_person(&self.retailer.cast.aoife.key)
            .post(&format!("/incidents/{incident}/answers/confirm"), json!({}))
            .await
            .map(drop)
    }
}

fn acknowledged() -> Value {
    json!({ "incident": { "type": "incident_reference", "status": "acknowledged" } })
}

fn time_of(time: &str) -> anyhow::Result<Timestamp> {
    format!("2026-11-17T{time}:00Z")
        .parse()
        .context("a time of the story")
}

/// What customers write, each a little differently.
fn words_of(number: usize, shop: &str) -> String {
    match number % 9 {
        0 => format!(
            "The card reader at {shop} keeps saying offline. I tried twice with two cards. Have I paid or not?"
        ),
        1 => format!("Could not pay by card at {shop} this morning. Staff said cash only."),
        2 => format!("Card refused at {shop}, but my bank shows the money as pending. Was I charged twice?"),
        3 => format!("Reader offline at {shop}. I had to leave my shopping."),
        4 => format!("My loyalty points did not show at the till in {shop}."),
        5 => format!("{shop}: payment failed three times and nobody could say why."),
        6 => format!("I was told the terminals are down at {shop}. When will they work again?"),
        7 => format!("My order was to be ready to collect at {shop}, but they could not find it."),
        _ => format!("Card payment at {shop} does not go through. Is it me or is it you?"),
    }
}
