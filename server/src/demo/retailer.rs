//! Larkfield as it stands before the morning begins: teams, rotas, services, touchpoints, shops, customers.

use std::sync::Arc;

use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::client::Client;
use super::people::{self, Cast};
use super::shops::{COUNTRIES, TERMINALS, names};
use crate::access::password;
use crate::app::App;

/// How many requests are on their way at once while the company is set up.
const AT_ONCE: usize = 48;
/// Customers with a record of their own.
const CUSTOMERS: usize = 420;
/// Shops of the update's first wave.
pub(super) const FIRST_WAVE: usize = 24;

/// What the story needs to know of the company.
pub(super) struct Retailer {
    pub cast: Cast,
    pub services: Services,
    pub touchpoints: Touchpoints,
    /// The first wave: the shops that are about to be hurt.
    pub hurt_shops: Vec<Shop>,
    pub customers: Vec<Customer>,
}

#[derive(Debug, Clone)]
pub(super) struct Shop {
    pub id: String,
    pub name: String,
    pub code: String,
}

#[derive(Debug, Clone)]
pub(super) struct Customer {
    pub id: String,
    pub name: String,
    pub email: String,
}

#[derive(Debug, Clone)]
pub(super) struct Service {
    pub id: String,
    pub key: String,
}

pub(super) struct Services {
    pub store_edge: Service,
    pub card_gateway: Service,
    pub loyalty_api: Service,
    pub order_hub: Service,
    pub booking: Service,
    pub workforce: Service,
}

pub(super) struct Touchpoints {
    pub card_payments: String,
    pub loyalty: String,
    pub click_and_collect: String,
    pub appointments: String,
    pub staff_scheduling: String,
}

/// Sets the company up. Everything goes through the API, as its own people would do it.
pub(super) async fn build(client: &Client, app: &Arc<App>, password: &str) -> anyhow::Result<Retailer> {
    let hash = password::hash(password.to_owned()).await?;
    let owner_key = client.key().to_owned();
    let cast = people::cast(app, &owner_key, &hash).await?;
    let payments = team(client, "Payments", &[&cast.priya, &cast.jonas, &cast.sinead]).await?;
    let store_systems = team(client, "Store systems", &[&cast.tomasz, &cast.ines]).await?;
    let digital = team(client, "Digital", &[&cast.emre, &cast.maya]).await?;
    team(client, "Customer service", &[&cast.aoife, &cast.daniel]).await?;

    let payments_rota = rota(
        client,
        "Payments on call",
        "Europe/London",
        &[&cast.priya, &cast.jonas],
        &payments,
    )
    .await?;
    let edge_rota = rota(
        client,
        "Store systems on call",
        "Europe/Warsaw",
        &[&cast.tomasz, &cast.ines],
        &store_systems,
    )
    .await?;
    let digital_rota = rota(
        client,
        "Digital on call",
        "Europe/Berlin",
        &[&cast.maya, &cast.emre],
        &digital,
    )
    .await?;
    let payments_policy = policy(
        client,
        "Payments",
        &payments,
        &[("schedule", &payments_rota), ("user", cast.sinead.id.as_str())],
    )
    .await?;
    let edge_policy = policy(
        client,
        "Store systems",
        &store_systems,
        &[("schedule", &edge_rota), ("user", cast.maya.id.as_str())],
    )
    .await?;
    let digital_policy = policy(
        client,
        "Digital",
        &digital,
        &[("schedule", &digital_rota), ("user", cast.jonas.id.as_str())],
    )
    .await?;

    let services = Services {
        store_edge: service(
            client,
            "store-edge",
            "Runs in every shop; terminals and tills go through it.",
            &edge_policy,
        )
        .await?,
        card_gateway: service(
            client,
            "card-gateway",
            "Card terminals of all shops, towards Northpay.",
            &payments_policy,
        )
        .await?,
        loyalty_api: service(client, "loyalty-api", "Points and vouchers.", &digital_policy).await?,
        order_hub: service(client, "order-hub", "Orders collected in shops.", &digital_policy).await?,
        booking: service(
            client,
            "booking",
            "Appointments and their reminders.",
            &digital_policy,
        )
        .await?,
        workforce: service(
            client,
            "workforce",
            "Clocking in and rotas of the shops.",
            &edge_policy,
        )
        .await?,
    };
    let touchpoints = touchpoints(client).await?;
    depend(client, &services, &touchpoints).await?;
    let hurt_shops = shops(client, &services, &touchpoints).await?;
    let customers = customers(client, &touchpoints, &hurt_shops).await?;
    status_page(client, &touchpoints).await?;
    planned_work(client, &services).await?;
    Ok(Retailer {
        cast,
        services,
        touchpoints,
        hurt_shops,
        customers,
    })
}

async fn team(client: &Client, name: &str, members: &[&people::Player]) -> anyhow::Result<String> {
    let id = client
        .make("/teams", "team", json!({ "type": "team", "name": name }))
        .await?;
    for (index, member) in members.iter().enumerate() {
        let role = if index == 0 { "manager" } else { "responder" };
        client
            .put(
                &format!("/teams/{id}/users/{}", member.id),
                json!({ "role": role }),
            )
            .await?;
    }
    Ok(id)
}

async fn rota(
    client: &Client,
    name: &str,
    time_zone: &str,
    members: &[&people::Player],
    team_id: &str,
) -> anyhow::Result<String> {
    let users: Vec<Value> = members
        .iter()
        .map(|member| json!({ "user": { "id": member.id, "type": "user_reference" } }))
        .collect();
    let schedule = json!({
        "type": "schedule",
        "name": name,
        "time_zone": time_zone,
        "teams": [{ "id": team_id, "type": "team_reference" }],
        "schedule_layers": [{
            "name": "Weekly turns",
            "start": "2026-11-02T08:00:00Z",
            "rotation_virtual_start": "2026-11-02T08:00:00Z",
            "rotation_turn_length_seconds": 604_800,
            "users": users,
        }],
    });
    client.make("/schedules", "schedule", schedule).await
}

async fn policy(
    client: &Client,
    name: &str,
    team_id: &str,
    levels: &[(&str, &str)],
) -> anyhow::Result<String> {
    let rules: Vec<Value> = levels
        .iter()
        .map(|(kind, id)| {
            json!({
                "escalation_delay_in_minutes": 5,
                "targets": [{ "id": id, "type": format!("{kind}_reference") }],
            })
        })
        .collect();
    let policy = json!({
        "type": "escalation_policy",
        "name": name,
        "num_loops": 2,
        "teams": [{ "id": team_id, "type": "team_reference" }],
        "escalation_rules": rules,
    });
    client
        .make("/escalation_policies", "escalation_policy", policy)
        .await
}

async fn service(client: &Client, name: &str, description: &str, policy_id: &str) -> anyhow::Result<Service> {
    let resource = json!({
        "type": "service",
        "name": name,
        "description": description,
        "escalation_policy": { "id": policy_id, "type": "escalation_policy_reference" },
        "acknowledgement_timeout": 3600,
        "alert_creation": "create_alerts_and_incidents",
        "alert_grouping_parameters": { "type": "time", "config": { "timeout": 30 } },
        "incident_urgency_rule": { "type": "constant", "urgency": "severity_based" },
    });
    let id = client.make("/services", "service", resource).await?;
    let integration = json!({ "type": "events_api_v2_inbound_integration", "name": "Monitoring" });
    let answer = client
        .post(
            &format!("/services/{id}/integrations"),
            json!({ "integration": integration }),
        )
        .await?;
    let key = answer["integration"]["integration_key"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    anyhow::ensure!(key.len() == 32, "the integration of {name} has no key");
    Ok(Service { id, key })
}

async fn touchpoints(client: &Client) -> anyhow::Result<Touchpoints> {
    let touchpoint = |name: &str, harm: i64, loss: i64, words: &str, fallback: &str, say: &str| {
        json!({
            "type": "business_service",
            "name": name,
            "point_of_contact": "Customer service",
            "harm_weight": harm,
            "loss_per_hour": loss,
            "currency": "GBP",
            "customer_words": words,
            "fallback": fallback,
            "words_to_say": say,
        })
    };
    let make = |resource: Value| client.make("/business_services", "business_service", resource);
    Ok(Touchpoints {
        card_payments: make(touchpoint(
            "Card payments",
            95,
            3_120_000,
            "I cannot pay by card in the shop",
            "1. Take cash. The float is enough until noon.\n2. Hold baskets until tomorrow evening, name and phone on the slip.\n3. No card by phone, no photo of a card.",
            "Cards do not work just now, and it is us, not your card. You can pay with cash, or we keep your basket until tomorrow evening.",
        ))
        .await?,
        loyalty: make(touchpoint(
            "Loyalty",
            40,
            310_000,
            "My points do not show at the till",
            "Write the card number on the slip. Points are added later.",
            "Your points come a little later. None is lost.",
        ))
        .await?,
        click_and_collect: make(touchpoint(
            "Click & collect",
            60,
            410_000,
            "My order is not ready to collect",
            "Find the order by name in the back room. Sign the paper list.",
            "We find your order by your name. It takes a few minutes more.",
        ))
        .await?,
        appointments: make(touchpoint(
            "Appointments",
            30,
            90_000,
            "I got no reminder for my appointment",
            "Use the paper list printed at opening.",
            "Your appointment stands, even if no reminder came.",
        ))
        .await?,
        staff_scheduling: make(touchpoint(
            "Staff scheduling",
            10,
            0,
            "I cannot clock in",
            "Write the hours on the paper rota.",
            "The rota on the wall is right.",
        ))
        .await?,
    })
}

async fn depend(client: &Client, services: &Services, touchpoints: &Touchpoints) -> anyhow::Result<()> {
    let technical = |id: &str| json!({ "id": id, "type": "service" });
    let business = |id: &str| json!({ "id": id, "type": "business_service" });
    let edges = [
        (
            technical(&services.store_edge.id),
            technical(&services.card_gateway.id),
        ),
        (
            technical(&services.store_edge.id),
            technical(&services.loyalty_api.id),
        ),
        (
            technical(&services.store_edge.id),
            technical(&services.order_hub.id),
        ),
        (
            technical(&services.card_gateway.id),
            business(&touchpoints.card_payments),
        ),
        (
            technical(&services.loyalty_api.id),
            business(&touchpoints.loyalty),
        ),
        (
            technical(&services.order_hub.id),
            business(&touchpoints.click_and_collect),
        ),
        (
            technical(&services.booking.id),
            business(&touchpoints.appointments),
        ),
        (
            technical(&services.workforce.id),
            business(&touchpoints.staff_scheduling),
        ),
    ];
    let relationships: Vec<Value> = edges
        .into_iter()
        .map(|(supporting, dependent)| json!({ "supporting_service": supporting, "dependent_service": dependent }))
        .collect();
    client
        .post(
            "/service_dependencies/associate",
            json!({ "relationships": relationships }),
        )
        .await?;
    Ok(())
}

/// Makes all shops with their terminals and gives the first wave of the update.
async fn shops(client: &Client, services: &Services, touchpoints: &Touchpoints) -> anyhow::Result<Vec<Shop>> {
    let mut sites = Vec::new();
    for country in &COUNTRIES {
        let mut regions: Vec<(&str, String)> = Vec::new();
        for (region, _) in country.regions {
            let resource = json!({
                "name": region,
                "kind": "region",
                "country": country.code,
                "time_zone": country.time_zone,
                "currency": country.currency,
            });
            regions.push((region, client.make("/locations", "location", resource).await?));
        }
        for (region, name) in names(country) {
            let parent = regions
                .iter()
                .find(|(known, _)| *known == region)
                .map(|(_, id)| id.clone());
            let used = if sites.len() < FIRST_WAVE {
                vec![services.store_edge.id.clone()]
            } else {
                Vec::new()
            };
            sites.push((country, name, parent, used));
        }
    }
    let mut hurt = Vec::new();
    for chunk in sites.chunks(AT_ONCE) {
        let mut running = JoinSet::new();
        for (index, (country, name, parent, used)) in chunk.iter().enumerate() {
            let mut uses: Vec<Value> = [
                &touchpoints.loyalty,
                &touchpoints.click_and_collect,
                &touchpoints.card_payments,
            ]
            .into_iter()
            .map(|id| json!({ "id": id, "type": "business_service_reference" }))
            .collect();
            uses.extend(
                used.iter()
                    .map(|id| json!({ "id": id, "type": "service_reference" })),
            );
            let resource = json!({
                "name": name,
                "kind": "site",
                "parent": { "id": parent },
                "country": country.code,
                "time_zone": country.time_zone,
                "currency": country.currency,
                "takings_per_hour": 130_000,
                "telephone": format!("+{} {}", 44 + index, 1_000_000 + index * 37),
                "services": uses,
            });
            let (client, first_wave) = (client.clone(), !used.is_empty());
            running.spawn(async move {
                let answer = client.post("/locations", json!({ "location": resource })).await?;
                let text = |name: &str| answer["location"][name].as_str().unwrap_or_default().to_owned();
                let shop = Shop {
                    id: text("id"),
                    name: text("name"),
                    code: text("code"),
                };
                for terminal in 1..=TERMINALS {
                    let resource = json!({
                        "name": format!("{} terminal {terminal}", shop.name),
                        "kind": "terminal",
                        "parent": { "id": shop.id },
                    });
                    client.make("/locations", "location", resource).await?;
                }
                anyhow::Ok((first_wave, shop))
            });
        }
        while let Some(made) = running.join_next().await {
            let (first_wave, shop) = made??;
            if first_wave {
                hurt.push(shop);
            }
        }
    }
    hurt.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(hurt)
}

const FIRST_NAMES: [&str; 24] = [
    "Hannah",
    "Dieter",
    "Inés",
    "Brodie",
    "Amelia",
    "Oluwaseun",
    "Maëlle",
    "Lukas",
    "Siobhán",
    "Carlos",
    "Fatima",
    "Niamh",
    "Pádraig",
    "Greta",
    "Hugo",
    "Zofia",
    "Mehmet",
    "Chloé",
    "Elena",
    "Rhys",
    "Ngozi",
    "Jürgen",
    "Ana",
    "Tadhg",
];
const LAST_NAMES: [&str; 20] = [
    "Whitcombe",
    "Vogel",
    "Caballero",
    "Okonkwo",
    "Byrne",
    "Müller",
    "García Ruiz",
    "Lefèvre",
    "O’Sullivan",
    "Nowak",
    "Patel",
    "Schneider",
    "Murphy",
    "Moreau",
    "Hughes",
    "Yılmaz",
    "Fernández",
    "Weiß",
    "MacLeod",
    "Adeyemi",
];

async fn customers(
    client: &Client,
    touchpoints: &Touchpoints,
    shops: &[Shop],
) -> anyhow::Result<Vec<Customer>> {
    let mut customers = Vec::new();
    let indices: Vec<usize> = (0..CUSTOMERS).collect();
    for chunk in indices.chunks(AT_ONCE) {
        let mut running = JoinSet::new();
        for index in chunk.iter().copied() {
            let first = FIRST_NAMES[index % FIRST_NAMES.len()];
            // No two customers share both names.
            let last =
                LAST_NAMES[(index / FIRST_NAMES.len() + index % FIRST_NAMES.len() * 7) % LAST_NAMES.len()];
            let (tier, value) = match index % 50 {
                0 => ("business", 4_100_000),
                1..=7 => ("gold", 240_000),
                _ => ("standard", 38_000),
            };
            let name = if tier == "business" {
                format!("{last} & Sons Catering")
            } else {
                format!("{first} {last}")
            };
            let email = format!("customer{index}@mail.example");
            let resource = json!({
                "name": name,
                "email": email,
                "tier": tier,
                "value_per_year": value,
                "currency": "GBP",
                "language": "en",
                "external_id": format!("LF-{}", 100_000 + index),
                "location": { "id": shops[index % shops.len()].id },
                "customer_since": format!("{}-05-01T00:00:00Z", 2014 + index % 12),
                "services": [{ "id": touchpoints.card_payments, "type": "business_service_reference" }],
            });
            let client = client.clone();
            running.spawn(async move {
                let id = client.make("/accounts", "account", resource).await?;
                anyhow::Ok((index, Customer { id, name, email }))
            });
        }
        while let Some(made) = running.join_next().await {
            customers.push(made??);
        }
    }
    customers.sort_by_key(|(index, _)| *index);
    Ok(customers.into_iter().map(|(_, customer)| customer).collect())
}

/// Something is planned for the evening.
async fn planned_work(client: &Client, services: &Services) -> anyhow::Result<()> {
    let window = json!({
        "type": "maintenance_window",
        "start_time": "2026-11-17T22:00:00Z",
        "end_time": "2026-11-17T23:30:00Z",
        "description": "order-hub moves to a new database",
        "public_words": "Orders to collect may be shown ten minutes late. Nothing else changes.",
        "services": [{ "id": services.order_hub.id, "type": "service_reference" }],
    });
    client
        .make("/maintenance_windows", "maintenance_window", window)
        .await
        .map(drop)
}

async fn status_page(client: &Client, touchpoints: &Touchpoints) -> anyhow::Result<()> {
    // Everybody is told the time of the retailer's own country, as the page is.
    let audiences = client.get("/audiences").await?;
    for audience in audiences["audiences"].as_array().into_iter().flatten() {
        let id = audience["id"].as_str().unwrap_or_default();
        let zone = json!({ "audience": { "time_zone": "Europe/London" } });
        client.put(&format!("/audiences/{id}"), zone).await?;
    }
    let page = json!({ "name": "Larkfield", "slug": "larkfield", "time_zone": "Europe/London" });
    let id = client.make("/status_pages", "status_page", page).await?;
    for (name, touchpoint) in [
        ("Card payments", &touchpoints.card_payments),
        ("Loyalty points", &touchpoints.loyalty),
        ("Click & collect", &touchpoints.click_and_collect),
        ("Appointments", &touchpoints.appointments),
    ] {
        let component = json!({ "name": name, "business_service": { "id": touchpoint, "type": "business_service_reference" } });
        client
            .make(&format!("/status_pages/{id}/components"), "component", component)
            .await?;
    }
    Ok(())
}
