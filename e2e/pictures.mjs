// Pictures of every screen, to be looked at by a person: the demo, an empty Muster, and one with hostile names,
// each at a phone's and a desk's width in both themes. Only when MUSTER_PICTURES names a folder for them.
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { everyPlace, kind, openPage, startBrowser, startDemo, startMuster } from "./muster.mjs";

const FOLDER = process.env.MUSTER_PICTURES;
const VIEWS = [1440, 390].flatMap((width) => ["light", "dark"].map((theme) => ({ width, theme })));
/** A set of pictures may take this long on a slow machine. */
const LIMIT = { skip: !FOLDER, timeout: 1_800_000 };
const LONG = `Grüße-${"unbroken".repeat(32)}`.slice(0, 255);
/** Names of components are shorter. */
const SHORTER = LONG.slice(0, 125);
const RIGHT_TO_LEFT = "متجر شارع السوق — الفرع الرئيسي للمدينة القديمة";
const MARKUP = `<script>alert("x")</script> & 'Söhne' \u202Egnp.exe`;
const NAMES = [LONG, RIGHT_TO_LEFT, MARKUP];

let browser;
before(async () => {
  if (FOLDER || process.env.MUSTER_README_PICTURES) browser = await startBrowser();
});
after(async () => browser?.close());

async function signIn(page, muster) {
  await page.goto(`${muster.base}/console`);
  await page.fill("input[name=email]", muster.email);
  await page.fill("input[name=password]", muster.password);
  await Promise.all([page.waitForNavigation(), page.click("button[type=submit]")]);
}

const named = (path) => path.replace(/^\//, "").replace(/[^a-z0-9]+/gi, "-") || "root";

async function picture(page, address, file) {
  const answer = await page.goto(address, { waitUntil: "load" });
  const { height, wider } = await page.evaluate(async () => {
    await document.fonts.ready;
    const { scrollHeight, scrollWidth, clientWidth } = document.documentElement;
    return { height: scrollHeight, wider: scrollWidth - clientWidth };
  });
  const { width, height: least } = page.viewportSize();
  const tall = Math.min(Math.max(height, least), 4000);
  if (tall !== least) await page.setViewportSize({ width, height: tall });
  await page.screenshot({ path: file });
  if (tall !== least) await page.setViewportSize({ width, height: least });
  return wider > 0 ? [`${address} is ${wider} px wider than ${width}`] : answer.status() >= 500 ? [`${address} answered ${answer.status()}`] : [];
}

async function picturesOf(name, muster, open) {
  const folder = join(FOLDER, name);
  mkdirSync(folder, { recursive: true });
  const complaints = [];
  let places;
  for (const view of VIEWS) {
    const page = await openPage(browser, muster.base, view);
    // The stream of a page keeps a connection; pictures stand still.
    await page.route("**/console/live", (route) => route.abort());
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

/** Does something many times, a few at a time. */
async function many(count, work) {
  const numbers = Array.from({ length: count }, (_, number) => number);
  const worker = async () => { while (numbers.length) await work(numbers.shift()); };
  await Promise.all(Array.from({ length: 8 }, worker));
}

/** What a customer who writes by the form is shown afterwards. */
async function caseOf(base) {
  const page = await openPage(browser, base);
  await page.goto(`${base}/report`);
  await page.fill("textarea[name=text]", "The card reader said offline twice. Have I paid?");
  await Promise.all([page.waitForNavigation(), page.click("button[type=submit]")]);
  const { pathname } = new URL(page.url());
  await page.context().close();
  return pathname;
}

/** The first address on a page that begins so. */
async function linkOn(base, path, begin) {
  const text = await (await fetch(base + path)).text();
  const found = text.split('"').find((part) => part.startsWith(begin));
  assert.ok(found, `no ${begin} on ${path}`);
  return found;
}

/** Pages without a sign-in, those that refuse among them. */
const OUTSIDE = ["/report", "/docs", "/docs/incidents", "/nothing-here", "/console/nothing-here", "/console/incidents/NOTHING", "/status/nothing", "/at/nothing", "/case/nothing", "/ack/nothing"];

test("pictures of the demo", LIMIT, async () => {
  const muster = await startDemo();
  const { base, shop } = muster;
  const story = await linkOn(base, "/status/larkfield/history", "/status/larkfield/incidents/");
  const subscribed = ["/status/larkfield/confirm/nothing", "/status/larkfield/unsubscribe/nothing"];
  await picturesOf("demo", muster, [...OUTSIDE, ...subscribed, "/status/larkfield", "/status/larkfield/history", story, shop, `${shop}/report`, await caseOf(base), "/console/kit"]);
});

test("pictures of the demo when its morning is over", LIMIT, async () => {
  const muster = await startDemo("");
  const story = await linkOn(muster.base, "/status/larkfield/history", "/status/larkfield/incidents/");
  await picturesOf("demo-over", muster, ["/status/larkfield", story, muster.shop]);
});

/** First screens of the demo for the README, where MUSTER_README_PICTURES names a folder for them. */
const README = process.env.MUSTER_README_PICTURES;
test("pictures for the README", { ...LIMIT, skip: !README }, async () => {
  const muster = await startDemo();
  const page = await openPage(browser, muster.base, VIEWS[0]);
  const first = async (path, name) => {
    await page.goto(muster.base + path, { waitUntil: "load" });
    await page.evaluate(() => document.fonts.ready);
    await page.screenshot({ path: join(README, `${name}.png`) });
  };
  await signIn(page, muster);
  await first("/console", "now");
  const room = page.locator("a[href^='/console/incidents/']", { hasText: "Card payments" });
  await first(await room.first().getAttribute("href"), "room");
  await first("/console/desk", "desk");
  await first(await page.locator("#owed a.row-link").first().getAttribute("href"), "desk");
  await first("/status/larkfield", "public");
  await page.context().close();
  await muster.stop();
});

test("pictures of an empty Muster", LIMIT, async () => {
  const muster = await startMuster();
  await muster.post("/status_pages", { status_page: { name: "Empty", slug: "empty" } });
  await picturesOf("empty", muster, ["/status/empty", "/status/empty/history", "/report", "/at/unknown"]);
});

test("pictures of hostile names", LIMIT, async () => {
  const muster = await startMuster({ MUSTER_API_RATE_LIMIT: "off" });
  const page = await muster.post("/status_pages", { status_page: { name: SHORTER, slug: "hostile", time_zone: "Asia/Kathmandu" } });
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
    await muster.post("/teams", { team: { name: name.slice(0, 100) } });
    await muster.post(`/status_pages/${page.status_page.id}/components`, { component: { name: name.slice(0, 125), business_service: used } });
    await muster.post("/users", { user: { type: "user", name: name.slice(0, 100), email: `user${codes.length}@example.org`, role: "limited_user", time_zone: "Asia/Kathmandu" } });
    await muster.post("/v2/enqueue", {
      routing_key: integration.integration.integration_key, event_action: "trigger",
      payload: { summary: name, source: name, severity: "critical", group: name, component: name },
    });
    await muster.post("/cases", {
      case: { text: `${name}\n${name}`, reporter: { name }, account: { id: account.account.id, type: "account_reference" }, location: { id: shop.location.id, type: "location_reference" } },
    });
  }
  await many(500, (number) => muster.post("/cases", { case: { text: `${NAMES[number % 3]} ${number}`, reporter: { name: NAMES[number % 3] } } }));
  const services = (await muster.get("/services")).services;
  await many(500, (number) => muster.post("/incidents", {
    incident: { type: "incident", title: `${NAMES[number % 3]} ${number}`, service: { id: services[number % 3].id, type: "service_reference" } },
  }));
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  const incidents = (await muster.get("/incidents")).incidents;
  await muster.post(`/incidents/${incidents[0].id}/notes`, { note: { content: NAMES.join("\n") } });
  await muster.put(`/incidents/${incidents[2].id}`, { incident: { type: "incident_reference", status: "resolved", resolution: LONG } });
  await picturesOf("hostile", muster, ["/console/cases", "/console/incidents?view=all", "/status/hostile", "/report", ...codes.map((code) => `/at/${code}`)]);
});
