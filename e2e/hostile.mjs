// Names that are too long, run from right to left, or would be markup, in everything that can have a name.

const LONG = `Grüße-${"unbroken".repeat(32)}`.slice(0, 255);
const RIGHT_TO_LEFT = "متجر شارع السوق — الفرع الرئيسي للمدينة القديمة";
/** Would be an element, or an attribute of one, of which the page must have none: see `taken` in names.mjs. */
const MARKUP = `"><img data-taken src=x onerror="alert(1)"><script>document.title="taken"</script> ' data-taken='1 & Söhne \u202Egnp.exe`;
export const NAMES = [LONG, RIGHT_TO_LEFT, MARKUP];

/** Does something many times, a few at a time. */
async function many(count, work) {
  const numbers = Array.from({ length: count }, (_, number) => number);
  const worker = async () => { while (numbers.length) await work(numbers.shift()); };
  await Promise.all(Array.from({ length: 8 }, worker));
}

const reference = (id, type) => ({ id, type: `${type}_reference` });
const at = (minutes) => new Date(Date.now() + minutes * 60_000).toISOString();

/** Everything around one service with this name, and an event that makes trouble with it; gives the address of its shop. */
async function furnishOne(muster, name, page, policy) {
  // Some kinds have shorter names than others.
  const [hundred, shorter] = [name.slice(0, 100), name.slice(0, 125)];
  const { service } = await muster.post("/services", { service: { type: "service", name, description: name, escalation_policy: policy } });
  const { integration } = await muster.post(`/services/${service.id}/integrations`, { integration: { type: "events_api_v2_inbound_integration", name } });
  const { business_service: touchpoint } = await muster.post("/business_services", {
    business_service: { type: "business_service", name, harm_weight: 50, customer_words: name, fallback: `1. ${name}\n2. ${name}. ${name}`, words_to_say: name },
  });
  const used = reference(touchpoint.id, "business_service");
  await muster.post("/service_dependencies/associate", {
    relationships: [{ supporting_service: { id: service.id, type: "service" }, dependent_service: { id: touchpoint.id, type: "business_service" } }],
  });
  const { location } = await muster.post("/locations", { location: { name, kind: "site", services: [used] } });
  const { account } = await muster.post("/accounts", { account: { name, tier: "business", value_per_year: 9_000_000_000, currency: "GBP" } });
  await muster.post("/teams", { team: { name: hundred, description: name } });
  await muster.post(`/status_pages/${page}/components`, { component: { name: shorter, business_service: used } });
  const { user } = await muster.post("/users", {
    user: { type: "user", name: hundred, email: `user-${location.code}@example.org`, role: "limited_user", time_zone: "Asia/Kathmandu" },
  });
  const turns = { start: at(-60), rotation_virtual_start: at(-60), rotation_turn_length_seconds: 86_400, users: [{ user: reference(user.id, "user") }] };
  await muster.post("/schedules", { schedule: { type: "schedule", name, description: name, time_zone: "Asia/Kathmandu", schedule_layers: [{ name, ...turns }] } });
  await muster.post("/audiences", { audience: { name: hundred } });
  await muster.post("/api_keys", { api_key: { name: hundred } });
  await muster.post("/maintenance_windows", {
    maintenance_window: { type: "maintenance_window", start_time: at(600), end_time: at(660), description: name, public_words: name, services: [reference(service.id, "service")] },
  });
  const payload = { summary: name, source: name, severity: "critical", group: name, component: name };
  await muster.post("/v2/enqueue", { routing_key: integration.integration_key, event_action: "trigger", client: name, payload });
  await muster.post("/v2/change/enqueue", { routing_key: integration.integration_key, payload: { summary: name, source: name } });
  await muster.post("/cases", {
    case: { text: `${name}\n${name}`, reporter: { name }, account: reference(account.id, "account"), location: reference(location.id, "location") },
  });
  return `/at/${location.code}`;
}

/** Gives what happened hostile words too: what is said and done in the room, the facts, the report. */
async function happen(muster) {
  const { incidents: [first, second, third] } = await muster.get("/incidents");
  await muster.post(`/incidents/${first.id}/notes`, { note: { content: NAMES.join("\n") } });
  for (const name of NAMES) await muster.post(`/incidents/${first.id}/tasks`, { incident_task: { name: name.slice(0, 100), description: name } });
  await muster.put(`/incidents/${second.id}/facts`, { facts: { symptom: NAMES[2], workaround: NAMES[1] } });
  await muster.put(`/incidents/${third.id}`, { incident: { type: "incident_reference", status: "resolved", resolution: LONG } });
}

/** Fills a Muster with such names and with so many cases and incidents. Gives the addresses that the rail does not lead to. */
export async function furnish(muster, rows) {
  const { status_page: page } = await muster.post("/status_pages", { status_page: { name: LONG.slice(0, 125), slug: "hostile", time_zone: "Asia/Kathmandu" } });
  const targets = [{ id: muster.owner.user_id, type: "user_reference" }];
  const { escalation_policy: policy } = await muster.post("/escalation_policies", {
    escalation_policy: { type: "escalation_policy", name: LONG, description: MARKUP, escalation_rules: [{ escalation_delay_in_minutes: 5, targets }] },
  });
  const shops = [];
  for (const name of NAMES) shops.push(await furnishOne(muster, name, page.id, reference(policy.id, "escalation_policy")));
  const { services } = await muster.get("/services");
  await many(rows, async (number) => {
    const name = NAMES[number % 3];
    await muster.post("/cases", { case: { text: `${name} ${number}`, reporter: { name } } });
    await muster.post("/incidents", { incident: { type: "incident", title: `${name} ${number}`, service: reference(services[number % 3].id, "service") } });
  });
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  await happen(muster);
  return ["/console/cases", "/console/incidents?view=all", "/status/hostile", "/report", ...shops];
}
