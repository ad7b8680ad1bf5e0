// Pictures of every screen, to be looked at by a person: the demo, an empty Muster, and one with hostile names,
// each at a phone's and a desk's width in both themes. Only when MUSTER_PICTURES names a folder for them.
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { openPage, startBrowser, startDemo, startMuster } from "./muster.mjs";

const FOLDER = process.env.MUSTER_PICTURES;
const VIEWS = [1440, 390].flatMap((width) => ["light", "dark"].map((theme) => ({ width, theme })));
const LONG = `Grüße-${"unbroken".repeat(11)}`;
const RIGHT_TO_LEFT = "متجر شارع السوق — الفرع الرئيسي للمدينة القديمة";
const MARKUP = `<script>alert("x")</script> & 'Söhne' \u202Egnp.exe`;
const NAMES = [LONG, RIGHT_TO_LEFT, MARKUP];

let browser;
before(async () => {
  if (FOLDER) browser = await startBrowser();
});
after(async () => browser?.close());

async function signIn(page, muster) {
  await page.goto(`${muster.base}/console`);
  await page.fill("input[name=email]", muster.email);
  await page.fill("input[name=password]", muster.password);
  await Promise.all([page.waitForNavigation(), page.click("button[type=submit]")]);
}

/** What kind of page an address is: ids of any length are one. */
const kind = (path) => path.replace(/\/[A-Z0-9]{8,}(?=\/|$)/g, "/*").replace(/=.*/, "");

/** One address of every kind that can be reached by links from the rail. */
async function everyPlace(page, muster) {
  const found = new Map([["/console", "/console"]]);
  const waiting = ["/console"];
  while (waiting.length) {
    await page.goto(muster.base + waiting.shift());
    const links = await page.locator("a[href^='/console']").evaluateAll((all) => all.map((link) => link.getAttribute("href").split("#")[0]));
    for (const path of links) {
      if (/sign-out|[?&](from|before|earlier|later)=/.test(path) || found.has(kind(path))) continue;
      found.set(kind(path), path);
      waiting.push(path);
    }
  }
  return [...found.values()];
}

const named = (path) => path.replace(/^\//, "").replace(/[^a-z0-9]+/gi, "-") || "root";

async function picture(page, address, file) {
  const answer = await page.goto(address, { waitUntil: "load" });
  await page.evaluate(() => document.fonts.ready);
  const height = await page.evaluate(() => document.documentElement.scrollHeight);
  const { width, height: least } = page.viewportSize();
  await page.setViewportSize({ width, height: Math.min(Math.max(height, least), 6000) });
  await page.screenshot({ path: file });
  const wider = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  await page.setViewportSize({ width, height: least });
  return wider > 0 ? [`${address} is ${wider} px wider than ${width}`] : answer.status() >= 500 ? [`${address} answered ${answer.status()}`] : [];
}

async function picturesOf(name, muster, open) {
  const folder = join(FOLDER, name);
  mkdirSync(folder, { recursive: true });
  const complaints = [];
  let places;
  for (const view of VIEWS) {
    const page = await openPage(browser, muster.base, view);
    const ending = `${view.width}-${view.theme}.png`;
    complaints.push(...(await picture(page, `${muster.base}/console/sign-in`, join(folder, `sign-in-${ending}`))));
    await signIn(page, muster);
    places ??= await everyPlace(page, muster);
    for (const path of [...places, ...open]) {
      complaints.push(...(await picture(page, muster.base + path, join(folder, `${named(kind(path))}-${ending}`))));
    }
    await page.context().close();
  }
  await muster.stop();
  assert.ok(places.length > 10, `only ${places.length} places`);
  assert.deepEqual(complaints, []);
}

test("pictures of the demo", { skip: !FOLDER }, async () => {
  const muster = await startDemo();
  await picturesOf("demo", muster, ["/status/larkfield", "/status/larkfield/history", muster.shop, "/report", `${muster.shop}/report`]);
});

test("pictures of an empty Muster", { skip: !FOLDER }, async () => {
  const muster = await startMuster();
  await muster.post("/status_pages", { status_page: { name: "Empty", slug: "empty" } });
  await picturesOf("empty", muster, ["/status/empty", "/status/empty/history", "/report", "/at/unknown"]);
});

test("pictures of hostile names", { skip: !FOLDER }, async () => {
  const muster = await startMuster();
  const page = await muster.post("/status_pages", { status_page: { name: LONG, slug: "hostile", time_zone: "Asia/Kathmandu" } });
  const policy = await muster.post("/escalation_policies", {
    escalation_policy: {
      type: "escalation_policy", name: LONG,
      escalation_rules: [{ escalation_delay_in_minutes: 5, targets: [{ id: muster.owner.user_id, type: "user_reference" }] }],
    },
  });
  const codes = [];
  for (const name of NAMES) {
    const service = await muster.post("/services", {
      service: { type: "service", name, description: name, escalation_policy: { id: policy.escalation_policy.id, type: "escalation_policy_reference" } },
    });
    const integration = await muster.post(`/services/${service.service.id}/integrations`, { integration: { type: "events_api_v2_inbound_integration", name } });
    const touchpoint = await muster.post("/business_services", {
      business_service: { type: "business_service", name, harm_weight: 50, customer_words: name, fallback: `1. ${name}\n2. ${name}. ${name}`, words_to_say: name },
    });
    const used = { id: touchpoint.business_service.id, type: "business_service_reference" };
    await muster.post("/service_dependencies/associate", {
      relationships: [{ supporting_service: { id: service.service.id, type: "service" }, dependent_service: { id: used.id, type: "business_service" } }],
    });
    const shop = await muster.post("/locations", { location: { name, kind: "site", services: [used] } });
    codes.push(shop.location.code);
    const account = await muster.post("/accounts", { account: { name, tier: "business", value_per_year: 9_000_000_000, currency: "GBP" } });
    await muster.post("/teams", { team: { name } });
    await muster.post(`/status_pages/${page.status_page.id}/components`, { component: { name, business_service: used } });
    await muster.post("/v2/enqueue", {
      routing_key: integration.integration.integration_key, event_action: "trigger",
      payload: { summary: name, source: name, severity: "critical", group: name, component: name },
    });
    await muster.post("/cases", {
      case: { text: `${name}\n${name}`, reporter: { name }, account: { id: account.account.id, type: "account_reference" }, location: { id: shop.location.id, type: "location_reference" } },
    });
  }
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  const incidents = (await muster.get("/incidents")).incidents;
  await muster.post(`/incidents/${incidents[0].id}/notes`, { note: { content: NAMES.join("\n") } });
  await muster.put(`/incidents/${incidents[2].id}`, { incident: { type: "incident_reference", status: "resolved", resolution: LONG } });
  await picturesOf("hostile", muster, ["/status/hostile", "/report", ...codes.map((code) => `/at/${code}`)]);
});
