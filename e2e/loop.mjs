// The whole loop in a real browser: sign in, an event arrives, it is acknowledged on a phone, the room tells
// the story, it is resolved. Every page on the way is looked at by axe-core in both themes.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { openPage, startBrowser, startMuster, violations } from "./muster.mjs";

let muster;
let browser;
let service;

before(async () => {
  muster = await startMuster();
  browser = await startBrowser();
  const policy = await muster.post("/escalation_policies", {
    escalation_policy: {
      type: "escalation_policy",
      name: "Payments",
      escalation_rules: [{ escalation_delay_in_minutes: 5, targets: [{ id: muster.owner.user_id, type: "user_reference" }] }],
    },
  });
  service = (
    await muster.post("/services", {
      service: { type: "service", name: "card-gateway", escalation_policy: { id: policy.escalation_policy.id, type: "escalation_policy_reference" } },
    })
  ).service;
  service.key = (
    await muster.post(`/services/${service.id}/integrations`, { integration: { type: "events_api_v2_inbound_integration", name: "Monitoring" } })
  ).integration.integration_key;
});

after(async () => {
  await browser?.close();
  await muster?.stop();
});

async function signIn(page) {
  await page.goto(`${muster.base}/console`);
  await page.fill("input[name=email]", "maya@example.org");
  await page.fill("input[name=password]", muster.password);
  await page.click("button[type=submit]");
  await page.waitForURL(`${muster.base}/console`);
}

async function trigger(key, summary) {
  await muster.post("/v2/enqueue", {
    routing_key: service.key,
    event_action: "trigger",
    dedup_key: key,
    payload: { summary, source: "till-1", severity: "critical" },
  });
}

async function clean(page, where) {
  assert.deepEqual(await violations(page), [], `axe-core on ${where}`);
  assert.deepEqual(page.strangers, [], `requests to other hosts on ${where}`);
}

test("a wrong password is refused in plain words, the right one leads to Now", async () => {
  const page = await openPage(browser, muster.base);
  await page.goto(`${muster.base}/console`);
  await clean(page, "the sign-in");
  await page.fill("input[name=email]", "maya@example.org");
  await page.fill("input[name=password]", "not the password");
  await page.click("button[type=submit]");
  assert.match(await page.textContent("body"), /do not match/);
  await signIn(page);
  await clean(page, "the first Now");
  assert.match(await page.textContent("h1"), /\S/);
  await page.context().close();
});

test("an event arrives live, and one tap on a phone acknowledges it", async () => {
  const page = await openPage(browser, muster.base, { width: 390, theme: "dark" });
  await signIn(page);
  await trigger("till-1", "Card terminal silent in Leeds");
  await page.waitForSelector("text=Card terminal silent in Leeds", { timeout: 10_000 });
  await page.reload();
  await clean(page, "Now on a phone");
  await page.click("button:has-text('Acknowledge') >> visible=true");
  await page.waitForURL(/\/console\/incidents\//);
  await clean(page, "the room on a phone");
  const incident = (await muster.get("/incidents")).incidents[0];
  assert.equal(incident.status, "acknowledged");
  await page.context().close();
});

test("the room keeps a note, a task and the resolution, in both themes", async () => {
  const incident = (await muster.get("/incidents")).incidents[0];
  for (const theme of ["light", "dark"]) {
    const page = await openPage(browser, muster.base, { theme });
    await signIn(page);
    await page.goto(`${muster.base}/console/incidents/${incident.id}`);
    await page.fill("#say-words", `Rolling back (${theme}) <script>alert(1)</script>`);
    await page.click("[data-composer-verb]");
    await page.waitForSelector(`text=Rolling back (${theme})`);
    await clean(page, `the room in ${theme}`);
    await page.goto(`${muster.base}/console/incidents?view=all`);
    await clean(page, `the list of incidents in ${theme}`);
    await page.context().close();
  }
  await muster.put(`/incidents/${incident.id}`, { incident: { type: "incident_reference", status: "resolved", resolution: "rolled back" } });
  assert.equal((await muster.get(`/incidents/${incident.id}`)).incident.status, "resolved");
});
