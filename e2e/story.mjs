// The demo's story, played to its end: what it promises to show must be there, through the API and on the pages.
// MUSTER_DEMO_SPEED says how many times faster than the wall's its clock runs.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { openPage, startBrowser, startDemo } from "./muster.mjs";

let demo, browser, page, cards;

before(async () => {
  demo = await startDemo("", process.env.MUSTER_DEMO_SPEED || "300");
  browser = await startBrowser();
  page = await openPage(browser, demo.base);
  await page.goto(`${demo.base}/console`);
  await page.fill("input[name=email]", demo.email);
  await page.fill("input[name=password]", demo.password);
  await Promise.all([page.waitForNavigation(), page.click("button[type=submit]")]);
  const { incidents } = await get("/incidents?date_range=all&limit=100");
  cards = incidents.find((one) => /Card terminal 1/.test(one.title));
}, { timeout: 300_000 });
after(async () => {
  await browser?.close();
  await demo?.stop();
});

async function get(path) {
  const answer = await page.context().request.get(demo.base + path);
  assert.equal(answer.status(), 200, `${path} answered ${answer.status()}: ${await answer.text()}`);
  return answer.json();
}
const text = async (path) => {
  await page.goto(demo.base + path);
  return page.locator("main, body").first().innerText();
};

test("five incidents came, one of them from more than a hundred alerts, and all are resolved", async () => {
  const { incidents } = await get("/incidents?date_range=all&limit=100");
  assert.equal(incidents.length, 5);
  assert.deepEqual([...new Set(incidents.map((one) => one.status))], ["resolved"]);
  assert.ok(cards.alert_counts.all > 100, JSON.stringify(cards.alert_counts));
  const { impact } = await get(`/incidents/${cards.id}/impact`);
  assert.ok(impact.accounts.count > 0 && impact.accounts.told_us > 0, JSON.stringify(impact.accounts));
});

test("what stands on the terminals' edge was hurt by dependency, among 240 shops in five countries", async () => {
  const { impact } = await get(`/incidents/${cards.id}/impact`);
  const ways = Object.fromEntries(impact.touchpoints.map((one) => [one.name, one.path.map((step) => step.name)]));
  for (const [name, behind] of [["Loyalty", "loyalty-api"], ["Click & collect", "order-hub"]]) {
    assert.ok(ways[name]?.length > 1 && ways[name].includes(behind), `${name}: ${JSON.stringify(ways)}`);
  }
  const { total: shops } = await get("/locations?kind=site&total=true&limit=1");
  assert.equal(shops, 240);
  const { locations: regions } = await get("/locations?kind=region&limit=100");
  assert.equal(new Set(regions.map((one) => one.country)).size, 5);
});

test("people were paged, came, and took roles", async () => {
  const { log_entries: entries } = await get(`/incidents/${cards.id}/log_entries?limit=100&is_overview=true`);
  const kinds = new Set(entries.map((one) => one.type));
  for (const kind of ["trigger_log_entry", "acknowledge_log_entry", "resolve_log_entry"]) assert.ok(kinds.has(kind), [...kinds].join());
  const room = await text(`/console/incidents/${cards.id}`);
  for (const name of ["Priya Raman", "Maya Okafor", "Tomasz Zieliński", "Aoife Brennan"]) assert.ok(room.includes(name), `${name} is not in the room`);
});

test("customers reported, and everyone whose case was linked has an answer", async () => {
  const { cases, total } = await get("/cases?limit=100&total=true");
  assert.equal(total, cases.length);
  const linked = cases.filter((one) => one.incident?.id === cards.id);
  assert.ok(linked.length >= 60 && linked.length < cases.length, `${linked.length} of ${cases.length}`);
  const { answers } = await get(`/incidents/${cards.id}/answers?limit=100`);
  assert.equal(answers.length, linked.length);
  assert.ok(answers.every((one) => one.confirmed_at), "an answer waits for somebody");
});

test("customers were told at least three times, and the last word says that it is over", async () => {
  const { incidents } = await get("/status/larkfield/api/v2/incidents.json");
  const updates = incidents.flatMap((one) => one.incident_updates);
  assert.ok(updates.length >= 3, `${updates.length} updates`);
  assert.match(updates[0].body, /works again/);
  assert.equal(incidents[0].status, "resolved");
  const { status } = await get("/status/larkfield/api/v2/status.json");
  assert.equal(status.indicator, "none");
});

test("the status page, its history and the shop's page say that everything works", async () => {
  assert.match(await text("/status/larkfield"), /Everything works/);
  assert.match(await text("/status/larkfield/history"), /Problem with Card payments/);
  assert.match(await text(demo.shop), /Everything works here/);
});

test("the report wrote itself: one picture, figures, and words with the cause", async () => {
  const { incident_review: review } = await get(`/incidents/${cards.id}/review`);
  assert.match(review.body, /store-edge 4\.18\.0/);
  const report = await text(`/console/learn/${cards.id}`);
  assert.match(report, /Everyone who told us has an answer/);
  assert.ok(await page.locator("svg").first().isVisible());
  assert.deepEqual(page.errors, []);
  assert.deepEqual(page.strangers, []);
});

/** What a page weighs on the way to a browser that has nothing of it yet, and how far its parts moved once they were seen. */
async function weigh(path) {
  const other = await openPage(browser, demo.base);
  await other.context().addCookies(await page.context().cookies());
  const session = await other.context().newCDPSession(other);
  await session.send("Network.enable");
  let bytes = 0;
  session.on("Network.loadingFinished", ({ encodedDataLength }) => { bytes += encodedDataLength; });
  await other.goto(demo.base + path, { waitUntil: "load" });
  await other.waitForTimeout(300);
  const shift = await other.evaluate(() => new Promise((resolve) => {
    let sum = 0;
    new PerformanceObserver((list) => { for (const one of list.getEntries()) sum += one.value; }).observe({ type: "layout-shift", buffered: true });
    setTimeout(() => resolve(sum), 100);
  }));
  await other.context().close();
  return { path, bytes, shift };
}

test("every main page weighs less than 200 kB, and nothing on it moves while it comes", async () => {
  await page.goto(`${demo.base}/console`);
  const rail = await page.locator("nav a[href^='/console']").evaluateAll((all) => all.map((link) => link.getAttribute("href")));
  const paths = new Set([...rail, `/console/incidents/${cards.id}`, `/console/learn/${cards.id}`, "/status/larkfield", demo.shop, "/report"]);
  assert.ok(paths.size > 12, `only ${paths.size} main pages`);
  const weights = [];
  for (const path of paths) weights.push(await weigh(path));
  assert.ok(weights.every((one) => one.bytes > 1_000), JSON.stringify(weights));
  assert.deepEqual(weights.filter((one) => one.bytes >= 200_000 || one.shift > 0), []);
});
